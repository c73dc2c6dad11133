/** What is known of a fleet as the page takes it along: flat tables, and nothing that the page does not show. */
import { printableLine } from '../../agent/lib/printable'
import type { FleetConfig } from '../model/config'
import type { ClassHistory, FleetView, HostHistory, HostView, RunDetail } from '../model/records'
import { packTable } from './columnar'
import type { ClassRow, DrillRow, FailureRow, HostRow, LeftOutRow, PageData, ReportCost, VolumeRow } from './page-data'
import { packRuns } from './packed-runs'

export interface ReportInput {
  readonly view: FleetView
  /** By host. */
  readonly histories: ReadonlyMap<string, HostHistory>
  readonly config: FleetConfig
  /** Absent where no prices are known. */
  readonly cost: ReportCost | undefined
  /** When the page is made, by S3's clock: in seconds. */
  readonly at: number
}

/** Five weeks: what the calendar shows, and as many of the newest runs besides for classes that run more rarely (design limit). */
export const DAYS = 35
const RUNS_AT_LEAST = 12
/** Six runs a day (design limit). */
const RUNS_MAX = 210
/** So much of anything that a host says is shown (design limit): the program's `host` has all of it. */
const TEXT_CHARACTERS_MAX = 400
const NAME_CHARACTERS_MAX = 160
/** Of each kind and host (design limit). */
const ROWS_PER_HOST_MAX = 50

export function collectPageData({ view, histories, config, cost, at }: ReportInput): PageData {
  const hosts = view.hosts
  const perHost = <Row>(rowsOf: (host: HostView, place: number) => readonly Row[]): Row[] =>
    hosts.flatMap((host, place) => rowsOf(host, place).slice(0, ROWS_PER_HOST_MAX))
  const details = (host: HostView): readonly (readonly [string, RunDetail])[] =>
    (histories.get(host.host)?.classes ?? []).flatMap(({ class: name, newest }) =>
      newest === undefined ? [] : [[name, newest] as const],
    )
  return {
    at,
    days: DAYS,
    counts: view.counts,
    overdue: view.overdue,
    ...(view.oldestProtectedHours !== undefined && { oldestProtectedHours: view.oldestProtectedHours }),
    accounts: view.accounts.map(({ account, region, problem }) => ({
      account: name(account),
      region: name(region),
      ...(problem !== undefined && { problem: text(problem) }),
    })),
    policies: config.classes.map(({ name, maxAgeHours, keepAtLeast, expireAfterDays, storageClass }) => ({
      ...{ name, maxAgeHours, keepAtLeast, expireAfterDays, storageClass },
    })),
    ...(cost && { cost: costOf(cost) }),
    hosts: packTable(hosts.map((host) => hostRow(host, cost))),
    classes: packTable(perHost((host, place) => classRows(host, place, histories.get(host.host)?.classes ?? [], at))),
    leftOut: packTable(perHost(leftOutRows)),
    failures: packTable(perHost((host, place) => details(host).flatMap((of) => failureRows(place, ...of)))),
    volumes: packTable(perHost((host, place) => details(host).flatMap((of) => volumeRows(place, ...of)))),
    drills: packTable(perHost(drillRows)),
  }
}

function hostRow(host: HostView, cost: ReportCost | undefined): HostRow {
  const [prefix, id] = splitName(name(host.host))
  return {
    prefix,
    id,
    name: name(host.name ?? ''),
    account: name(host.account ?? ''),
    region: name(host.region ?? ''),
    power: host.power ?? '',
    ping: host.managed?.ping ?? '',
    expectedBy: host.expectedBy.join(' '),
    state: host.state,
    since: host.stateSince,
    reason: text(host.reason),
    advice: text(host.advice),
    overdue: host.overdue,
    storedBytes: host.storedBytes,
    perMonth: cost?.hosts.get(host.host) ?? null,
  }
}

function classRows(host: HostView, place: number, histories: readonly ClassHistory[], at: number): ClassRow[] {
  return host.classes.map((of) => ({
    host: place,
    class: name(of.class),
    state: of.state,
    reason: text(of.reason),
    maxAgeHours: of.maxAgeHours,
    overdue: of.overdue,
    count: of.runs,
    lastRunAt: of.lastRunAt ?? null,
    lastGoodAt: of.lastGoodAt ?? null,
    lastGoodRun: name(of.lastGoodRun ?? ''),
    failuresInARow: of.failuresInARow,
    storedBytes: of.storedBytes,
    suspicions: of.suspicions.slice(0, ROWS_PER_HOST_MAX).map(text).join('\n'),
    runs: shownRuns(
      histories.find((history) => history.class === of.class),
      at,
    ),
  }))
}

function shownRuns(history: ClassHistory | undefined, at: number): string {
  const since = at - DAYS * 86_400
  const runs = history?.runs ?? []
  const recent = runs.filter(({ writtenAt }, index) => index < RUNS_AT_LEAST || writtenAt >= since)
  return packRuns(recent.slice(0, RUNS_MAX), at)
}

function leftOutRows({ leftOut }: HostView, host: number): LeftOutRow[] {
  return leftOut.map(({ mountPoint, reason }) => ({ host, mountPoint: name(mountPoint), reason: text(reason) }))
}

function failureRows(host: number, className: string, { failures }: RunDetail): FailureRow[] {
  return failures.map(({ mountPoint, code, message, hint }) => ({
    ...{ host, class: className, mountPoint: name(mountPoint), code: name(code) },
    ...{ message: text(message), hint: text(hint) },
  }))
}

function volumeRows(host: number, className: string, { volumes }: RunDetail): VolumeRow[] {
  return volumes.map(({ mountPoint, filesystem, source, rawBytes, storedBytes, warnings }) => ({
    ...{ host, class: className, mountPoint: name(mountPoint), filesystem: name(filesystem), source: name(source) },
    ...{ rawBytes, storedBytes, warnings },
  }))
}

function drillRows({ drill }: HostView, host: number): DrillRow[] {
  if (drill === undefined) return []
  const { at, ok, restoreSeconds, restoredBytes, entries } = drill
  return [
    {
      ...{ host, class: name(drill.class), run: name(drill.run), at, ok, restoreSeconds, restoredBytes, entries },
      problem: text(drill.problem),
      share: text(drill.share ?? ''),
    },
  ]
}

function costOf({ currency, perMonth, classes, notes, gone, whatIf = [] }: ReportCost): NonNullable<PageData['cost']> {
  return {
    currency: name(currency),
    perMonth,
    classes: classes.map(({ storedBytes, perMonth, ...row }) => ({
      ...{ class: name(row.class), storageClass: name(row.storageClass), storedBytes, perMonth, note: text(row.note) },
    })),
    notes: notes.map(text),
    ...(gone && { gone: { hosts: gone.hosts, perMonth: gone.perMonth } }),
    whatIf: whatIf.map(({ storageClass, note, ...row }) => ({
      ...{ class: name(row.class), perMonth: row.perMonth, readBack: row.readBack, note: text(note) },
      ...(storageClass !== undefined && { storageClass: name(storageClass) }),
    })),
  }
}

/** ARNs of one account and region begin alike. */
function splitName(host: string): [string, string] {
  const end = host.lastIndexOf('/') + 1
  return [host.slice(0, end), host.slice(end)]
}

function text(given: string): string {
  return cut(given, TEXT_CHARACTERS_MAX)
}

function name(given: string): string {
  return cut(given, NAME_CHARACTERS_MAX)
}

/** A cut may fall within a character of two halves, so it is made before the rest becomes printable. */
function cut(given: string, charactersMax: number): string {
  return given.length <= charactersMax
    ? printableLine(given)
    : `${printableLine(given.slice(0, charactersMax - 1)).replace(/\?$/, '')}…`
}
