/** What becomes of a host's classes together, and of what EC2 and Systems Manager know of it. */
import { formatBytes } from '../../agent/lib/text'
import type { FleetConfig } from './config'
import {
  CALM_STATES,
  HOST_STATES,
  type ClassView,
  type ExpectedHost,
  type HostHistory,
  type HostMemory,
  type HostState,
  type HostView,
  type Inventory,
} from './records'
import { ageOf, placeOfHost, shortName } from './wording'

export interface HostCase {
  readonly expected: ExpectedHost
  readonly history: HostHistory | undefined
  readonly memory: HostMemory | undefined
  /** Those that count. */
  readonly classes: readonly ClassView[]
  readonly inventory: Inventory
  readonly config: FleetConfig
  readonly now: number
}

/** States that only a running host can leave; a backup that is damaged or odd is trouble wherever the host is. */
const OF_RUNNING_HOSTS: ReadonlySet<HostState> = new Set(['never', 'failing', 'stale', 'incomplete', 'unverified'])

export function judgeHost(given: HostCase): HostView {
  const { expected, history, memory, classes, now } = given
  const worst = findWorst(classes)
  const storedBytes = classes.reduce((sum, each) => sum + each.storedBytes, 0)
  const found = findRest(given, worst, storedBytes)
  const state = found?.state ?? worst?.state ?? 'never'
  const several = classes.length > 1 && worst ? `${worst.class}: ` : ''
  const clues = CALM_STATES.has(state) ? '' : describeClues(given)
  const place = placeOfHost(expected.host)
  const leftOut = (history?.classes ?? []).flatMap(({ newest }) => [
    ...(newest?.failures ?? []).map(({ mountPoint, message }) => ({ mountPoint, reason: message })),
    ...(newest?.notBackedUp ?? []).map(({ mountPoint, reason }) => ({ mountPoint, reason })),
  ])
  const name = expected.name ?? history?.classes.find(({ newest }) => newest)?.newest?.hostname
  return {
    host: expected.host,
    ...(name !== undefined && name !== '' && { name }),
    ...((expected.account ?? place?.account) ? { account: expected.account ?? place?.account ?? '' } : {}),
    ...((expected.region ?? place?.region) ? { region: expected.region ?? place?.region ?? '' } : {}),
    ...(expected.power && { power: expected.power }),
    ...(expected.managed && { managed: expected.managed }),
    expectedBy: expected.expectedBy,
    state,
    stateSince: memory?.state === state ? memory.stateSince : now,
    reason: found?.reason ?? `${several}${worst?.reason ?? 'has no backup'}${clues}`,
    advice: adviseOn(state, worst, given),
    overdue: !CALM_STATES.has(state) && classes.some((each) => each.overdue),
    classes,
    storedBytes,
    ...(history?.drill && { drill: history.drill }),
    leftOut: leftOut.filter(
      ({ mountPoint }, index) => leftOut.findIndex((other) => other.mountPoint === mountPoint) === index,
    ),
  }
}

/** A class that has not had the time for its first backup yet does not count where another one is well. */
function findWorst(classes: readonly ClassView[]): ClassView | undefined {
  const isWell = classes.some(({ state }) => state === 'protected')
  const counted = classes.filter(({ state, overdue }) => !(isWell && state === 'never' && !overdue))
  return counted.toSorted((a, b) => HOST_STATES.indexOf(a.state) - HOST_STATES.indexOf(b.state))[0]
}

/** Where no new backup can be expected, though there is a good one. */
function findRest(
  given: HostCase,
  worst: ClassView | undefined,
  storedBytes: number,
): { readonly state: HostState; readonly reason: string } | undefined {
  const { classes, expected, memory, now } = given
  if (!worst || !OF_RUNNING_HOSTS.has(worst.state) || classes.some(({ damaged }) => damaged)) return undefined
  const lastGoodAt = Math.max(...classes.map((each) => each.lastGoodAt ?? 0))
  const kept = `its last verified backup is ${ageOf(lastGoodAt, now)} old and is kept (${formatBytes(storedBytes)})`
  if (isGone(given)) {
    const since = memory?.goneSince === undefined ? '' : ` since ${ageOf(memory.goneSince, now)}`
    if (lastGoodAt === 0) return { state: 'gone', reason: `is terminated${since}, and never had a good backup` }
    return { state: 'gone', reason: `is terminated${since}; ${kept}${describeForgetting(given)}` }
  }
  if (expected.power === 'stopped' && lastGoodAt > 0) return { state: 'stopped', reason: `is stopped; ${kept}` }
  return undefined
}

function describeForgetting({ config, memory, now }: HostCase): string {
  if (config.forgetAfterDays === undefined) return ''
  const until = (memory?.goneSince ?? now) + config.forgetAfterDays * 86400
  return `, until ${new Date(until * 1000).toISOString().slice(0, 10)}`
}

/** EC2 forgets a terminated instance within the hour: one that a readable account does not have is terminated. */
export function isGone({ expected, inventory }: Pick<HostCase, 'expected' | 'inventory'>): boolean {
  if (expected.power === 'terminated') return true
  if (expected.power !== undefined || expected.expectedBy.includes('list')) return false
  const place = placeOfHost(expected.host)
  return inventory.accounts.some(
    ({ account, region, problem }) => problem === undefined && account === place?.account && region === place.region,
  )
}

/** What else is known that explains why there is no backup. */
function describeClues(given: HostCase): string {
  const { expected, config, now } = given
  const clues: string[] = []
  if (expected.power === 'stopped') clues.push('it is stopped')
  if (expected.power === 'running') {
    const { managed } = expected
    if (!managed) clues.push('Systems Manager does not know it')
    else if (managed.ping !== 'online') {
      const since = managed.lastPingAt === undefined ? '' : ` for ${ageOf(managed.lastPingAt, now)}`
      clues.push(`its SSM agent has been silent${since}`)
    }
    const isScheduled = expected.classes.length > 0
    if (!isScheduled && config.schedules.length > 0) clues.push('it bears no tag of a schedule any more')
  }
  return clues.map((clue) => `; ${clue}`).join('')
}

function adviseOn(state: HostState, worst: ClassView | undefined, { expected, config, history }: HostCase): string {
  const name = shortName(expected.host)
  const isNode = placeOfHost(expected.host) !== undefined
  if (CALM_STATES.has(state)) return ''
  if (state === 'suspicious') {
    return `Compare it with an earlier run before anything expires: snapstream-fleet host ${name}, then diff of two runs.`
  }
  if (state === 'unknown') {
    const isUnread = history?.classes.some(({ runs }) => runs[0]?.unread)
    if (isUnread) return "Let these credentials read the manifest and use the bucket's key: then it is judged again."
    return 'Use the version of Snapstream that made the run, or a later one.'
  }
  if (worst?.damaged) return `Back it up again, and see what is lost: snapstream-fleet host ${name}`
  if (state === 'unverified') {
    const run = history?.classes.find((each) => each.class === worst?.class)?.runs[0]?.run ?? 'RUN'
    const where = `--class ${worst?.class ?? 'CLASS'} --run ${run}`
    return isNode
      ? `Verify it: snapstream-fleet verify --hosts ${name} ${where}`
      : `Verify it: snapstream verify --host ${name} ${where}`
  }
  if (expected.power === 'stopped')
    return 'Start it, and back it up. If nobody needs what is on it, take the tag of the schedule off it.'
  if (expected.power === 'running' && !expected.managed) {
    return 'Install the SSM agent, give it an instance profile and a way to Systems Manager; then Snapstream installs itself.'
  }
  if (expected.managed && expected.managed.ping !== 'online') {
    return 'See whether it is up, and has a way to Systems Manager: then the agent reports by itself.'
  }
  if (expected.power === 'running' && expected.classes.length === 0 && config.schedules.length > 0) {
    return `Tag it again, or say that nobody needs its backups: snapstream-fleet forget ${name}`
  }
  if (!isNode) return 'See there why, and back it up: snapstream backup'
  const why = `see why: snapstream-fleet host ${name}`
  return state === 'never' ? `Back it up: snapstream-fleet run --hosts ${name} --wait` : `Back it up again, and ${why}`
}
