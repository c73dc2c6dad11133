/** What Systems Manager, the SDK and the network call errors, what each means to an operator, and what to do about it. */
import { AgentError, type ErrorCode } from '../../agent/errors'

/** What the SDK puts on an error, as far as it is read here. */
interface SdkError extends Error {
  /** Of network errors: a text. */
  readonly code?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number }
}

interface Rule {
  readonly names: readonly string[]
  readonly code: ErrorCode
  readonly hint: string
}

const RULES: readonly Rule[] = [
  {
    names: ['AccessDeniedException', 'AccessDenied', 'UnauthorizedOperation'],
    code: 'ACCESS_DENIED',
    hint:
      'The policies of the stack (outputs BackupCommands, RestoreCommands, InstallCommands) let people send its documents, to hosts ' +
      'that bear the tag of a schedule, and no others.',
  },
  {
    names: [
      'UnrecognizedClientException',
      'InvalidSignatureException',
      'InvalidClientTokenId',
      'SignatureDoesNotMatch',
    ],
    code: 'ACCESS_DENIED',
    hint: 'Systems Manager does not accept these credentials: "aws sts get-caller-identity" shows whose they are.',
  },
  {
    names: ['CredentialsProviderError', 'ProviderError', 'TokenProviderError'],
    code: 'NO_CREDENTIALS',
    hint: 'Set AWS_PROFILE, or sign in with "aws sso login".',
  },
  {
    names: ['ExpiredToken', 'ExpiredTokenException', 'RequestExpired'],
    code: 'CREDENTIALS_EXPIRED',
    hint: 'Renew them, for example with "aws sso login".',
  },
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
    names: [
      ...['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
      ...['TimeoutError', 'PROXY_UNREACHABLE', 'PROXY_REFUSED', 'PROXY_AUTHENTICATION'],
    ],
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
  const { name, code, $metadata } = error as SdkError
  if (THROTTLING.includes(name)) return 'throttled'
  if (SERVER_ERRORS.includes(name) || ($metadata?.httpStatusCode ?? 0) >= 500) return 'unknown'
  return ruleFor(labelOf({ code, name }), name)?.code === 'ENDPOINT_UNREACHABLE' ? 'unknown' : 'refused'
}

/**
 * Says in our words what went wrong, and what to do about it.
 *
 * @param error - what the SDK threw; an AgentError stays what it is
 */
export function ssmError(error: unknown, action: string): AgentError {
  if (error instanceof AgentError) return error
  const { name, code, message } = error as SdkError
  if (name === 'AbortError') {
    return new AgentError('INTERRUPTED', `${action} was stopped before it finished`, {
      hint: 'Run the command again.',
      cause: error,
    })
  }
  const label = labelOf({ code, name })
  const rule = ruleFor(label, name)
  const detail = message === '' ? label : message.includes(label) ? message : `${label}: ${message}`
  return new AgentError(rule?.code ?? 'SSM_FAILED', `${action} failed: ${detail.slice(0, 500)}`, {
    hint: rule?.hint ?? 'The text after the colon is what Systems Manager or the SDK said.',
    cause: error,
  })
}

function ruleFor(...labels: string[]): Rule | undefined {
  return RULES.find(({ names }) => labels.some((label) => names.includes(label)))
}

function labelOf({ code, name }: Pick<SdkError, 'code' | 'name'>): string {
  return typeof code === 'string' ? code : name
}
