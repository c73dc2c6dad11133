import type { ErrorCode } from '../../agent/errors'
import { storeError, type Operation } from '../../agent/bucket/errors'

const UPLOADING: Operation = { name: 'UploadPart', bucket: 'backups', region: 'eu-west-1', key: 'data/daily/h/r/v.tar' }
const READING: Operation = { ...UPLOADING, name: 'GetObject' }
const LISTING: Operation = { ...UPLOADING, name: 'ListObjectsV2', key: null }

/** An error as the SDK throws it for an answer of S3. */
function answered(status: number, name: string, more: object = {}): Error {
  return Object.assign(new Error(`${name} it is`), {
    name,
    $metadata: { httpStatusCode: status, attempts: 1 },
    ...more,
  })
}

/** An error as the network throws it. */
function broken(code: string, message: string): Error {
  return Object.assign(new Error(message), { code, $metadata: { attempts: 8 } })
}

test.each<[Error, Operation, ErrorCode, string]>([
  [answered(404, 'NoSuchBucket'), LISTING, 'BUCKET_MISSING', 'bucket backups does not exist'],
  [
    answered(301, 'PermanentRedirect', { $response: { headers: { 'x-amz-bucket-region': 'us-west-2' } } }),
    UPLOADING,
    'BUCKET_REGION',
    'bucket backups is in us-west-2, not in eu-west-1',
  ],
  [answered(301, 'UnknownError'), READING, 'BUCKET_REGION', 'bucket backups is in another region, not in eu-west-1'],
  [
    answered(403, 'AccessDenied'),
    UPLOADING,
    'ACCESS_DENIED',
    's3:PutObject on arn:aws:s3:::backups/data/daily/h/r/v.tar is denied: AccessDenied it is',
  ],
  [answered(403, '403'), LISTING, 'ACCESS_DENIED', 's3:ListBucket on arn:aws:s3:::backups is denied: 403 it is'],
  [
    answered(403, 'InvalidAccessKeyId'),
    UPLOADING,
    'ACCESS_DENIED',
    'the server does not accept the credentials: InvalidAccessKeyId it is',
  ],
  [
    Object.assign(new Error('Could not load credentials from any providers'), { name: 'CredentialsProviderError' }),
    UPLOADING,
    'NO_CREDENTIALS',
    'no usable credentials: CredentialsProviderError: Could not load credentials from any providers',
  ],
  [
    answered(400, 'ExpiredToken'),
    UPLOADING,
    'CREDENTIALS_EXPIRED',
    'the credentials expired before UploadPart of s3://backups/data/daily/h/r/v.tar: ExpiredToken it is',
  ],
  [
    answered(403, 'RequestTimeTooSkewed'),
    UPLOADING,
    'CLOCK_SKEW',
    "the clock of this host is too far from the server's: RequestTimeTooSkewed it is",
  ],
  [
    broken('ENOTFOUND', 'getaddrinfo ENOTFOUND s3.example.test'),
    LISTING,
    'ENDPOINT_UNREACHABLE',
    'ListObjectsV2 of bucket backups did not get through in 8 attempts: getaddrinfo ENOTFOUND s3.example.test',
  ],
  [
    broken('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:9'),
    LISTING,
    'ENDPOINT_UNREACHABLE',
    'ListObjectsV2 of bucket backups did not get through in 8 attempts: connect ECONNREFUSED 127.0.0.1:9',
  ],
  [
    Object.assign(broken('ECONNRESET', 'socket hang up'), { name: 'TimeoutError' }),
    LISTING,
    'ENDPOINT_UNREACHABLE',
    'ListObjectsV2 of bucket backups did not get through in 8 attempts: ECONNRESET: socket hang up',
  ],
  [
    Object.assign(new Error('the socket timed out'), { name: 'TimeoutError', $metadata: { attempts: 8 } }),
    LISTING,
    'ENDPOINT_UNREACHABLE',
    'ListObjectsV2 of bucket backups did not get through in 8 attempts: TimeoutError: the socket timed out',
  ],
  [
    Object.assign(
      new AggregateError([
        broken('ECONNREFUSED', 'connect ECONNREFUSED ::1:9'),
        broken('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:9'),
      ]),
      {
        ...{ code: 'ECONNREFUSED', $metadata: { attempts: 5 } },
      },
    ),
    LISTING,
    'ENDPOINT_UNREACHABLE',
    'ListObjectsV2 of bucket backups did not get through in 5 attempts: connect ECONNREFUSED ::1:9, connect ECONNREFUSED 127.0.0.1:9',
  ],
  [
    broken('EPROTO', 'write EPROTO 40:error:0A00010B:SSL routines:wrong version number\n'),
    LISTING,
    'ENDPOINT_UNREACHABLE',
    'ListObjectsV2 of bucket backups did not get through, since the server speaks no TLS that this host understands: ' +
      'write EPROTO 40:error:0A00010B:SSL routines:wrong version number',
  ],
  [
    broken('CERT_HAS_EXPIRED', 'certificate has expired'),
    LISTING,
    'ENDPOINT_UNREACHABLE',
    "the server's certificate is not trusted: CERT_HAS_EXPIRED: certificate has expired",
  ],
  [
    answered(400, 'BadDigest'),
    UPLOADING,
    'CHECKSUM_MISMATCH',
    'what arrived in UploadPart of s3://backups/data/daily/h/r/v.tar is not what was sent: BadDigest it is',
  ],
  [answered(412, 'PreconditionFailed'), UPLOADING, 'OBJECT_EXISTS', 's3://backups/data/daily/h/r/v.tar already exists'],
  [answered(404, 'NoSuchKey'), READING, 'OBJECT_MISSING', 's3://backups/data/daily/h/r/v.tar does not exist'],
  [answered(404, 'NotFound'), READING, 'OBJECT_MISSING', 's3://backups/data/daily/h/r/v.tar does not exist'],
  [
    answered(403, 'InvalidObjectState'),
    READING,
    'OBJECT_ARCHIVED',
    's3://backups/data/daily/h/r/v.tar is archived: InvalidObjectState it is',
  ],
  [
    answered(416, 'InvalidRange'),
    READING,
    'ARCHIVE_DAMAGED',
    's3://backups/data/daily/h/r/v.tar ends before the range that should be in it',
  ],
  [
    answered(503, 'SlowDown', { $metadata: { httpStatusCode: 503, attempts: 8 } }),
    UPLOADING,
    'STORE_FAILED',
    'UploadPart of s3://backups/data/daily/h/r/v.tar failed in 8 attempts: SlowDown it is',
  ],
  [
    answered(502, 'Bad Gateway'),
    UPLOADING,
    'STORE_FAILED',
    'UploadPart of s3://backups/data/daily/h/r/v.tar failed in 1 attempt: Bad Gateway it is',
  ],
  [
    answered(400, 'InvalidStorageClass'),
    UPLOADING,
    'STORE_FAILED',
    'UploadPart of s3://backups/data/daily/h/r/v.tar failed: InvalidStorageClass it is',
  ],
  [
    Object.assign(new Error('Request aborted'), { name: 'AbortError' }),
    UPLOADING,
    'INTERRUPTED',
    'UploadPart of s3://backups/data/daily/h/r/v.tar was stopped before it finished',
  ],
])('%s', (error, operation, code, message) => {
  const told = storeError(error, operation)
  expect(told).toMatchObject({ code, message, cause: error })
  expect(told.hint).toMatch(/^[A-Z].*\.$/)
})

test('who denies access is told where to look', () => {
  expect(storeError(answered(403, 'AccessDenied'), UPLOADING).hint).toBe(
    "Compare that resource with the statement OwnBackups of the host's role, which must allow s3:PutObject there, and " +
      'with the Deny statements of the bucket policy. With a KMS key the role also needs kms:GenerateDataKey and ' +
      'kms:Decrypt on it.',
  )
})

test('who may not read is told that S3 answers the same for missing objects', () => {
  expect(storeError(answered(403, 'AccessDenied'), READING).hint).toMatch(
    / answers the same for objects that do not exist\.$/,
  )
})

test.each(['ListObjectVersions', 'GetObjectVersion', 'HeadObjectVersion'])(
  'who may not look at versions is told who may: %s',
  (name) => {
    const { message, hint } = storeError(answered(403, 'AccessDenied'), { ...READING, name })
    expect(message).toMatch(/^s3:(ListBucketVersions|GetObjectVersion) on /)
    expect(hint).toMatch(/^Hosts may not read versions, by design\. Use the restorer role /)
  },
)
