/** Sends a command once, whatever becomes of the answer. */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../agent/bucket/retries.io'
import type { Log } from '../../agent/context'
import { AgentError } from '../../agent/errors'
import { fateOf } from './ssm-errors'
import type { CommandPlan, RunCommand, SentCommand } from './systems-manager'

/** What commands need from outside. */
export interface SendDeps {
  readonly service: RunCommand
  readonly log: Log
  readonly now: () => Date
  readonly signal: AbortSignal
  readonly clock: Clock
}

/** A command that was sent shows in the list within seconds: looked for so often, 1 s, 2 s and so on apart (design limit). */
const LOOKS = 5
/** Clocks of operators' machines differ from Systems Manager's by less. */
const CLOCK_SKEW_MS = 3600_000

/**
 * Systems Manager knows no repetition of a command: sent twice, hosts would do it twice. So where the answer is lost, the command
 * is looked for by its comment, which no other has.
 *
 * @param command - of this program, for whoever reads the history of Run Command
 * @throws AgentError as Systems Manager refuses it; SSM_FAILED where it is not known whether it was sent
 */
export async function sendCommand(deps: SendDeps, command: string, plan: CommandPlan): Promise<SentCommand> {
  deps.signal.throwIfAborted()
  const comment = `snapstream-fleet ${command} ${randomUUID()}`
  const since = new Date(deps.now().getTime() - CLOCK_SKEW_MS)
  try {
    return await deps.service.send(plan, comment, deps.signal)
  } catch (error) {
    if (!(error instanceof AgentError) || error.cause === undefined || fateOf(error.cause) !== 'unknown') throw error
    deps.log.warn(`${error.message}: looking whether the command was sent all the same`)
    return await lookFor(deps, { document: plan.document, comment }, since, error)
  }
}

async function lookFor(
  deps: SendDeps,
  wanted: Pick<SentCommand, 'document' | 'comment'>,
  since: Date,
  first: unknown,
): Promise<SentCommand> {
  let seen = false
  for (let look = 0; look < LOOKS && !deps.signal.aborted; look++) {
    try {
      await deps.clock.sleep(2 ** look, deps.signal)
      const found = await deps.service.findSent(wanted, since, deps.signal)
      if (found) return found
      seen = true
    } catch (error) {
      deps.log.debug((error as Error).message)
    }
  }
  const { aborted } = deps.signal
  const what = (first as Error).message
  throw new AgentError(
    aborted ? 'INTERRUPTED' : 'SSM_FAILED',
    seen && !aborted ? what : `${what}; it is not known whether the command was sent`,
    { hint: `Before you send it again, look for '${wanted.comment}' in the history of Run Command.`, cause: first },
  )
}
