/** The bucket as those see it who look after all hosts: types only. */
import type { Log, Store, StoreDeps } from '../agent/context'

/** As a lifecycle rule of the bucket has it, as far as it concerns what objects cost and when they go. */
export interface StorageRule {
  readonly prefix: string
  readonly expireAfterDays?: number
  /** Only what bears the tag of superseded objects expires. */
  readonly needsTag: boolean
  /** Expires objects of certain sizes, or on a day of the calendar: of no object is it known here whether it is one of them. */
  readonly ofSome?: true
  readonly transitions: readonly { readonly afterDays: number; readonly storageClass: string }[]
}

/** Two implementations: S3, and the tests' store in memory. All calls throw AgentError only. */
export interface Vault {
  /** Reads backups, and never overwrites anything. */
  readonly store: Store
  /**
   * Writes an object whole, or replaces it: only below `fleet/` and `reports/`.
   *
   * @param body - in one piece, or as it is made
   */
  write(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    contentType: string,
    signal: AbortSignal,
  ): Promise<void>
  /** Adds the tag of superseded objects; succeeds too where the object has it, or is gone. */
  tagSuperseded(key: string, signal: AbortSignal): Promise<void>
  /** Takes that tag away; succeeds too where the object has none, or is gone. */
  untagSuperseded(key: string, signal: AbortSignal): Promise<void>
  /** Whether the object has that tag; not where it is gone. */
  isSuperseded(key: string, signal: AbortSignal): Promise<boolean>
  /** Lifecycle rules of the bucket; none where there are none. */
  readRules(signal: AbortSignal): Promise<readonly StorageRule[]>
}

/** What work on a fleet needs from outside. */
export interface FleetDeps extends Omit<StoreDeps, 'store'> {
  readonly vault: Vault
  readonly log: Log
}
