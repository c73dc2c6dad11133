import { AgentError, type ErrorCode } from '../errors'

/** What was asked of S3 when it failed. */
export interface Operation {
  /** As S3's API calls it, for example `UploadPart`. */
  readonly name: string
  readonly bucket: string
  readonly region: string
  /** Null for what concerns the bucket as a whole. */
  readonly key: string | null
}

/** What is known of an error of the SDK, of S3's answer or of the network below. */
interface Facts {
  /** S3's error code, or the name or code of a network error. */
  readonly name: string
  readonly message: string
  readonly status: number | undefined
  readonly attempts: number
  /** Where the bucket is, where S3 says so. */
  readonly bucketRegion: string | undefined
}

interface Explanation {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string
}
type Explain = (operation: Operation, facts: Facts) => Explanation

/** The permission that a call needs, where it is not named like the call. */
const PERMISSIONS: Readonly<Record<string, string>> = {
  CreateMultipartUpload: 's3:PutObject',
  UploadPart: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  HeadObject: 's3:GetObject',
  ListObjectsV2: 's3:ListBucket',
  ListMultipartUploads: 's3:ListBucketMultipartUploads',
}

const FROM_NAMES = new Map<string, Explain>([
  ...sameFor(bucketMissing, 'NoSuchBucket'),
  ...sameFor(
    wrongRegion,
    ...['PermanentRedirect', 'TemporaryRedirect', 'Redirect', 'AuthorizationHeaderMalformed'],
    'IllegalLocationConstraintException',
  ),
  ...sameFor(accessDenied, 'AccessDenied', 'AllAccessDisabled', 'AccountProblem'),
  ...sameFor(
    noCredentials,
    ...['CredentialsProviderError', 'ProviderError', 'TokenProviderError', 'InvalidIdentityToken'],
  ),
  ...sameFor(expired, 'ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'RequestExpired'),
  ...sameFor(refused, 'InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidToken', 'InvalidSecurity'),
  ...sameFor(clockSkew, 'RequestTimeTooSkewed', 'RequestInTheFuture'),
  ...sameFor(
    unreachable,
    ...['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
    ...['TimeoutError', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ...['SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'EPROTO'],
  ),
  ...sameFor(checksumMismatch, 'BadDigest', 'InvalidDigest', 'XAmzContentChecksumMismatch', 'IncompleteBody'),
  ...sameFor(objectExists, 'PreconditionFailed', 'ConditionalRequestConflict'),
  ...sameFor(objectMissing, 'NoSuchKey', 'NotFound'),
  ...sameFor(archived, 'InvalidObjectState'),
  ...sameFor(uploadGone, 'NoSuchUpload'),
  ...sameFor(tooShort, 'InvalidRange'),
  ...sameFor(overloaded, 'SlowDown', 'ServiceUnavailable', 'InternalError', 'RequestTimeout', 'ThrottlingException'),
])

/** Answers to HEAD requests have no body, and so no error code: their status has to do. */
const FROM_STATUS = new Map<number, Explain>([
  [301, wrongRegion],
  [307, wrongRegion],
  [403, accessDenied],
  [404, objectMissing],
  [412, objectExists],
  [416, tooShort],
])

/**
 * Says in the agent's words what went wrong, and what to do about it.
 *
 * @param error - what the SDK threw; an AgentError, as from a provider of credentials, stays what it is
 */
export function storeError(error: unknown, operation: Operation): AgentError {
  if (error instanceof AgentError) return error
  const facts = readFacts(error)
  if (facts.name === 'AbortError') return interrupted(operation, error)
  const { code, message, hint } = chooseExplanation(facts)(operation, facts)
  return new AgentError(code, message, { hint, cause: error })
}

function chooseExplanation({ name, message, status = 0 }: Facts): Explain {
  // The SDK has no name for a body that does not have the checksum it came with.
  if (message.startsWith('Checksum mismatch')) return checksumMismatch
  return FROM_NAMES.get(name) ?? FROM_STATUS.get(status) ?? (status >= 500 ? overloaded : unforeseen)
}

/** S3's own code for what {@link storeError} has explained; undefined where it was something else. */
export function s3ErrorCode(error: unknown): string | undefined {
  const cause = error instanceof AgentError ? (error.cause as SdkError | undefined) : undefined
  return cause?.name
}

export function interrupted(operation: Operation, cause: unknown): AgentError {
  return new AgentError('INTERRUPTED', `${operation.name} of ${subject(operation)} was stopped before it finished`, {
    hint: 'Run the command again.',
    cause,
  })
}

function readFacts(error: unknown): Facts {
  const { name, message, code, $metadata, $response, Region } = error as SdkError
  return {
    name: code !== undefined && FROM_NAMES.has(code) ? code : name,
    message,
    status: $metadata?.httpStatusCode,
    attempts: $metadata?.attempts ?? 1,
    bucketRegion: Region ?? $response?.headers?.['x-amz-bucket-region'],
  }
}

/** What the SDK puts on an error, as far as it is read here. */
interface SdkError extends Error {
  /** Of network errors, which are called Error or TimeoutError and tell more by this. */
  readonly code?: string
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number }
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> }
  readonly Region?: string
}

function sameFor(explain: Explain, ...names: readonly string[]): [string, Explain][] {
  return names.map((name) => [name, explain])
}

function subject({ bucket, key }: Operation): string {
  return key === null ? `bucket ${bucket}` : `s3://${bucket}/${key}`
}

function bucketMissing({ bucket }: Operation): Explanation {
  return {
    code: 'BUCKET_MISSING',
    message: `bucket ${bucket} does not exist`,
    hint: 'Check --bucket: the name is an output of the deployed backup stack.',
  }
}

function wrongRegion({ bucket, region }: Operation, { bucketRegion }: Facts): Explanation {
  const place = bucketRegion === undefined ? 'in another region' : `in ${bucketRegion}`
  return {
    code: 'BUCKET_REGION',
    message: `bucket ${bucket} is ${place}, not in ${region}`,
    hint: `Set --region ${bucketRegion ?? 'to the region of the bucket'}, or use the bucket of this region.`,
  }
}

function accessDenied(operation: Operation, { message }: Facts): Explanation {
  const { name, bucket, key } = operation
  const permission = PERMISSIONS[name] ?? `s3:${name}`
  const resource = `arn:aws:s3:::${bucket}${key === null ? '' : `/${key}`}`
  return {
    code: 'ACCESS_DENIED',
    message: `${permission} on ${resource} is denied: ${message}`,
    hint:
      `Compare that resource with the statement OwnBackups of the host's role, which must allow ${permission} there, ` +
      'and with the Deny statements of the bucket policy. ' +
      'With a KMS key the role also needs kms:GenerateDataKey and kms:Decrypt on it.',
  }
}

function noCredentials(_: Operation, { message }: Facts): Explanation {
  return {
    code: 'NO_CREDENTIALS',
    message: `no usable credentials: ${message}`,
    hint: 'Attach an instance profile to the instance, or set AWS_PROFILE or AWS_ACCESS_KEY_ID.',
  }
}

function expired(operation: Operation, { message }: Facts): Explanation {
  return {
    code: 'CREDENTIALS_EXPIRED',
    message: `the credentials expired before ${operation.name} of ${subject(operation)}: ${message}`,
    hint: 'Renew them, or use an instance profile, whose credentials are renewed by themselves.',
  }
}

function refused(_: Operation, { name, message }: Facts): Explanation {
  return {
    code: 'ACCESS_DENIED',
    message: `the server does not accept the credentials: ${name}: ${message}`,
    hint: 'Check which credentials are used with "snapstream preflight", and that they belong to this server.',
  }
}

function clockSkew(_: Operation, { message }: Facts): Explanation {
  return {
    code: 'CLOCK_SKEW',
    message: `the clock of this host is too far from the server's: ${message}`,
    hint: 'Set the clock, for example by starting chronyd.',
  }
}

function unreachable(operation: Operation, { name, message, attempts }: Facts): Explanation {
  return {
    code: 'ENDPOINT_UNREACHABLE',
    message: `${operation.name} of ${subject(operation)} did not get through ${count(attempts)}: ${describe(name, message)}`,
    hint: 'Check --endpoint-url and --region, the route to S3 (VPC endpoint, NAT), the security groups and DNS.',
  }
}

function checksumMismatch(operation: Operation, { message }: Facts): Explanation {
  return {
    code: 'CHECKSUM_MISMATCH',
    message: `what arrived in ${operation.name} of ${subject(operation)} is not what was sent: ${message}`,
    hint: 'Run the command again. If it happens again, suspect memory or network hardware.',
  }
}

function objectExists(operation: Operation): Explanation {
  return {
    code: 'OBJECT_EXISTS',
    message: `${subject(operation)} exists already`,
    hint: 'Nothing is ever overwritten. Run the command again: a new run has keys of its own.',
  }
}

function objectMissing(operation: Operation): Explanation {
  return {
    code: 'OBJECT_MISSING',
    message: `${subject(operation)} does not exist`,
    hint: 'List the runs with "snapstream list". It may have expired under a lifecycle rule.',
  }
}

function archived(operation: Operation, { message }: Facts): Explanation {
  return {
    code: 'OBJECT_ARCHIVED',
    message: `${subject(operation)} is archived: ${message}`,
    hint: 'It has to be restored from its storage class before it can be read.',
  }
}

function uploadGone(operation: Operation): Explanation {
  return {
    code: 'STORE_FAILED',
    message: `the upload to ${subject(operation)} does not exist any more`,
    hint: 'A lifecycle rule, a cleanup or another process aborted it. Run the command again.',
  }
}

function tooShort(operation: Operation): Explanation {
  return {
    code: 'ARCHIVE_DAMAGED',
    message: `${subject(operation)} ends before the range that should be in it`,
    hint: 'The object is shorter than its catalog says. Use another run.',
  }
}

function overloaded(operation: Operation, { name, message, attempts }: Facts): Explanation {
  return {
    code: 'STORE_FAILED',
    message: `${operation.name} of ${subject(operation)} failed ${count(attempts)}: ${describe(name, message)}`,
    hint: 'The server was overloaded or broken for as long as it was retried. Run the command again later.',
  }
}

function unforeseen(operation: Operation, { name, message }: Facts): Explanation {
  return {
    code: 'STORE_FAILED',
    message: `${operation.name} of ${subject(operation)} failed: ${describe(name, message)}`,
    hint: 'The text after the colon is what S3 or the SDK said.',
  }
}

function count(attempts: number): string {
  return attempts === 1 ? 'in 1 attempt' : `in ${attempts} attempts`
}

/** Network errors have their name in the message already. */
function describe(name: string, message: string): string {
  return message.includes(name) ? message : `${name}: ${message}`
}
