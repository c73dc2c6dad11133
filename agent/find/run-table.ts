import { DEPTHS, type RunKey } from '../contract'
import type { Told } from '../outcome'
import { isSizesOnly, type Manifest } from '../run/manifest'
import { parseRunTime } from '../run/run-id'
import type { FoundRun } from '../run/run-time'
import type { listOutput } from './output-schema'
import { describeSamples } from '../verify/sample'
import { formatBytes, columns, joinLines, formatAge } from '../lib/text'
import type { Verified, Verdicts } from '../run/verdict'

/** What `list` tells of a run. */
export type ListedRun = Told<typeof listOutput>['runs'][number]

export function listedRun(
  runKey: FoundRun,
  manifest: Manifest,
  verdicts: Verdicts,
  bases: ListedRun['bases'] = [],
): ListedRun {
  const sum = (field: 'rawBytes' | 'storedBytes') =>
    manifest.volumes.reduce((bytes, { archive }) => bytes + archive[field], 0)
  return {
    ...runKey,
    startedAt: startOf(runKey),
    status: manifest.status,
    level: manifest.volumes.some(({ level }) => level === 'differential') ? 'differential' : 'full',
    bases: [...bases],
    mountPoints: manifest.volumes.map(({ mountPoint }) => mountPoint),
    rawBytes: sum('rawBytes'),
    storedBytes: sum('storedBytes'),
    verified: judge(manifest, verdicts),
    sampled: manifest.volumes.flatMap(({ volume, sampled }) => (sampled ? [{ volume, ...sampled }] : [])),
  }
}

/** A run whose manifest cannot be read is listed all the same: its archives may well be good. */
export function unreadableRun(runKey: FoundRun, problem: string): ListedRun {
  return {
    ...runKey,
    startedAt: startOf(runKey),
    status: 'unreadable',
    problem,
    bases: [],
    mountPoints: [],
    rawBytes: 0,
    storedBytes: 0,
    verified: { depth: 'none', ok: true },
    sampled: [],
  }
}

/** As its name says, which S3's clock has confirmed or not: not what else the manifest may say. */
function startOf({ run }: RunKey): string {
  return parseRunTime(run)?.toISOString() ?? ''
}

/** A host's word can raise what was verified, and never lower it; an operator's stands above it. */
function judge(manifest: Manifest, { operator, host }: Verdicts): Verified {
  const atBackup: Verified = { depth: manifest.verified, ok: true, ...(isSizesOnly(manifest) && { sizesOnly: true }) }
  const hostPassed: Verified = host?.ok && isDeeper(host, atBackup) ? { ...host, by: 'host' } : atBackup
  if (host && !host.ok && !(operator && operator.at >= host.at)) {
    return { ...(operator ? { ...operator, by: 'operator' } : atBackup), hostSays: host }
  }
  if (!operator) return hostPassed
  const beyond = operator.ok && isDeeper(hostPassed, operator)
  return { ...operator, by: 'operator', ...(beyond && { hostSays: wordOf(hostPassed) }) }
}

function wordOf({ depth, ok, at, sizesOnly }: Verified): NonNullable<Verified['hostSays']> {
  return { depth, ok, ...(at !== undefined && { at }), ...(sizesOnly && { sizesOnly }) }
}

function isDeeper(a: Verified, b: Verified): boolean {
  return rankOf(a) > rankOf(b)
}

/** Sizes alone are more than nothing, and less than checksums. */
function rankOf({ depth, sizesOnly }: Verified): number {
  return sizesOnly ? 0.5 : DEPTHS.indexOf(depth)
}

/**
 * @param runs - newest first
 * @param total - how many there are in all
 * @param width - characters of the terminal; none where there is no terminal
 */
export function formatRunList(
  host: string,
  runs: readonly ListedRun[],
  total: number,
  now: Date,
  width = Infinity,
): string {
  if (runs.length === 0) {
    return `No runs of ${host}.\n  Check --host and --class. A run counts once its manifest is written, at its very end.`
  }
  const shown = runs.length < total ? `, the newest ${runs.length}; --limit shows more` : ''
  return joinLines([
    `${total} ${total === 1 ? 'run' : 'runs'} of ${host}${shown}`,
    ...fitColumns(
      runs.map((run) => runRow(run, now)),
      width,
    ),
    ...runs.flatMap(({ run, misdating, problem, bases }) => {
      const lost = bases.flatMap((base) => (base.problem === undefined ? [] : `its base ${base.run} ${base.problem}`))
      return [misdating?.what, problem, ...lost].flatMap((what) => (what === undefined ? [] : [`  ${run}: ${what}`]))
    }),
  ])
}

type Column = 'RUN' | 'AGE' | 'CLASS' | 'STATUS' | 'BASE' | 'RAW' | 'STORED' | 'VERIFIED' | 'VOLUMES'
type Row = Readonly<Record<Column, string>>

const COLUMNS: readonly Column[] = ['RUN', 'AGE', 'CLASS', 'STATUS', 'BASE', 'RAW', 'STORED', 'VERIFIED', 'VOLUMES']
/** What a narrow terminal goes without, the first of these first. */
const DISPENSABLE: readonly Column[] = ['VOLUMES', 'RAW', 'CLASS', 'BASE', 'STORED']

/** Drops columns until the rest fits; where even that is too wide, the ends of lines. */
function fitColumns(rows: readonly Row[], width: number): string[] {
  // Where all runs are full, nothing is said of bases.
  const used = COLUMNS.filter((column) => column !== 'BASE' || rows.some(({ BASE }) => BASE !== ''))
  const dispensable = DISPENSABLE.filter((column) => used.includes(column))
  const table = (hidden: readonly Column[]): string[] => {
    const kept = used.filter((column) => !hidden.includes(column))
    return columns([kept, ...rows.map((row) => kept.map((column) => row[column]))])
  }
  const hidden =
    [[], ...dispensable.map((_, index) => dispensable.slice(0, index + 1))].find((columns) =>
      table(columns).every((line) => line.length <= width),
    ) ?? dispensable
  return [
    ...table(hidden).map((line) => (line.length <= width ? line : `${line.slice(0, width - 1)}…`)),
    ...(hidden.length === 0 ? [] : [`  A wider terminal or --json also shows ${hidden.join(', ')}.`]),
  ]
}

function runRow(run: ListedRun, now: Date): Row {
  const isReadable = run.status !== 'unreadable'
  const states = (['gone', 'damaged', 'unknown'] as const).filter((bad) => run.bases.some(({ state }) => state === bad))
  const lost = states.map((state) => `BASE ${state.toUpperCase()}`)
  const marks = [...lost, ...(run.deleted ? ['deleted'] : []), ...(run.misdating ? ['MISDATED'] : [])]
  const samples = run.verified.ok ? describeSamples(run.sampled) : ''
  return {
    RUN: run.run,
    AGE: formatAge(run.startedAt, now),
    CLASS: run.class,
    STATUS: [run.status, ...marks].join(', '),
    BASE: run.bases.map((base) => base.run).join(' '),
    RAW: isReadable ? formatBytes(run.rawBytes) : '',
    STORED: isReadable ? formatBytes(run.storedBytes) : '',
    VERIFIED: isReadable ? [formatVerified(run.verified, now), samples].filter(Boolean).join(', ') : '',
    VOLUMES: run.mountPoints.join(' '),
  }
}

function formatVerified({ by, hostSays, ...verified }: Verified, now: Date): string {
  const own = `${formatCheck(verified, now)}${by === 'host' ? ' by host' : ''}`
  return hostSays ? `${own}, host says ${formatCheck(hostSays, now)}` : own
}

function formatCheck({ depth, ok, at, sizesOnly }: Verified, now: Date): string {
  if (depth === 'none' && !sizesOnly) return 'no'
  const when = at === undefined ? '' : ` ${formatAge(at, now)} ago`
  const what = sizesOnly ? 'sizes only' : depth
  return ok ? `${what}${when}` : `FAILED ${what}${when}`
}
