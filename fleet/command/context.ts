/** What commands of the operators' program need from outside: types only. */
import type { StoreDeps } from '../../agent/context'
import type { Environment } from '../../agent/options/resolve'
import type { Observation, ObserveOptions } from '../observe.io'
import type { Vault } from '../vault'
import type { Clock } from '../../agent/bucket/retries.io'
import type { CommandLog, RunCommand } from './systems-manager'

/** Where a person reads: what a live table is drawn on. */
export interface Screen {
  /** Whether anybody would see a table being redrawn. */
  readonly isTerminal: boolean
  /** Characters in a line. */
  readonly columns: number
  readonly rows: number
  write(text: string): void
}

export interface OpenedVault {
  readonly vault: Vault
  readonly region: string
}

export interface CommandDeps extends Omit<StoreDeps, 'store'> {
  readonly environment: Environment
  /** Standard output, before the outcome is printed. */
  readonly screen: Screen
  /** The bucket of the request; nothing is asked of it yet. @throws AgentError as `openBucket` */
  readonly openVault: () => Promise<OpenedVault>
  /** Looks at the whole fleet. @throws AgentError as `openBucket` and `observeFleet` */
  readonly observe: (options: ObserveOptions) => Promise<Observation>
  /** Run Command in the region of the request; nothing is asked of it yet. @throws AgentError as `connectRunCommand` */
  readonly openRunCommand: () => Promise<{
    readonly service: RunCommand
    readonly region: string
    readonly commandLog: () => CommandLog
  }>
  /** Paces looks at what hosts do: the system's, unless a test has one of its own. */
  readonly clock?: Clock
}
