import type { Host } from './host'
import type { Store } from './store'

/** Progress and warnings go to standard error, never to standard output: that is for the summary. */
export interface Log {
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
}

/** All that the agent needs from outside. */
export interface Deps {
  readonly host: Host
  readonly store: Store
  readonly log: Log
  readonly now: () => Date
  /** Aborted on SIGTERM and SIGINT, and at the deadline. */
  readonly signal: AbortSignal
  /** Aborted just before `signal` where it is `--deadline` that ends the command: that was foreseen. */
  readonly deadline?: AbortSignal
}

/** What needs no bucket. */
export type HostDeps = Omit<Deps, 'store'>
