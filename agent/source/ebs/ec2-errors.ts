/** What EC2, the SDK and the network call errors, what each means to an operator, and what to do about it. */
import type { FailureKind } from '../../bucket/retries.io'
import {
  CREDENTIALS_EXPIRED,
  CREDENTIALS_REFUSED,
  findRule,
  NO_CREDENTIALS,
  serviceError,
  UNREACHABLE,
  type SdkError,
  type ServiceErrorRule,
} from '../../bucket/service-errors'
import { AgentError } from '../../errors'
import { onPage } from '../../pages'

/** How the rights for it come to a host. */
export const RIGHTS_HINT = `Deploy the backup stack with "hosts: { ebs: true }" and have the host's role use that policy: ${onPage('ebs')}.`

const RULES: readonly ServiceErrorRule[] = [
  {
    names: ['UnauthorizedOperation', 'AccessDenied', 'Blocked'],
    code: 'ACCESS_DENIED',
    message: (action, detail) => `ec2:${action} is denied: ${detail}`,
    hint: RIGHTS_HINT,
  },
  {
    names: [...CREDENTIALS_REFUSED, 'OptInRequired'],
    code: 'ACCESS_DENIED',
    hint: 'EC2 does not accept these credentials: check which are used with "snapstream preflight", and the clock of this host.',
  },
  {
    names: NO_CREDENTIALS,
    code: 'NO_CREDENTIALS',
    hint: 'Attach an instance profile to the instance.',
  },
  {
    names: CREDENTIALS_EXPIRED,
    code: 'CREDENTIALS_EXPIRED',
    hint: 'Renew them, or use an instance profile, whose credentials are renewed automatically.',
  },
  {
    names: UNREACHABLE,
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
  const { name, $metadata } = error as SdkError
  if (THROTTLING.includes(name)) return 'THROTTLING'
  if (TRANSIENT.includes(name) || ($metadata?.httpStatusCode ?? 0) >= 500) return 'SERVER_ERROR'
  return findRule(error, RULES)?.code === 'ENDPOINT_UNREACHABLE' ? 'TRANSIENT' : 'CLIENT_ERROR'
}

/**
 * Says in the agent's words what went wrong, and what to do about it.
 *
 * @param error - what the SDK threw; an AgentError stays what it is
 */
export function ec2Error(error: unknown, action: string): AgentError {
  return serviceError(error, action, RULES, { code: 'EC2_FAILED', service: 'EC2' })
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
