/** What AWS's services, the SDK and the network call errors, and how each becomes one of ours. S3 has rules of its own. */
import { AgentError, type ErrorCode } from '../errors'

/** What the SDK puts on an error, as far as it is read here. */
export interface SdkError extends Error {
  /** Of network errors: a text. */
  readonly code?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number }
}

export interface ServiceErrorRule {
  readonly names: readonly string[]
  readonly code: ErrorCode
  readonly message?: (action: string, detail: string) => string
  readonly hint: string
}

/** No answer has come: whether the request was carried out is not known. */
export const UNREACHABLE: readonly string[] = [
  ...['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['TimeoutError', 'PROXY_UNREACHABLE', 'PROXY_REFUSED', 'PROXY_AUTHENTICATION'],
]
export const NO_CREDENTIALS: readonly string[] = ['CredentialsProviderError', 'ProviderError', 'TokenProviderError']
export const CREDENTIALS_EXPIRED: readonly string[] = ['ExpiredToken', 'ExpiredTokenException', 'RequestExpired']
export const CREDENTIALS_REFUSED: readonly string[] = [
  ...['AuthFailure', 'InvalidClientTokenId', 'UnrecognizedClientException', 'MissingAuthenticationToken'],
  ...['SignatureDoesNotMatch', 'InvalidSignatureException'],
]
/** Of an operator's own credentials. */
export const OPERATOR_RULES: readonly ServiceErrorRule[] = [
  {
    names: CREDENTIALS_REFUSED,
    code: 'ACCESS_DENIED',
    hint: 'AWS does not accept these credentials: "aws sts get-caller-identity" shows whose they are.',
  },
  { names: NO_CREDENTIALS, code: 'NO_CREDENTIALS', hint: 'Set AWS_PROFILE, or sign in with "aws sso login".' },
  {
    names: CREDENTIALS_EXPIRED,
    code: 'CREDENTIALS_EXPIRED',
    hint: 'Renew them, for example with "aws sso login".',
  },
]

/** The rule for an error of the SDK: the first that names it. */
export function findRule(error: unknown, rules: readonly ServiceErrorRule[]): ServiceErrorRule | undefined {
  const { name } = error as SdkError
  return rules.find(({ names }) => names.includes(labelOf(error)) || names.includes(name))
}

/**
 * Says in our words what went wrong, and what to do about it.
 *
 * @param error - what the SDK threw; an AgentError stays what it is
 * @param action - what was asked for, such as `ec2:AttachVolume`
 * @param otherwise - where no rule names it: the code, and who has said what comes after the colon
 */
export function serviceError(
  error: unknown,
  action: string,
  rules: readonly ServiceErrorRule[],
  otherwise: { readonly code: ErrorCode; readonly service: string },
): AgentError {
  if (error instanceof AgentError) return error
  const { name, message } = error as SdkError
  if (name === 'AbortError') {
    return new AgentError('INTERRUPTED', `${action} was stopped before it finished`, {
      hint: 'Run the command again.',
      cause: error,
    })
  }
  const detail = describe(labelOf(error), message)
  const rule = findRule(error, rules)
  return new AgentError(
    rule?.code ?? otherwise.code,
    rule?.message?.(action, detail) ?? `${action} failed: ${detail}`,
    {
      hint: rule?.hint ?? `The text after the colon is what ${otherwise.service} or the SDK said.`,
      cause: error,
    },
  )
}

function describe(label: string, message: string): string {
  if (message === '') return label
  return message.includes(label) ? message : `${label}: ${message}`
}

function labelOf(error: unknown): string {
  const { code, name } = error as SdkError
  return typeof code === 'string' ? code : name
}
