/** All that is known of a fleet at this moment: what the last pass left, what is new in the bucket, who ought to be there. */
import type { OpenAccount } from './inventory/account'
import type { FleetConfig } from './model/config'
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
  readonly config: FleetConfig
  readonly view: FleetView
  readonly histories: ReadonlyMap<string, HostHistory>
  /** As they were before this: `remember` makes the next. */
  readonly memories: ReadonlyMap<string, HostMemory>
  readonly explanations: readonly Explanation[]
  readonly inventory: Inventory
}

/**
 * Looks at the whole fleet. Writes nothing: whoever is to remember it calls `writeState`.
 *
 * @throws AgentError where the bucket cannot be read; an account that cannot is a `problem` of the inventory
 */
export declare function observeFleet(deps: ObserveDeps, options: ObserveOptions): Promise<Observation>
