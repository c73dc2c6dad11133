/** Why an account could not be asked, for people. */
import { AgentError, type ErrorCode } from '../../agent/errors'

interface Rule {
  readonly names: RegExp
  readonly code: ErrorCode
  readonly hint: string
}

const RULES: readonly Rule[] = [
  {
    names: /^(AccessDenied(Exception)?|UnauthorizedOperation|AuthFailure|OptInRequired)$/,
    code: 'ACCESS_DENIED',
    hint: 'Deploy the stage of that account, which makes the role that the auditor assumes; or see whether the role still trusts it.',
  },
  {
    names: /^(UnrecognizedClientException|InvalidClientTokenId|SignatureDoesNotMatch|InvalidSignatureException)$/,
    code: 'ACCESS_DENIED',
    hint: 'AWS does not accept these credentials: "aws sts get-caller-identity" shows whose they are.',
  },
  {
    names: /^(CredentialsProviderError|ProviderError|TokenProviderError)$/,
    code: 'NO_CREDENTIALS',
    hint: 'Set AWS_PROFILE, or sign in with "aws sso login".',
  },
  {
    names: /^(ExpiredToken(Exception)?|RequestExpired)$/,
    code: 'CREDENTIALS_EXPIRED',
    hint: 'Renew them, for example with "aws sso login".',
  },
  {
    names: /^(ENOTFOUND|EAI_AGAIN|ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|TimeoutError|PROXY_\w+)$/,
    code: 'ENDPOINT_UNREACHABLE',
    hint: 'Check the way to EC2, Systems Manager and STS in that region: DNS, proxy, VPC endpoints.',
  },
]

/** @param error - as the SDK threw it; an AgentError stays what it is */
export function accountError(error: unknown, action: string): AgentError {
  if (error instanceof AgentError) return error
  const { name, code, message } = error as Error & { readonly code?: unknown }
  if (name === 'AbortError') {
    return new AgentError('INTERRUPTED', `${action} was stopped before it finished`, {
      hint: 'Run the command again.',
      cause: error,
    })
  }
  const label = typeof code === 'string' ? code : name
  const rule = RULES.find(({ names }) => names.test(label) || names.test(name))
  const detail = message.includes(label) ? message : `${label}: ${message}`
  return new AgentError(
    rule?.code ?? (action.startsWith('ssm:') ? 'SSM_FAILED' : 'EC2_FAILED'),
    `${action} failed: ${detail}`,
    {
      hint: rule?.hint ?? 'The text after the colon is what AWS or the SDK said.',
      cause: error,
    },
  )
}
