/** All that is known of a fleet at this moment: what the last pass left, what is new in the bucket, who ought to be there. */
import type { FleetState } from './evidence/state'
import { readForgotten, withForgotten } from './evidence/forgotten.io'
import { readEvidence } from './evidence/pass.io'
import { readState } from './evidence/state-file.io'
import type { OpenAccount } from './inventory/account'
import { readExplanations } from './inventory/explanations.io'
import { readInventory } from './inventory/inventory.io'
import { joinInventory, withRemembered } from './inventory/join'
import { DAILY_MAX_AGE_HOURS, fleetConfigSchema, type FleetConfig } from './model/config'
import { judgeFleet } from './model/judge'
import type { Explanation, FleetView, HostHistory, HostMemory, Inventory } from './model/records'
import type { FleetDeps } from './vault'

export interface ObserveDeps extends FleetDeps {
  readonly openAccount: OpenAccount
}

export interface ObserveOptions {
  /** As the deployment has it; left out, as the auditor left it in the state. */
  readonly config?: FleetConfig
  /**
   * `ask`: the accounts are asked; `remember`: what the last pass knew of them is taken, and said to be old where it is. Operators
   * may read the bucket, and not every account.
   */
  readonly inventory: 'ask' | 'remember'
}

/** What was seen, and what follows from it. */
export interface Observation {
  /** By S3's clock. */
  readonly at: number
  /** Of which moment the state was that the auditor left; absent where there was none that could be used. */
  readonly stateAt?: number
  /** Why not. */
  readonly stateProblem?: string
  readonly config: FleetConfig
  readonly view: FleetView
  readonly histories: ReadonlyMap<string, HostHistory>
  /** As they were before this: `remember` makes the next. */
  readonly memories: ReadonlyMap<string, HostMemory>
  readonly explanations: readonly Explanation[]
  readonly inventory: Inventory
}

/** The auditor comes each hour: what it saw longer ago than this is no news of who is there. */
const REMEMBERED_SECONDS_MAX = 3 * 3600
/** Of classes about which nobody has said anything: the least that anybody keeps. */
const UNKNOWN_EXPIRY_DAYS = 35

/**
 * Looks at the whole fleet. Writes nothing: whoever is to remember it calls `writeState`.
 *
 * @throws AgentError where the bucket cannot be read; an account that cannot is a `problem` of the inventory
 */
export async function observeFleet(deps: ObserveDeps, options: ObserveOptions): Promise<Observation> {
  const { store } = deps.vault
  let stateProblem: string | undefined
  const [{ clockSkewSeconds }, before, forgotten] = await Promise.all([
    store.readFacts(deps.signal),
    readState(deps, (problem) => void (stateProblem = problem)),
    readForgotten(deps),
  ])
  const at = Math.floor(deps.now().getTime() / 1000 + clockSkewSeconds)
  const given = options.config ?? before?.config
  if (!given) {
    deps.log.warn(
      'no auditor has been here: every class is taken to be nightly, and no host is expected but those with runs',
    )
  }
  const config = given ?? fleetConfigSchema.parse({ classes: [], schedules: [] })
  const histories = await readEvidence(deps, before, { config, now: at })
  const memories = withForgotten(before?.memories ?? new Map<string, HostMemory>(), forgotten)
  const known = await findExpected(deps, options, { config, before, histories, at })
  const effective = given ? config : withClassesOf(config, histories)
  const view = judgeFleet({ config: effective, histories, memories, now: at, ...known })
  return {
    at,
    ...(before && { stateAt: before.at }),
    ...(stateProblem !== undefined && { stateProblem }),
    ...{ config: effective, view, histories, memories },
    ...known,
  }
}

interface Known {
  readonly inventory: Inventory
  readonly explanations: readonly Explanation[]
}

async function findExpected(
  deps: ObserveDeps,
  { inventory: how }: ObserveOptions,
  {
    config,
    before,
    histories,
    at,
  }: Pick<Observation, 'config' | 'histories' | 'at'> & { readonly before: FleetState | undefined },
): Promise<Known> {
  const written = [...histories.keys()]
  if (how === 'remember') return { inventory: rememberInventory(config, before, written, at), explanations: [] }
  const { inventory: asked, accounts } = await readInventory(deps.openAccount, config, written)
  const inventory = withRemembered(asked, before?.inventory.hosts ?? [])
  const explanations = await readExplanations(deps, { config, inventory, histories, accounts, now: at })
  return { inventory, explanations }
}

/** What the last pass knew; where that was long ago, nobody knows who is there now. */
function rememberInventory(
  config: FleetConfig,
  before: FleetState | undefined,
  written: readonly string[],
  at: number,
): Inventory {
  const now = joinInventory(config, [], written)
  if (!before) {
    const problem = 'it was not asked'
    return { hosts: now.hosts, accounts: config.accounts.map(({ account, region }) => ({ account, region, problem })) }
  }
  const remembered = new Set(before.inventory.hosts.map(({ host }) => host))
  const hosts = [...before.inventory.hosts, ...now.hosts.filter(({ host }) => !remembered.has(host))]
  const seconds = at - before.at
  if (seconds <= REMEMBERED_SECONDS_MAX) return { hosts, accounts: before.inventory.accounts }
  const problem = `the auditor has not asked it for ${Math.floor(seconds / 3600)} hours`
  return { hosts, accounts: before.inventory.accounts.map((account) => ({ problem, ...account })) }
}

function withClassesOf(config: FleetConfig, histories: ReadonlyMap<string, HostHistory>): FleetConfig {
  const names = new Set([...histories.values()].flatMap(({ classes }) => classes.map((each) => each.class)))
  const classes = [...names]
    .sort()
    .map((name) => ({ name, maxAgeHours: DAILY_MAX_AGE_HOURS, expireAfterDays: UNKNOWN_EXPIRY_DAYS }))
  return fleetConfigSchema.parse({ ...config, classes })
}
