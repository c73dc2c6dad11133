/** Compares measurements pair by pair: what else the machine does meanwhile slows both of a pair. */
import type { Measurement } from './measure'

export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

/** One line of the result: the subject compared with a peer. A ratio below 1 means that the subject takes less. */
export interface Row {
  readonly case: string
  readonly peer: string
  readonly wallRatio: Spread
  /** Median. */
  readonly cpuRatio: number
  /** The highest of all runs. */
  readonly peakMiB: number
  readonly peerPeakMiB: number
  readonly pairs: number
}

export type Pair = readonly [subject: Measurement, peer: Measurement]

export function compare(name: string, peer: string, pairs: readonly Pair[]): Row {
  const ratios = (of: (measurement: Measurement) => number) =>
    pairs.map(([subject, other]) => of(subject) / of(other)).sort((a, b) => a - b)
  const wall = ratios(({ wallSeconds }) => wallSeconds)
  const peak = (side: 0 | 1) => Math.round(Math.max(...pairs.map((pair) => pair[side].peakMiB)))
  return {
    case: name,
    peer,
    wallRatio: { min: round(wall[0]!), median: round(median(wall)), max: round(wall.at(-1)!) },
    cpuRatio: round(median(ratios(({ cpuSeconds }) => cpuSeconds))),
    peakMiB: peak(0),
    peerPeakMiB: peak(1),
    pairs: pairs.length,
  }
}

function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function round(ratio: number): number {
  return Number(ratio.toFixed(2))
}

const COLUMNS = ['case', 'against', 'wall min', 'median', 'max', 'CPU', 'MiB', 'their MiB', 'pairs'] as const

/** As a table for people. */
export function formatRows(rows: readonly Row[]): string {
  const lines = rows.map(({ case: name, peer, wallRatio: { min, median: middle, max }, ...row }) => [
    ...[name, peer, min.toFixed(2), middle.toFixed(2), max.toFixed(2)],
    ...[row.cpuRatio.toFixed(2), String(row.peakMiB), String(row.peerPeakMiB), String(row.pairs)],
  ])
  const table = [[...COLUMNS], ...lines]
  const widths = COLUMNS.map((_, column) => Math.max(...table.map((line) => line[column]!.length)))
  const pad = (cell: string, column: number) =>
    column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
  return table.map((line) => line.map(pad).join('  ').trimEnd()).join('\n')
}

/** Something that is measured once. */
export interface Figure {
  readonly what: string
  readonly value: number
  /** How much of it there should be at most. */
  readonly max?: number
  readonly unit: string
}

/** As a table for people. */
export function formatFigures(figures: readonly Figure[]): string {
  const width = Math.max(...figures.map(({ what }) => what.length))
  const number = (value: number) => String(Number(value.toFixed(2)))
  return figures
    .map(({ what, value, max, unit }) => {
      const wanted = max === undefined ? '' : ` (at most ${number(max)})`
      return `${what.padEnd(width)}  ${number(value)} ${unit}${wanted}`
    })
    .join('\n')
}
