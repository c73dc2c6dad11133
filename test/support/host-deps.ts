import type { HostDeps } from '../../agent/context'
import { localHost } from '../../agent/host/run-command.io'
import { createLog } from '../../agent/lib/log'

export interface LocalDeps extends HostDeps {
  /** What was logged, a line each. */
  readonly logged: readonly string[]
}

/** This machine, with real programs. */
export function localDeps(signal: AbortSignal = new AbortController().signal): LocalDeps {
  const logged: string[] = []
  const now = () => new Date()
  return { host: localHost, log: createLog('debug', now, (line) => logged.push(line)), now, signal, logged }
}
