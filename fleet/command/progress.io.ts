/** How far hosts are, by the last line of their log: asked for those that are shown, and no more often than it changes. */
import { AgentError } from '../../agent/errors'
import { mapUnordered } from '../../agent/lib/unordered'
import type { CommandTable } from './invocations'
import { progressOf } from './progress'
import type { SendDeps } from './send.io'
import type { CommandLog } from './systems-manager'

/** The SSM agent hands its output to CloudWatch every 30 s. */
const LOOK_SECONDS = 30
/** No more fit on a terminal, or into CloudWatch's budget of requests. */
const HOSTS_MAX = 20
const READS_IN_FLIGHT = 4

export type ReadProgress = (table: CommandTable) => Promise<ReadonlyMap<string, string>>

/**
 * What cannot be read is not shown, and said once: it keeps no command from being followed.
 *
 * @param commandLog - called when there is a log to read
 */
export function progressReader(
  { log, signal, clock }: Pick<SendDeps, 'log' | 'signal' | 'clock'>,
  commandLog: () => CommandLog,
): ReadProgress {
  const progress = new Map<string, string>()
  let lookedAt = -Infinity
  let isRefused = false
  return async ({ command: { commandId, logGroup, requestedAt }, rows }) => {
    if (logGroup === undefined || isRefused || clock.nowSeconds() - lookedAt < LOOK_SECONDS) return progress
    lookedAt = clock.nowSeconds()
    const running = [...rows.values()].filter(({ phase }) => phase === 'running').slice(0, HOSTS_MAX)
    try {
      await mapUnordered(running, READS_IN_FLIGHT, async ({ invocation: { instanceId } }) => {
        const wanted = { logGroup, commandId, instanceId, since: requestedAt ?? new Date(0) }
        const line = await commandLog().lastLine(wanted, signal)
        if (line !== undefined) progress.set(instanceId, progressOf(line))
      })
    } catch (error) {
      if (!(error instanceof AgentError) || signal.aborted) throw error
      isRefused = true
      log.warn(`progress is not shown: ${error.message}`)
    }
    return progress
  }
}
