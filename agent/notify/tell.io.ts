/** Tells the outside world what becomes of a command, whatever becomes of it. */
import type { BackupOutput } from '../backup/output-schema'
import { describeError, type AgentError } from '../errors'
import { ExitStatus } from '../contract'
import { neverAborted } from '../lib/never-aborted'
import type { Outcome } from '../outcome'
import { nameFailure, statusOf } from '../options/output'
import { kindOf, pingBody } from './ping'
import { sendPing, type PingDeps } from './ping.io'
import { writeMetrics } from './metrics-file.io'

export interface TellDeps extends PingDeps {
  readonly now: () => Date
  /** Aborted where something stops the command. */
  readonly signal: AbortSignal
}

/** Whom to tell, and of what. */
export interface TellWish {
  readonly command: string
  readonly pingUrl?: string | undefined
  readonly metricsFile?: string | undefined
  /** Retention class, by which metrics differ. */
  readonly class: string
}

/**
 * Runs a command and tells how it ends: also where it fails at once, or is interrupted. What is told changes nothing about the
 * command, and can neither fail nor delay it: its start is told while it is at work, and its end when it is done.
 *
 * @throws unknown what the command throws
 */
export async function tellOf(deps: TellDeps, wish: TellWish, perform: () => Promise<Outcome>): Promise<Outcome> {
  const { command, pingUrl } = wish
  const startedAt = deps.now()
  const ended = new AbortController()
  const starting = pingUrl === undefined ? undefined : sendPing(deps, pingUrl, 'start', '', ended.signal)
  const end = async (status: ExitStatus, text: string, outcome?: Outcome<BackupOutput>): Promise<void> => {
    await writeMetrics(deps, wish, { startedAt, endedAt: deps.now(), status, ...(outcome && { output: outcome.json }) })
    ended.abort() // what has not arrived by now must not arrive after the end
    await starting
    if (pingUrl !== undefined) {
      await sendPing(deps, pingUrl, kindOf(status), pingBody(command, status, text), neverAborted())
    }
  }
  let outcome: Outcome
  try {
    outcome = await perform()
  } catch (error) {
    const reason = deps.signal.aborted ? (deps.signal.reason as AgentError) : undefined
    const failure = nameFailure(error, reason)
    await end(statusOf(failure.code), describeError(failure).join('\n'))
    throw error
  }
  // Metrics are those of a backup: no other command has the option.
  await end(outcome.status, outcome.summary, outcome as Outcome<BackupOutput>)
  return outcome
}
