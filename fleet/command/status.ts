/** The fleet on a terminal: what is wrong first, and what to do about it. */
import { counted, formatBytes, joinLines } from '../../agent/lib/text'
import { CALM_STATES, HOST_STATES, type FleetView, type HostState, type HostView } from '../model/records'
import { ageOf, shortName } from '../model/wording'
import { cut, wrap } from './layout'
import type { Told } from '../../agent/outcome'
import type { statusOutput } from './output-schema'

/** The auditor looks each hour: after this it is silent, and not just late (design limit). */
export const AUDITOR_SILENT_SECONDS = 3 * 3600
/** Narrower than this, nothing can be read; wider than this, no eye finds the end of a row (design limits). */
const COLUMNS_MIN = 60
const COLUMNS_MAX = 120
const STATE_COLUMNS = Math.max(...HOST_STATES.map((state) => state.length))
/** `LAST GOOD`, `FOR`, `STORED`, and two spaces before each. */
const NUMBER_COLUMNS = [9, 6, 9] as const
const REST_COLUMNS = NUMBER_COLUMNS.reduce((sum, columns) => sum + columns + 2, 0)

export type StatusOutput = Told<typeof statusOutput>

/** What is known of the auditor. */
export interface AuditorSign {
  /** When it last wrote what it knows, in seconds; absent where it never did. */
  readonly lastPassAt?: number
  readonly silent: boolean
}

export interface StatusOptions {
  readonly bucket: string
  /** Hosts in these states alone; in all of them where there is none. */
  readonly only: readonly HostState[]
  /** So many hosts are shown. */
  readonly limit: number
  readonly columns: number
}

/** True where nobody needs to do anything, and all is known. */
export function isCalm({ hosts, accounts }: FleetView, { silent }: AuditorSign): boolean {
  const allRead = accounts.every(({ problem }) => problem === undefined)
  return hosts.length > 0 && allRead && !silent && hosts.every(({ state }) => CALM_STATES.has(state))
}

export function formatStatus(view: FleetView, auditor: AuditorSign, options: StatusOptions): string {
  const columns = Math.min(COLUMNS_MAX, Math.max(COLUMNS_MIN, options.columns))
  const chosen = view.hosts.filter(({ state }) => options.only.length === 0 || options.only.includes(state))
  const shown = chosen.slice(0, options.limit)
  const more = chosen.length - shown.length
  return joinLines([
    ...wrap(headline(view, options.bucket), columns, ''),
    ...describeCounts(view, columns),
    ...describeProblems(view, auditor, columns),
    ...(shown.length > 0 ? ['', tableRow(['STATE', 'HOST', 'LAST GOOD', 'FOR', 'STORED'], columns)] : []),
    ...shown.flatMap((host) => describeHost(host, view.at, columns)),
    ...(chosen.length === 0 && view.hosts.length > 0 ? [`No host is ${options.only.join(' or ')}.`] : []),
    ...(more > 0 ? [`… and ${counted(more, 'more host')}: --limit shows more, --only some`] : []),
  ])
}

function headline({ hosts, overdue }: FleetView, bucket: string): string {
  if (hosts.length === 0) {
    return `No host has a backup in ${bucket}, and none is known that ought to have one. Is this the right bucket?`
  }
  const troubled = hosts.filter(({ state }) => !CALM_STATES.has(state)).length
  const late = overdue === 0 ? '' : `, ${overdue} without a backup as young as it has to be`
  if (troubled > 0) {
    return `${troubled} of ${counted(hosts.length, 'host')} ${troubled === 1 ? 'needs' : 'need'} attention${late}.`
  }
  const calm = hosts.filter(({ state }) => state === 'protected').length
  return calm === hosts.length
    ? `${hosts.length === 1 ? 'The one host is' : `All ${hosts.length} hosts are`} protected.`
    : `${calm} of ${counted(hosts.length, 'host')} ${calm === 1 ? 'is' : 'are'} protected; the others are stopped or gone, and their last backups are kept.`
}

function describeCounts({ hosts, counts, oldestProtectedHours }: FleetView, columns: number): string[] {
  if (hosts.length === 0) return []
  const parts = HOST_STATES.filter((state) => counts[state] > 0).map((state) => `${state} ${counts[state]}`)
  const stored = hosts.reduce((sum, { storedBytes }) => sum + storedBytes, 0)
  const oldest =
    oldestProtectedHours === undefined
      ? ''
      : `; backups of protected hosts are at most ${ageOf(0, oldestProtectedHours * 3600)} old`
  return wrap(`${parts.join(', ')}; ${formatBytes(stored)} stored${oldest}`, columns, '  ')
}

/** What keeps one from knowing. */
function describeProblems({ accounts, at }: FleetView, { lastPassAt, silent }: AuditorSign, columns: number): string[] {
  const unread = accounts.flatMap(({ account, region, problem }) =>
    problem === undefined
      ? []
      : [`account ${account} in ${region} cannot be read, so its hosts are not known: ${problem}`],
  )
  const silence = !silent
    ? []
    : lastPassAt === undefined
      ? [
          'the auditor has never looked at this bucket: nobody raises an alarm, and nothing expires. Deploy it, or see why it fails.',
        ]
      : [
          `the auditor is silent: its last look was ${ageOf(lastPassAt, at)} ago, and ought to be hourly. Until it looks again, nobody raises an alarm, and nothing expires: see "The auditor is silent" in "snapstream-fleet help runbook".`,
        ]
  return [...unread, ...silence].flatMap((problem) => wrap(problem, columns, '! '))
}

function describeHost(host: HostView, at: number, columns: number): string[] {
  const lastGoodAt = Math.max(...host.classes.map((each) => each.lastGoodAt ?? 0))
  const row = tableRow(
    [
      host.state,
      nameOf(host, columns - STATE_COLUMNS - REST_COLUMNS - 2),
      lastGoodAt > 0 ? ageOf(lastGoodAt, at) : 'none',
      host.stateSince >= at ? 'new' : ageOf(host.stateSince, at),
      formatBytes(host.storedBytes),
    ],
    columns,
  )
  if (host.state === 'protected') return [row]
  return [
    row,
    ...wrap(host.reason, columns, '    '),
    ...(host.advice === '' ? [] : wrap(host.advice, columns, '    > ')),
  ]
}

/** Its name, and what tells it from others of that name: of the two, the name may be cut. */
function nameOf({ host, name }: HostView, columns: number): string {
  const id = shortName(host)
  if (name === undefined || name === id) return cut(id, columns)
  const room = columns - id.length - 1
  return room < 4 ? cut(id, columns) : `${cut(name, room)} ${id}`
}

function tableRow(cells: readonly [string, string, string, string, string], columns: number): string {
  const [state, host, ...numbers] = cells
  const right = numbers.map((cell, index) => cell.padStart(NUMBER_COLUMNS[index] ?? 0)).join('  ')
  const left = host.padEnd(columns - STATE_COLUMNS - REST_COLUMNS - 2)
  return `${state.padEnd(STATE_COLUMNS)}  ${left}  ${right}`.trimEnd()
}
