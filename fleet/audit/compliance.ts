/** What Systems Manager is told of each node: whether its backups are as they should be. */
import { CALM_STATES, type ClassView, type FleetView, type HostState, type HostView } from '../model/records'
import { shortName } from '../model/wording'

export type Severity = 'CRITICAL' | 'HIGH' | 'MEDIUM' | 'UNSPECIFIED'

export interface ComplianceItem {
  /** Without blanks, at most 100 characters (API_ComplianceItemEntry). */
  readonly id: string
  readonly title: string
  readonly severity: Severity
  readonly status: 'COMPLIANT' | 'NON_COMPLIANT'
  readonly details: Readonly<Record<string, string>>
}

/** All items of a node: what it had before goes. */
export interface ComplianceRecord {
  /** `i-…` or `mi-…`. */
  readonly resourceId: string
  /** In seconds since 1970. */
  readonly at: number
  readonly items: readonly ComplianceItem[]
}

/** Where the auditor runs: of nodes elsewhere it can say nothing (API_PutComplianceItems). */
export interface Place {
  readonly account: string
  readonly region: string
}

const NODE = /^m?i-[0-9a-f]{8,40}$/
const TITLE_CHARACTERS_MAX = 500
const DETAIL_CHARACTERS_MAX = 1000

const SEVERITIES: Readonly<Record<HostState, Severity>> = {
  never: 'CRITICAL',
  failing: 'CRITICAL',
  stale: 'CRITICAL',
  unknown: 'HIGH',
  suspicious: 'HIGH',
  incomplete: 'MEDIUM',
  unverified: 'MEDIUM',
  stopped: 'UNSPECIFIED',
  gone: 'UNSPECIFIED',
  protected: 'UNSPECIFIED',
}

/** Of each node of Systems Manager in this place. */
export function planCompliance({ hosts, at }: FleetView, place: Place): ComplianceRecord[] {
  return hosts
    .filter((host) => isNodeHere(host, place))
    .map((host) => ({ resourceId: shortName(host.host), at, items: itemsOf(host) }))
}

/** Systems Manager takes some ten a second: of a fleet that is larger than this, a sixth each hour (design limit). */
const AT_ONCE_MAX = 300
const TURNS = 6

/**
 * What to say in this pass: of nodes that have changed, and of the others as far as there is time; of each within six hours.
 *
 * @param changed - hosts' names in Systems Manager
 */
export function chooseDue(records: readonly ComplianceRecord[], changed: ReadonlySet<string>): ComplianceRecord[] {
  if (records.length <= AT_ONCE_MAX) return [...records]
  return records.filter(({ resourceId, at }) => changed.has(resourceId) || turnOf(resourceId) === hourOf(at) % TURNS)
}

/** By the end of its id, which is as good as random. */
function turnOf(resourceId: string): number {
  return Number.parseInt(resourceId.slice(-4), 16) % TURNS
}

function hourOf(at: number): number {
  return Math.floor(at / 3600)
}

function isNodeHere({ host, managed, account, region }: HostView, place: Place): boolean {
  return managed !== undefined && account === place.account && region === place.region && NODE.test(shortName(host))
}

function itemsOf(host: HostView): ComplianceItem[] {
  if (host.classes.length > 0) return host.classes.map((each) => itemOf(each, host))
  return [itemOf({ class: 'backup', state: host.state, reason: host.reason, overdue: host.overdue }, host)]
}

type Judged = Pick<ClassView, 'class' | 'state' | 'reason' | 'overdue'> & Partial<ClassView>

function itemOf({ class: id, state, reason, overdue, ...more }: Judged, host: HostView): ComplianceItem {
  const isCompliant = !overdue && CALM_STATES.has(state)
  const details = {
    state,
    reason,
    ...(host.advice !== '' && { advice: host.advice }),
    ...(more.maxAgeHours !== undefined && { maxAgeHours: String(more.maxAgeHours) }),
    ...(more.lastGoodAt !== undefined && { lastGoodAt: new Date(more.lastGoodAt * 1000).toISOString() }),
    ...(more.lastGoodRun !== undefined && { lastGoodRun: more.lastGoodRun }),
  }
  return {
    id,
    title: cut(`${id}: ${state}: ${reason}`, TITLE_CHARACTERS_MAX),
    severity: isCompliant ? 'UNSPECIFIED' : overdue ? 'CRITICAL' : SEVERITIES[state],
    status: isCompliant ? 'COMPLIANT' : 'NON_COMPLIANT',
    details: Object.fromEntries(
      Object.entries(details).map(([key, value]) => [key, cut(value, DETAIL_CHARACTERS_MAX)]),
    ),
  }
}

/** Without half a character at the end, which is no text in JSON to everybody. */
function cut(text: string, charactersMax: number): string {
  return text.slice(0, charactersMax).toWellFormed()
}
