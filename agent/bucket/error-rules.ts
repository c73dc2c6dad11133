/** What S3, the SDK and the network call errors, what each means to an operator, and what to do about it. */
import type { ErrorCode } from '../errors'
import type { Operation } from './errors'

/** What S3, the SDK or the network said, for the texts below. */
export interface Failure extends Omit<Operation, 'attempts'> {
  /** The operation and what it was about, for example `UploadPart of s3://bucket/key`. */
  readonly action: string
  /** The object, or else the bucket. */
  readonly subject: string
  readonly permission: string
  readonly detail: string
  readonly attempts: string
  /** Where the bucket is, where S3 says so. */
  readonly bucketRegion: string | undefined
}

export interface Rule {
  /** S3's error codes, the SDK's names of errors, the network's codes. */
  readonly names: readonly string[]
  /** Answers to HEAD requests have no body, and so no error code: their status has to do. */
  readonly status?: number
  readonly code: ErrorCode
  readonly message: (failure: Failure) => string
  readonly hint: string | ((failure: Failure) => string)
}

export const RULES: readonly Rule[] = [
  {
    names: ['NoSuchBucket'],
    code: 'BUCKET_MISSING',
    message: ({ bucket }) => `bucket ${bucket} does not exist`,
    hint: 'Check --bucket: the name is an output of the deployed backup stack.',
  },
  {
    names: ['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException'],
    status: 301,
    code: 'BUCKET_REGION',
    message: ({ bucket, region, bucketRegion }) =>
      `bucket ${bucket} is in ${bucketRegion ?? 'another region'}, not in ${region}`,
    hint: ({ bucketRegion }) =>
      `Set --region ${bucketRegion ?? 'to the region of the bucket'}, or use the bucket of this region.`,
  },
  {
    names: ['AccessDenied', 'AllAccessDisabled', 'AccountProblem'],
    status: 403,
    code: 'ACCESS_DENIED',
    message: ({ permission, bucket, key, detail }) =>
      `${permission} on arn:aws:s3:::${bucket}${key === null ? '' : `/${key}`} is denied: ${detail}`,
    hint: accessHint,
  },
  {
    names: ['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidToken', 'InvalidSecurity'],
    code: 'ACCESS_DENIED',
    message: ({ detail }) => `the server does not accept the credentials: ${detail}`,
    hint: 'Check which credentials are used with "snapstream preflight", and that they belong to this server.',
  },
  {
    names: ['CredentialsProviderError', 'ProviderError', 'TokenProviderError'],
    code: 'NO_CREDENTIALS',
    message: ({ detail }) => `no usable credentials: ${detail}`,
    hint: 'Attach an instance profile to the instance, or set AWS_PROFILE or AWS_ACCESS_KEY_ID.',
  },
  {
    names: ['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'RequestExpired'],
    code: 'CREDENTIALS_EXPIRED',
    message: ({ action, detail }) => `the credentials expired before ${action}: ${detail}`,
    hint: 'Renew them, or use an instance profile, whose credentials are renewed automatically.',
  },
  {
    names: ['RequestTimeTooSkewed', 'RequestInTheFuture'],
    code: 'CLOCK_SKEW',
    message: ({ detail }) => `the clock of this host is too far from the server's: ${detail}`,
    hint: 'Set the clock, for example by starting chronyd.',
  },
  {
    names: ['PROXY_UNREACHABLE'],
    code: 'ENDPOINT_UNREACHABLE',
    message: ({ action, attempts, detail }) => `${action} did not get through ${attempts}: ${detail}`,
    hint: 'Check HTTPS_PROXY and HTTP_PROXY, and the route to that proxy. NO_PROXY lists the hosts that are reached without one.',
  },
  {
    names: ['PROXY_AUTHENTICATION'],
    code: 'ACCESS_DENIED',
    message: ({ action, detail }) => `${action} was not let through: ${detail}`,
    hint: 'The proxy wants a user name and a password: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT, with %40 for an at sign.',
  },
  {
    names: ['PROXY_REFUSED'],
    code: 'ENDPOINT_UNREACHABLE',
    message: ({ action, attempts, detail }) => `${action} was not let through ${attempts}: ${detail}`,
    hint: 'Allow that host and port in the proxy, or list the host in NO_PROXY if it can be reached directly.',
  },
  {
    names: ['EndpointError'],
    code: 'CONFIG_INVALID',
    message: ({ detail }) => `there is no such S3 endpoint: ${detail}`,
    hint: 'Check --endpoint-url, --region, AWS_ENDPOINT_URL_S3, AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT.',
  },
  {
    names: [
      ...['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
      'TimeoutError',
    ],
    code: 'ENDPOINT_UNREACHABLE',
    message: ({ action, attempts, detail }) => `${action} did not get through ${attempts}: ${detail}`,
    hint: 'Check --endpoint-url and --region, the route to S3 (VPC endpoint, NAT), the security groups and DNS.',
  },
  {
    names: [
      ...['CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
      ...['SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
    ],
    code: 'ENDPOINT_UNREACHABLE',
    message: ({ detail }) => `the server's certificate is not trusted: ${detail}`,
    hint: 'Check --endpoint-url. Name the file with the certificate of your own authority in NODE_EXTRA_CA_CERTS.',
  },
  {
    names: ['EPROTO'],
    code: 'ENDPOINT_UNREACHABLE',
    message: ({ action, detail }) =>
      `${action} did not get through, since the server speaks no TLS that this host understands: ${detail}`,
    hint: 'Check --endpoint-url: its port, and whether it has to start with http:// or https://.',
  },
  {
    names: ['BadDigest', 'InvalidDigest', 'XAmzContentChecksumMismatch', 'IncompleteBody'],
    code: 'CHECKSUM_MISMATCH',
    message: ({ action, detail }) => `what arrived in ${action} is not what was sent: ${detail}`,
    hint: 'Run the command again. If it happens again, suspect memory or network hardware.',
  },
  {
    names: ['PreconditionFailed', 'ConditionalRequestConflict'],
    status: 412,
    code: 'OBJECT_EXISTS',
    message: ({ subject }) => `${subject} already exists`,
    hint: 'Nothing is ever overwritten. Run the command again: a new run has keys of its own.',
  },
  {
    names: ['NoSuchKey', 'NoSuchVersion', 'NotFound'],
    status: 404,
    code: 'OBJECT_MISSING',
    message: ({ subject }) => `${subject} does not exist`,
    hint: 'List the runs with "snapstream list". It may have expired under a lifecycle rule.',
  },
  {
    names: ['InvalidObjectState'],
    code: 'OBJECT_ARCHIVED',
    message: ({ subject, detail }) => `${subject} is archived: ${detail}`,
    hint: 'It has to be restored from its storage class before it can be read.',
  },
  {
    names: ['NoSuchUpload'],
    code: 'STORE_FAILED',
    message: ({ subject }) => `the upload to ${subject} no longer exists`,
    hint: 'A lifecycle rule, a cleanup or another process aborted it. Run the command again.',
  },
  {
    names: ['InvalidRange'],
    status: 416,
    code: 'ARCHIVE_DAMAGED',
    message: ({ subject }) => `${subject} ends before the range that should be in it`,
    hint: 'The object is shorter than its catalog says. Use another run.',
  },
  {
    names: ['SlowDown', 'ServiceUnavailable', 'InternalError', 'RequestTimeout', 'ThrottlingException'],
    status: 500,
    code: 'STORE_FAILED',
    message: ({ action, attempts, detail }) => `${action} failed ${attempts}: ${detail}`,
    hint: 'The server stayed overloaded or broken during all retries. Run the command again later.',
  },
]

function accessHint({ permission }: Failure): string {
  if (VERSION_PERMISSIONS.includes(permission)) {
    return (
      'Hosts may not read versions, by design. Use the restorer role of the backup stack, for example with AWS_PROFILE: ' +
      `it may use ${VERSION_PERMISSIONS.join(' and ')}.`
    )
  }
  if (AUDITOR_PERMISSIONS.includes(permission)) {
    return (
      'Hosts may not do that, by design. Use the credentials of the auditor, or of an operator who looks after the bucket, for example ' +
      'with AWS_PROFILE.'
    )
  }
  const denied =
    `Compare that resource with the statement OwnBackups of the host's role, which must allow ${permission} there, ` +
    'and with the Deny statements of the bucket policy. ' +
    'With a KMS key the role also needs kms:GenerateDataKey and kms:Decrypt on it.'
  // GetObject, "Permissions" (S3 API reference): 403 instead of 404 without s3:ListBucket.
  return permission === 's3:GetObject'
    ? `${denied} Without permission to list the bucket, S3 answers the same for objects that do not exist.`
    : denied
}

const AUDITOR_PERMISSIONS: readonly string[] = [
  's3:GetObjectTagging',
  's3:PutObjectTagging',
  's3:GetLifecycleConfiguration',
]
const VERSION_PERMISSIONS: readonly string[] = ['s3:ListBucketVersions', 's3:GetObjectVersion']

export const UNFORESEEN: Rule = {
  names: [],
  code: 'STORE_FAILED',
  message: ({ action, detail }) => `${action} failed: ${detail}`,
  hint: 'The text after the colon is what S3 or the SDK said.',
}
