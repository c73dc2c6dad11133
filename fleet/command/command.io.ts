/** Commands to hosts: sends a document of the stack, follows it, and says what became of it. */
import { ExitStatus } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import { mapUnordered } from '../../agent/lib/unordered'
import type { Outcome } from '../../agent/outcome'
import type { DocumentCommand } from './documents'
import { reportCommand, type ReportedHost } from './final-report'
import { comeBack, followCommand, type FollowDeps } from './follow.io'
import type { CommandTable, HostRow } from './invocations'
import type { CommandOutput, SentOutput } from './run-output-schema'
import { planCommand, type SendRequest } from './plan-command'
import { explain, stepToRead } from './reasons'
import { sendCommand } from './send.io'
import { describeTargets } from './targets'
import type { SentCommand, StepOutput } from './systems-manager'

export type CommandRequest = SendRequest & { readonly wait: boolean } & Readonly<Record<string, unknown>>

/** Hosts whose whole output is asked for, one request each; of others, what the list says is all (design limit). */
const OUTPUTS_READ_MAX = 200
const READS_IN_FLIGHT = 4
/** As Systems Manager parts standard output from standard error in a list. */
const ERROR_MARK = '----------ERROR-------'

/**
 * @param region - where the command is sent
 * @returns with `wait`, what became of it; else that it was sent, of which nothing more is known
 * @throws AgentError USAGE before anything is sent; as `sendCommand` and `followCommand`
 */
export async function command(
  deps: FollowDeps,
  name: DocumentCommand,
  request: CommandRequest,
  region: string,
): Promise<Outcome<CommandOutput | SentOutput>> {
  const plan = planCommand(name, request, region)
  const sent = await sendCommand(deps, name, plan)
  if (request.wait) {
    deps.log.info(`command ${sent.commandId} was sent to ${describeTargets(plan.targets)}`)
    return report(deps, sent)
  }
  const { commandId, document } = sent
  return {
    status: ExitStatus.ok,
    summary: [
      `${document} was sent to ${describeTargets(plan.targets)}: command ${commandId}`,
      `  follow it: snapstream-fleet attach ${commandId}`,
      `  stop it: snapstream-fleet cancel ${commandId}`,
    ].join('\n'),
    json: { commandId, document, sent: true },
  }
}

/** @throws AgentError UNKNOWN_COMMAND; as `followCommand` */
export async function attach(
  deps: FollowDeps,
  { commandId }: { readonly commandId: string },
): Promise<Outcome<CommandOutput>> {
  return report(deps, await findCommand(deps, commandId))
}

/** @throws AgentError UNKNOWN_COMMAND */
export async function findCommand({ service, signal }: FollowDeps, commandId: string): Promise<SentCommand> {
  const found = await service.describe(commandId, signal)
  if (found) return found
  throw new AgentError('UNKNOWN_COMMAND', `there is no command ${commandId}`, {
    hint: 'Commands are kept for 30 days, in the account and region that they were sent in: check --region and AWS_PROFILE.',
  })
}

/** Follows a command to its end, and finds out why hosts failed. */
export async function report(deps: FollowDeps, sent: SentCommand): Promise<Outcome<CommandOutput>> {
  const table = await followCommand(deps, sent)
  try {
    return reportCommand(table, await explainAll(deps, table), deps.now().getTime())
  } catch (error) {
    throw comeBack(error, sent.commandId, deps.signal)
  }
}

async function explainAll(deps: FollowDeps, table: CommandTable): Promise<ReportedHost[]> {
  let asked = 0
  return mapUnordered(table.rows.values(), READS_IN_FLIGHT, async (row) => {
    if (row.phase === 'done') return { row }
    const step = row.phase === 'failed' ? stepToRead(row.invocation) : undefined
    if (step === undefined) return { row, why: explain(row) }
    const whole = asked++ < OUTPUTS_READ_MAX ? await readWhole(deps, table, row, step) : undefined
    return { row, why: explain(row, whole ?? listedOutput(row, step)) }
  })
}

/** Undefined where Systems Manager does not have it: that is no reason to say nothing of what became of the others. */
async function readWhole(
  { service, signal, log }: FollowDeps,
  { command: { commandId } }: CommandTable,
  { invocation: { instanceId } }: HostRow,
  step: string,
): Promise<StepOutput | undefined> {
  try {
    return await service.readOutput(commandId, instanceId, step, signal)
  } catch (error) {
    if (signal.aborted) throw error
    log.debug(`what ${instanceId} printed could not be read: ${(error as Error).message}`)
    return undefined
  }
}

function listedOutput({ invocation: { steps } }: HostRow, step: string): StepOutput {
  const output = steps.find(({ name }) => name === step)?.output ?? ''
  const [stdout = '', ...stderr] = output.split(ERROR_MARK)
  return { stdout, stderr: stderr.join(ERROR_MARK) }
}
