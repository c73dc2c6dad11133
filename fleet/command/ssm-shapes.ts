/** From the SDK's shapes to ours, and back. */
import type { Command, CommandInvocation, CommandPlugin, SendCommandRequest } from '@aws-sdk/client-ssm'
import { AgentError } from '../../agent/errors'
import type { CommandPlan, Invocation, SentCommand, StepResult } from './systems-manager'

/** Comments are no longer than this (API reference of SendCommand). */
const COMMENT_CHARACTERS_MAX = 100

export function sendInput(plan: CommandPlan, comment: string): SendCommandRequest {
  const { document, targets, parameters, maxConcurrency, maxErrors, deliverySeconds, logGroup } = plan
  return {
    DocumentName: document,
    Comment: comment.slice(0, COMMENT_CHARACTERS_MAX),
    Parameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, [value]])),
    ...(targets.kind === 'hosts'
      ? { InstanceIds: [...targets.instanceIds] }
      : { Targets: targets.tags.map(({ key, values }) => ({ Key: `tag:${key}`, Values: [...values] })) }),
    MaxConcurrency: maxConcurrency,
    MaxErrors: maxErrors,
    TimeoutSeconds: deliverySeconds,
    ...(logGroup !== undefined && {
      CloudWatchOutputConfig: { CloudWatchOutputEnabled: true, CloudWatchLogGroupName: logGroup },
    }),
  }
}

/** @throws AgentError SSM_FAILED where it has no ID: without one, nobody could ask for it again */
export function toSentCommand(command: Command): SentCommand {
  const { CommandId, DocumentName = '', Comment = '', Status, StatusDetails, TargetCount = 0 } = command
  if (CommandId === undefined) {
    throw new AgentError('SSM_FAILED', 'Systems Manager told no ID of the command', {
      hint: 'Look in the history of Run Command whether it was sent.',
    })
  }
  const { CloudWatchLogGroupName, CloudWatchOutputEnabled } = command.CloudWatchOutputConfig ?? {}
  return {
    ...{ commandId: CommandId, document: DocumentName, comment: Comment, targetCount: TargetCount },
    status: statusOf(Status, StatusDetails),
    ...(command.RequestedDateTime && { requestedAt: command.RequestedDateTime }),
    ...(command.ExpiresAfter && { expiresAt: command.ExpiresAfter }),
    ...(CloudWatchOutputEnabled && CloudWatchLogGroupName && { logGroup: CloudWatchLogGroupName }),
  }
}

export function toInvocation(invocation: CommandInvocation): Invocation {
  const {
    InstanceId = '',
    InstanceName = '',
    Status,
    StatusDetails,
    TraceOutput = '',
    CommandPlugins = [],
  } = invocation
  return {
    ...{ instanceId: InstanceId, name: InstanceName, trace: TraceOutput },
    status: statusOf(Status, StatusDetails),
    steps: CommandPlugins.map(toStep),
  }
}

/** Systems Manager fills in -1 where a step has not ended, and times of 1970 where it has not begun. */
function toStep(step: CommandPlugin): StepResult {
  const { Name = '', Status, StatusDetails, ResponseCode, ResponseStartDateTime, Output = '' } = step
  return {
    ...{ name: Name, output: Output, status: statusOf(Status, StatusDetails) },
    ...(ResponseCode !== undefined && ResponseCode >= 0 && { exitStatus: ResponseCode }),
    ...(ResponseStartDateTime && ResponseStartDateTime.getTime() > 0 && { startedAt: ResponseStartDateTime }),
  }
}

/**
 * `StatusDetails` tells more, and is written with blanks in some answers. What only one of the two calls a success is none.
 */
function statusOf(status = '', details = ''): string {
  const [coarse, fine] = [status, details].map((text) => text.replaceAll(/\s/g, ''))
  if (fine === '' || fine === undefined) return coarse ?? ''
  return fine === 'Success' && coarse !== fine ? (coarse ?? '') : fine
}
