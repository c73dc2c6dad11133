/** Every host that ought to have backups, joined with what the bucket proves: never the other way round. */
import { judgeClass } from './judge-class'
import type { FleetConfig } from './config'
import { judgeHost } from './judge-host'
import {
  HOST_STATES,
  type ClassView,
  type ExpectedHost,
  type Explanation,
  type FleetView,
  type HostHistory,
  type HostMemory,
  type HostState,
  type HostView,
  type Inventory,
} from './records'

export interface FleetCase {
  readonly config: FleetConfig
  readonly inventory: Inventory
  readonly histories: ReadonlyMap<string, HostHistory>
  readonly memories: ReadonlyMap<string, HostMemory>
  readonly explanations: readonly Explanation[]
  /** S3's clock, in seconds. */
  readonly now: number
}

export function judgeFleet(given: FleetCase): FleetView {
  const expected = new Map(given.inventory.hosts.map((host) => [host.host, host]))
  const explanations = Map.groupBy(given.explanations, ({ host }) => host)
  const names = new Set([...expected.keys(), ...given.histories.keys()])
  const hosts = [...names]
    .filter((name) => !isForgotten(name, expected.get(name), given))
    .map((name) => {
      const host = expected.get(name) ?? { host: name, expectedBy: [], classes: [] }
      return judge(host, explanations.get(name) ?? [], given)
    })
    .sort(byTrouble)
  const protectedAges = hosts
    .filter(({ state }) => state === 'protected')
    .map(({ classes }) => Math.max(...classes.flatMap(({ lastGoodAt }) => lastGoodAt ?? [])))
  const oldest = protectedAges.reduce((a, b) => Math.min(a, b), Infinity)
  return {
    at: given.now,
    hosts,
    counts: countStates(hosts),
    overdue: hosts.filter(({ overdue }) => overdue).length,
    accounts: given.inventory.accounts,
    ...(Number.isFinite(oldest) && { oldestProtectedHours: (given.now - oldest) / 3600 }),
  }
}

/** Until it is heard of again: by an inventory, or by a run that was written since. */
function isForgotten(name: string, expected: ExpectedHost | undefined, { histories, memories }: FleetCase): boolean {
  const forgottenAt = memories.get(name)?.forgottenAt
  if (forgottenAt === undefined) return false
  if (expected?.expectedBy.some((by) => by === 'tag' || by === 'list')) return false
  const classes = histories.get(name)?.classes ?? []
  return !classes.some(({ runs }) => runs.some(({ writtenAt }) => writtenAt > forgottenAt))
}

function judge(given: ExpectedHost, explanations: readonly Explanation[], fleet: FleetCase): HostView {
  const { config, now } = fleet
  const history = fleet.histories.get(given.host)
  const memory = fleet.memories.get(given.host)
  const expected: ExpectedHost = history ? { ...given, expectedBy: withManifest(given.expectedBy) } : given
  const scheduled = new Set(config.schedules.map((schedule) => schedule.class))
  const found = history?.classes.map((each) => each.class) ?? []
  const names = [...new Set([...expected.classes, ...found])]
  const counts = (name: string) =>
    expected.classes.includes(name) || scheduled.has(name) || expected.classes.length === 0
  const judged = names.filter(counts).map((name): ClassView => {
    return judgeClass({
      class: name,
      history: history?.classes.find((each) => each.class === name),
      policy: config.classes.find((policy) => policy.name === name),
      expectedSince: memory?.expectedSince[name] ?? now,
      explanations: explanations.filter((each) => each.class === undefined || each.class === name),
      failingAfter: config.failingAfter,
      now,
    })
  })
  return judgeHost({ expected, history, memory, classes: judged, inventory: fleet.inventory, config, now })
}

function withManifest(by: ExpectedHost['expectedBy']): ExpectedHost['expectedBy'] {
  return by.includes('manifest') ? by : [...by, 'manifest']
}

function byTrouble(a: HostView, b: HostView): number {
  const byState = HOST_STATES.indexOf(a.state) - HOST_STATES.indexOf(b.state)
  if (byState !== 0) return byState
  return a.stateSince - b.stateSince || (a.host < b.host ? -1 : 1)
}

function countStates(hosts: readonly HostView[]): Record<HostState, number> {
  const counts = Object.fromEntries(HOST_STATES.map((state) => [state, 0])) as Record<HostState, number>
  for (const { state } of hosts) counts[state] += 1
  return counts
}
