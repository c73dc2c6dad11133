import { AgentError } from '../errors'
import { RULES, UNFORESEEN, type Failure, type Rule } from './error-rules'

/** What was asked of S3 when it failed. */
export interface Operation {
  /** As S3's API calls it, for example `UploadPart`; followed by `Version` where a version is named. */
  readonly name: string
  readonly bucket: string
  readonly region: string
  /** Null for what concerns the bucket as a whole. */
  readonly key: string | null
  /** How long it was tried. */
  readonly seconds?: number
  /** How often it was tried, where that is not for the SDK to say. */
  readonly attempts?: number
}

/** The permission that an operation needs, where it is not named like the operation. */
const PERMISSIONS: Readonly<Record<string, string>> = {
  CreateMultipartUpload: 's3:PutObject',
  UploadPart: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  HeadObject: 's3:GetObject',
  HeadObjectVersion: 's3:GetObjectVersion',
  ListObjectsV2: 's3:ListBucket',
  ListObjectVersions: 's3:ListBucketVersions',
  ListMultipartUploads: 's3:ListBucketMultipartUploads',
  GetBucketLifecycleConfiguration: 's3:GetLifecycleConfiguration',
}

/**
 * Says in the agent's words what went wrong, and what to do about it.
 *
 * @param error - what the SDK threw; an AgentError, as from a provider of credentials, stays what it is
 */
export function storeError(error: unknown, operation: Operation): AgentError {
  if (error instanceof AgentError) return error
  const sdkError = error as SdkError
  if (sdkError.name === 'AbortError') return interrupted(operation, error)
  const { code, message, hint } = chooseRule(sdkError)
  const failure = describe(sdkError, operation)
  return new AgentError(code, message(failure), { hint: typeof hint === 'string' ? hint : hint(failure), cause: error })
}

/** S3's own code for what {@link storeError} has explained; undefined where it was something else. */
export function s3ErrorCode(error: unknown): string | undefined {
  const cause = error instanceof AgentError ? (error.cause as SdkError | undefined) : undefined
  return cause?.name
}

/** True where the SDK has sent a request more than once before it failed: an earlier one may have been carried out. */
export function wasSentAgain(error: unknown): boolean {
  const cause = error instanceof AgentError ? (error.cause as SdkError | undefined) : undefined
  return (cause?.$metadata?.attempts ?? 1) > 1
}

export function interrupted(operation: Operation, cause: unknown): AgentError {
  return new AgentError('INTERRUPTED', `${actionOf(operation)} was stopped before it finished`, {
    hint: 'Run the command again.',
    cause,
  })
}

/** What the SDK puts on an error, as far as it is read here. */
interface SdkError extends Error {
  /** Of network errors, which are called Error or TimeoutError and tell more by this. */
  readonly code?: string
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number }
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> }
  readonly Region?: string
  /** Of a host with several addresses: why each of them failed. The message is empty then. */
  readonly errors?: readonly Error[]
}

/** Where the SDK advises its caller's programmer, who is not the one that reads this. */
const SDK_ADVICE = /\s*Deserialization error: to see the raw response/

function chooseRule({ name, code, message, $metadata }: SdkError): Rule {
  const status = $metadata?.httpStatusCode ?? 0
  const named = (wanted: string | undefined) => RULES.find(({ names }) => names.some((each) => each === wanted))
  // The SDK has no name for a body that does not have the checksum it came with.
  if (message.startsWith('Checksum mismatch')) return named('BadDigest') ?? UNFORESEEN
  const byStatus = RULES.find((rule) => rule.status === (status > 500 ? 500 : status))
  return named(code) ?? named(name) ?? byStatus ?? UNFORESEEN
}

function describe(error: SdkError, operation: Operation): Failure {
  const { name, code, $metadata, $response, Region, errors = [] } = error
  const attempts = operation.attempts ?? $metadata?.attempts ?? 1
  const label = code ?? name
  const [message = ''] = (error.message || errors.map((each) => each.message).join(', ')).trim().split(SDK_ADVICE)
  return {
    ...operation,
    action: actionOf(operation),
    subject: subjectOf(operation),
    permission: PERMISSIONS[operation.name] ?? `s3:${operation.name}`,
    detail: message.includes(label) || label.startsWith('PROXY_') ? message : `${label}: ${message}`,
    attempts: formatAttempts(attempts, operation.seconds ?? 0),
    bucketRegion: Region ?? $response?.headers?.['x-amz-bucket-region'],
  }
}

function formatAttempts(attempts: number, seconds: number): string {
  const minutes = Math.floor(seconds / 60)
  return `in ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}${minutes > 0 ? ` over ${minutes} min` : ''}`
}

function actionOf(operation: Operation): string {
  return `${operation.name} of ${subjectOf(operation)}`
}

function subjectOf({ bucket, key }: Operation): string {
  return key === null ? `bucket ${bucket}` : `s3://${bucket}/${key}`
}
