/**
 * Stops a command everywhere: Systems Manager starts it on no host any more, and where it runs, the agent is told to stop and to
 * clean up, by a document. Systems Manager alone would only stop waiting for the agent.
 */
import { ExitStatus } from '../../agent/contract'
import { AgentError, hasCode } from '../../agent/errors'
import { counted } from '../../agent/lib/text'
import type { Outcome } from '../../agent/outcome'
import { findCommand, report } from './command.io'
import { DOCUMENT_USES } from './documents'
import type { FollowDeps } from './follow.io'
import { hostsToStop } from './hosts-to-stop'
import type { CancelOutput, CommandOutput } from './run-output-schema'
import { documentName } from './plan-command'
import { sendCommand } from './send.io'
import type { Invocation, SentCommand } from './systems-manager'

/** A command names no more hosts than this. */
const BATCH_HOSTS = 50
/** Hosts that stop are not to wait for one another, nor for one that does not. */
const ALL = '100%'
/** A host at work answers within minutes, or is no longer there. */
const DELIVERY_SECONDS = 600

/**
 * @returns status `incomplete` where some host is not known to have stopped, or may still begin
 * @throws AgentError UNKNOWN_COMMAND, USAGE for a command that ran none of the stack's documents
 */
export async function cancel(
  deps: FollowDeps,
  { commandId }: { readonly commandId: string },
): Promise<Outcome<CancelOutput>> {
  const { service, signal } = deps
  const sent = await findCommand(deps, commandId)
  const stack = stackOf(sent.document)
  const before = await listAll(deps, commandId)
  const refusal = await service.cancel(commandId, signal).then(
    () => undefined,
    (error: unknown) => (hasCode(error, 'ACCESS_DENIED') ? (error as AgentError) : Promise.reject(error as Error)),
  )
  // A host may have begun in between.
  const toStop = hostsToStop(before, await listAll(deps, commandId))
  const sentStops: SentCommand[] = []
  for (let at = 0; at < toStop.length; at += BATCH_HOSTS) {
    const plan = {
      document: documentName(stack, DOCUMENT_USES.cancel.document),
      targets: { kind: 'hosts' as const, instanceIds: toStop.slice(at, at + BATCH_HOSTS) },
      ...{ parameters: {}, maxConcurrency: ALL, maxErrors: ALL, deliverySeconds: DELIVERY_SECONDS },
    }
    sentStops.push(await sendCommand(deps, 'cancel', plan))
  }
  // All are told before any is waited for.
  const stops: Outcome<CommandOutput>[] = []
  for (const stop of sentStops) stops.push(await report(deps, stop))
  const hasStopped = !refusal && stops.every(({ status }) => status === ExitStatus.ok)
  return {
    status: hasStopped ? ExitStatus.ok : ExitStatus.incomplete,
    summary: [
      refusal
        ? `Command ${commandId} could not be cancelled: hosts that have not begun will still begin`
        : `Command ${commandId} is cancelled: no other host will begin`,
      ...(refusal ? [`  ${refusal.message}`, `    HINT: ${MAY_CANCEL}`] : []),
      toStop.length === 0
        ? '  it was at work on no host'
        : `  it was at work on ${counted(toStop.length, 'host')}, where the agent was told to stop and clean up:`,
      ...stops.map(({ summary }) => summary),
    ].join('\n'),
    json: { commandId, cancelled: !refusal, stopped: stops.map(({ json }) => json) },
  }
}

const MAY_CANCEL =
  "Ask somebody who may ssm:CancelCommand. The stack's policies do not let you, since IAM cannot limit it to commands of Snapstream."

/** The agent stops these, too. */
const SENT_OTHERWISE = ['Drill']

/** `Snapstream-Backup` is a document of the stack `Snapstream`. */
function stackOf(document: string): string {
  const names = [...Object.values(DOCUMENT_USES).map((use) => use.document), ...SENT_OTHERWISE]
  const name = names.find((each) => document.endsWith(`-${each}`))
  if (name !== undefined) return document.slice(0, -name.length - 1)
  throw new AgentError('USAGE', `the command ran ${document}, which is no document of Snapstream`, {
    hint: 'Cancel it in the console of Systems Manager, or with "aws ssm cancel-command".',
  })
}

async function listAll({ service, signal }: FollowDeps, commandId: string): Promise<Invocation[]> {
  const all: Invocation[] = []
  for await (const invocation of service.listInvocations(commandId, signal)) all.push(invocation)
  return all
}
