/** What Systems Manager, the SDK and the network call errors, what each means to an operator, and what to do about it. */
import {
  findRule,
  OPERATOR_RULES,
  serviceError,
  UNREACHABLE,
  type SdkError,
  type ServiceErrorRule,
} from '../../agent/bucket/service-errors'
import type { AgentError } from '../../agent/errors'

const RULES: readonly ServiceErrorRule[] = [
  {
    names: ['AccessDeniedException', 'AccessDenied', 'UnauthorizedOperation'],
    code: 'ACCESS_DENIED',
    hint:
      'The policies of the stack (outputs BackupCommands, RestoreCommands, InstallCommands) let people send its documents, to hosts ' +
      'that bear the tag of a schedule, and no others.',
  },
  ...OPERATOR_RULES,
  {
    names: ['InvalidDocument', 'InvalidDocumentVersion'],
    code: 'SSM_FAILED',
    hint: 'The stack has its documents in the account and region that it was deployed to: check --stack, --region and AWS_PROFILE.',
  },
  {
    names: ['InvalidParameters'],
    code: 'SSM_FAILED',
    hint: 'The deployed documents may be of another version than this program: deploy the stack, or use the program of that version.',
  },
  {
    names: ['InvalidInstanceId', 'UnsupportedPlatformType'],
    code: 'SSM_FAILED',
    hint: 'A host that is named is not managed by Systems Manager in this account and region: check its ID, and that its SSM agent runs.',
  },
  {
    names: ['InvalidCommandId'],
    code: 'UNKNOWN_COMMAND',
    hint: 'Commands are kept for 30 days, in the account and region that they were sent in: check --region and AWS_PROFILE.',
  },
  {
    names: UNREACHABLE,
    code: 'ENDPOINT_UNREACHABLE',
    hint: 'Check the way to Systems Manager: DNS, proxy, and --region.',
  },
]

/** It says that it is too busy: it has done nothing. */
const THROTTLING = ['ThrottlingException', 'Throttling', 'TooManyRequestsException', 'RequestLimitExceeded']
const SERVER_ERRORS = ['InternalServerError', 'InternalFailure', 'ServiceUnavailable', 'ServiceUnavailableException']

/** What became of a request that failed. */
export type Fate = 'refused' | 'throttled' | 'unknown'

/** @param error - as the SDK threw it */
export function fateOf(error: unknown): Fate {
  const { name, $metadata } = error as SdkError
  if (THROTTLING.includes(name)) return 'throttled'
  if (SERVER_ERRORS.includes(name) || ($metadata?.httpStatusCode ?? 0) >= 500) return 'unknown'
  return findRule(error, RULES)?.code === 'ENDPOINT_UNREACHABLE' ? 'unknown' : 'refused'
}

/**
 * Says in our words what went wrong, and what to do about it.
 *
 * @param error - what the SDK threw; an AgentError stays what it is
 */
export function ssmError(error: unknown, action: string): AgentError {
  return serviceError(error, action, RULES, { code: 'SSM_FAILED', service: 'Systems Manager' })
}
