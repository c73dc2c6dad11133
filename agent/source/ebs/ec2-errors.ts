/** What EC2, the SDK and the network call errors, what each means to an operator, and what to do about it. */
import type { FailureKind } from '../../bucket/retries.io'
import { AgentError, type ErrorCode } from '../../errors'
import { onPage } from '../../pages'

/** What the SDK puts on an error, as far as it is read here. */
interface SdkError extends Error {
  /** Of network errors: a text. */
  readonly code?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number }
}

interface Rule {
  readonly names: readonly string[]
  readonly code: ErrorCode
  readonly message?: (action: string, detail: string) => string
  readonly hint: string
}

/** How the rights for it come to a host. */
export const RIGHTS_HINT = `Deploy the backup stack with "hosts: { ebs: true }" and have the host's role use that policy: ${onPage('ebs')}.`

const RULES: readonly Rule[] = [
  {
    names: ['UnauthorizedOperation', 'AccessDenied', 'Blocked'],
    code: 'ACCESS_DENIED',
    message: (action, detail) => `ec2:${action} is denied: ${detail}`,
    hint: RIGHTS_HINT,
  },
  {
    names: [
      'AuthFailure',
      'InvalidClientTokenId',
      'SignatureDoesNotMatch',
      'MissingAuthenticationToken',
      'OptInRequired',
    ],
    code: 'ACCESS_DENIED',
    hint: 'EC2 does not accept these credentials: check which are used with "snapstream preflight", and the clock of this host.',
  },
  {
    names: ['CredentialsProviderError', 'ProviderError', 'TokenProviderError'],
    code: 'NO_CREDENTIALS',
    hint: 'Attach an instance profile to the instance.',
  },
  {
    names: ['ExpiredToken', 'ExpiredTokenException', 'RequestExpired'],
    code: 'CREDENTIALS_EXPIRED',
    hint: 'Renew them, or use an instance profile, whose credentials are renewed automatically.',
  },
  {
    names: [
      ...['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
      ...['TimeoutError', 'PROXY_UNREACHABLE', 'PROXY_REFUSED', 'PROXY_AUTHENTICATION'],
    ],
    code: 'ENDPOINT_UNREACHABLE',
    hint: 'Check the route to EC2 (VPC endpoint com.amazonaws.REGION.ec2, NAT, proxy), the security groups, DNS and --ec2-endpoint-url.',
  },
  {
    names: ['AttachmentLimitExceeded'],
    code: 'EC2_FAILED',
    hint: 'The instance has as many volumes as it can have: detach one, use a larger type, or leave volumes out with --exclude-volumes.',
  },
  {
    names: ['ConcurrentSnapshotLimitExceeded', 'SnapshotCreationPerVolumeRateExceeded', 'SnapshotLimitExceeded'],
    code: 'EC2_FAILED',
    hint: 'Something else takes snapshots of these volumes, too: back up at another time, or have the quota raised.',
  },
  {
    names: ['VolumeLimitExceeded', 'MaxIOPSLimitExceeded'],
    code: 'EC2_FAILED',
    hint: 'Have the quota of EBS volumes raised (Service Quotas, "Amazon Elastic Block Store").',
  },
]

/** It says that it is too busy, or that too much was asked of it: it has done nothing. */
const THROTTLING = [
  ...['RequestLimitExceeded', 'Throttling', 'ThrottlingException', 'RequestThrottled', 'TooManyRequestsException'],
  'SnapshotCreationPerVolumeRateExceeded',
]
const TRANSIENT = ['Unavailable', 'ServiceUnavailable', 'InternalError', 'InternalFailure', 'RequestTimeout']

/** How the SDK would sort what a request to EC2 failed with. */
export function failureKindOf(error: unknown): FailureKind {
  const { name, code, $metadata } = error as SdkError
  if (THROTTLING.includes(name)) return 'THROTTLING'
  if (TRANSIENT.includes(name) || ($metadata?.httpStatusCode ?? 0) >= 500) return 'SERVER_ERROR'
  const isNetwork = RULES.some(
    ({ names, code: meaning }) => meaning === 'ENDPOINT_UNREACHABLE' && names.includes(labelOf({ code, name })),
  )
  return isNetwork ? 'TRANSIENT' : 'CLIENT_ERROR'
}

/**
 * Says in the agent's words what went wrong, and what to do about it.
 *
 * @param error - what the SDK threw; an AgentError stays what it is
 */
export function ec2Error(error: unknown, action: string): AgentError {
  if (error instanceof AgentError) return error
  const { name, code, message } = error as SdkError
  if (name === 'AbortError') {
    return new AgentError('INTERRUPTED', `${action} was stopped before it finished`, {
      hint: 'Run the command again.',
      cause: error,
    })
  }
  const label = labelOf({ code, name })
  const detail = message.includes(label) ? message : `${label}: ${message}`
  const rule = RULES.find(({ names }) => names.includes(label) || names.includes(name))
  const text = rule?.message?.(action, detail) ?? `${action} failed: ${detail}`
  return new AgentError(rule?.code ?? 'EC2_FAILED', text, {
    hint: rule?.hint ?? 'The text after the colon is what EC2 or the SDK said.',
    cause: error,
  })
}

function labelOf({ code, name }: Pick<SdkError, 'code' | 'name'>): string {
  return typeof code === 'string' ? code : name
}

/** EC2's own code for what {@link ec2Error} has explained; undefined where it was something else. */
export function ec2ErrorCode(error: unknown): string | undefined {
  const cause = error instanceof AgentError ? (error.cause as SdkError | undefined) : undefined
  return cause?.name
}

/** What is asked for is not there: it has gone, or is so new that it is not known everywhere yet. */
export function isNotFound(error: unknown): boolean {
  return ec2ErrorCode(error)?.endsWith('.NotFound') ?? false
}
