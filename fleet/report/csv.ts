/** The fleet as a table for spreadsheets: a row for each host and class (RFC 4180). */
import { printableLine } from '../../agent/lib/printable'
import type { ClassView, FleetView, HostView } from '../model/records'

type Cell = string | number | boolean | undefined

const COLUMNS: Readonly<Record<string, (host: HostView, of: ClassView | undefined) => Cell>> = {
  host: ({ host }) => host,
  name: ({ name }) => name,
  account: ({ account }) => account,
  region: ({ region }) => region,
  power: ({ power }) => power,
  hostState: ({ state }) => state,
  hostStateSince: ({ stateSince }) => formatTime(stateSince),
  class: (_, of) => of?.class,
  state: ({ state }, of) => of?.state ?? state,
  reason: ({ reason }, of) => of?.reason ?? reason,
  advice: ({ advice }) => advice,
  overdue: ({ overdue }, of) => of?.overdue ?? overdue,
  maxAgeHours: (_, of) => of?.maxAgeHours,
  lastRunAt: (_, of) => formatTime(of?.lastRunAt),
  lastGoodAt: (_, of) => formatTime(of?.lastGoodAt),
  lastGoodRun: (_, of) => of?.lastGoodRun,
  failuresInARow: (_, of) => of?.failuresInARow,
  runs: (_, of) => of?.runs,
  storedBytes: ({ storedBytes }, of) => of?.storedBytes ?? storedBytes,
  leftOut: ({ leftOut }) => leftOut.map(({ mountPoint }) => mountPoint).join(' '),
  lastDrillAt: ({ drill }) => formatTime(drill?.at),
  lastDrillOk: ({ drill }) => drill?.ok,
  lastDrillSeconds: ({ drill }) => drill?.restoreSeconds,
}

/** A host without any class has one row. Times are ISO 8601. */
export function formatCsv({ hosts }: FleetView): string {
  const rows = hosts.flatMap((host) =>
    (host.classes.length === 0 ? [undefined] : host.classes).map((of) =>
      Object.values(COLUMNS).map((cellOf) => formatCell(cellOf(host, of))),
    ),
  )
  return [Object.keys(COLUMNS), ...rows].map((row) => `${row.join(',')}\r\n`).join('')
}

/** What a spreadsheet would calculate; also the wide forms of these characters, which some take for them. */
const FORMULA = /^[\s'"]*[=+\-@|%＝＋－＠]/u

/** Text that begins as a formula does is led by an apostrophe: a spreadsheet shows it, and calculates nothing. */
function formatCell(value: Cell): string {
  if (value === undefined) return ''
  if (typeof value !== 'string') return String(value)
  const line = printableLine(value)
  const harmless = FORMULA.test(line) ? `'${line}` : line
  return /[",\r\n;]|^\s|\s$/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

function formatTime(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
