/** An account as it is asked which hosts it has: types only. */
import type { FleetConfig } from '../model/config'
import type { ExpectedHost } from '../model/records'

/** Where hosts are looked for. */
export type Place = FleetConfig['accounts'][number]

/** An instance as EC2 has it. */
export interface Instance {
  readonly instanceId: string
  /** Its tag `Name`. */
  readonly name?: string
  readonly power: NonNullable<ExpectedHost['power']>
  readonly tags: ReadonlyMap<string, string>
}

/** A node as Systems Manager has it: an instance, or a machine elsewhere that was registered. */
export interface ManagedNode {
  /** `i-…`, or `mi-…` of a machine that is no instance. */
  readonly nodeId: string
  readonly name?: string
  readonly computerName?: string
  readonly ping: 'online' | 'lost' | 'inactive'
  /** In seconds since 1970. */
  readonly lastPingAt?: number
}

/** What became of a command on a node, as Run Command has it. */
export interface Invocation {
  readonly commandId: string
  readonly nodeId: string
  readonly document: string
  readonly comment: string
  readonly requestedAt: number
  readonly status: string
  /** Tells more than the status: `Undeliverable`, `DeliveryTimedOut`. */
  readonly statusDetails: string
}

/** A run of the maintenance window of a schedule, and the commands that it sent. */
export interface WindowExecution {
  /** Name of the schedule. */
  readonly window: string
  readonly startedAt: number
  readonly status: string
  readonly statusReason: string
  readonly commandIds: readonly string[]
}

/** All calls throw AgentError only. */
export interface Account {
  /** Instances with one of the tags, running or not. */
  findTagged(tags: readonly { readonly key: string; readonly value: string }[]): Promise<readonly Instance[]>
  /** Those of the instances that EC2 still knows. */
  findInstances(instanceIds: readonly string[]): Promise<readonly Instance[]>
  listManagedNodes(): Promise<readonly ManagedNode[]>
  /** Of commands sent since then, what did not succeed. */
  listFailedInvocations(since: number): Promise<readonly Invocation[]>
  /** Of one command. */
  listInvocations(commandId: string): Promise<readonly Invocation[]>
  /** Of the windows that bear one of the names as the last part of theirs. */
  listWindowExecutions(schedules: readonly string[], since: number): Promise<readonly WindowExecution[]>
}

/**
 * Prepares the requests to an account, and assumes the role that is named.
 *
 * @throws AgentError ACCESS_DENIED, NO_CREDENTIALS
 */
export type OpenAccount = (place: Place) => Promise<Account>
