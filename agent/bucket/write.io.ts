/** Writes objects and uploads: nothing is ever overwritten, and nothing is taken for stored unless S3 says so. */
import { onPage } from '../pages'
import { createHash } from 'node:crypto'
import { crc32 as checksum } from 'node:zlib'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type StorageClass,
} from '@aws-sdk/client-s3'
import { AgentError, hasCode } from '../errors'
import { call, type S3Connection } from './client.io'
import { s3ErrorCode, wasSentAgain } from './errors'
import { head } from './facts.io'
import { wholeCrc32 } from './object-info'
import type { CompleteOptions, Completion, FinishedPart, ObjectHead, PutOptions, UploadRef } from '../context'
import { encodeCrc32, formatCrc32 } from '../lib/crc32'

/** A part that arrives wrong as often as this will not arrive right: something on the way is broken. */
const SENDINGS_MAX = 4

export async function put(
  s3: S3Connection,
  key: string,
  body: string | Uint8Array,
  signal: AbortSignal,
  { contentType }: PutOptions = {},
): Promise<void> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const whole = { sizeBytes: bytes.length, crc32: checksum(bytes) }
  const input = {
    ...{ Bucket: s3.bucket, Key: key, Body: bytes, ChecksumCRC32: encodeCrc32(whole.crc32), IfNoneMatch: '*' },
    ...(contentType !== undefined && { ContentType: contentType }),
    // Servers that know nothing of CRC32 compare this one.
    ...(!(await s3.enforcesConditions()) && { ContentMD5: createHash('md5').update(bytes).digest('base64') }),
  }
  await refuseIfTaken(s3, key, signal)
  try {
    await sendIntact(s3, key, bytes, whole.crc32, () =>
      call(s3, { name: 'PutObject', key }, signal, (sending) => s3.client.send(new PutObjectCommand(input), sending)),
    )
  } catch (error) {
    await assertOwnWrite(s3, key, whole, error, signal)
  }
}

export async function createUpload(
  s3: S3Connection,
  key: string,
  storageClass: string | undefined,
  signal: AbortSignal,
): Promise<UploadRef> {
  const input = {
    ...{ Bucket: s3.bucket, Key: key, ChecksumAlgorithm: 'CRC32' as const, ChecksumType: 'FULL_OBJECT' as const },
    ...(storageClass !== undefined && { StorageClass: storageClass as StorageClass }),
  }
  const { UploadId } = await call(s3, { name: 'CreateMultipartUpload', key }, signal, (sending) =>
    s3.client.send(new CreateMultipartUploadCommand(input), sending),
  )
  return { key, uploadId: UploadId as string }
}

export async function uploadPart(
  s3: S3Connection,
  { key, uploadId }: UploadRef,
  partNumber: number,
  body: Uint8Array,
  crc32: number,
  signal: AbortSignal,
): Promise<FinishedPart> {
  const input = {
    ...{ Bucket: s3.bucket, Key: key, UploadId: uploadId, PartNumber: partNumber },
    ...{ Body: body, ChecksumCRC32: encodeCrc32(crc32) },
  }
  const { ETag } = await sendIntact(s3, key, body, crc32, () =>
    call(s3, { name: 'UploadPart', key }, signal, (sending) => s3.client.send(new UploadPartCommand(input), sending)),
  )
  return { partNumber, etag: ETag as string, crc32 }
}

/** Sends again what arrived with a wrong byte: it is all still here, and hours of work depend on it. */
async function sendIntact<T>(
  s3: S3Connection,
  key: string,
  body: Uint8Array,
  crc32: number,
  send: () => Promise<T>,
): Promise<T> {
  for (let sending = 1; ; sending++) {
    try {
      return await send()
    } catch (error) {
      if (!hasCode(error, 'CHECKSUM_MISMATCH')) throw error
      assertUnchanged(key, body, crc32)
      if (sending === SENDINGS_MAX) throw error
      s3.log.warn(`what arrived of ${key} is not what was sent: sending it again`)
    }
  }
}

/** The server may be right: then the bytes changed here, after their checksum was taken, and nobody has the right ones. */
function assertUnchanged(key: string, body: Uint8Array, crc32: number): void {
  const found = checksum(body)
  if (found === crc32) return
  throw new AgentError(
    'CHECKSUM_MISMATCH',
    `what was to be sent to ${key} has changed in the memory of this host: ` +
      `its CRC32 is ${formatCrc32(found)}, and was ${formatCrc32(crc32)}`,
    { hint: 'Test the memory of this host before you trust anything on it, then run the command again.' },
  )
}

export async function completeUpload(
  s3: S3Connection,
  { key, uploadId }: UploadRef,
  parts: readonly FinishedPart[],
  whole: CompleteOptions,
  signal: AbortSignal,
): Promise<Completion> {
  const input = {
    ...{ Bucket: s3.bucket, Key: key, UploadId: uploadId, IfNoneMatch: '*', ChecksumType: 'FULL_OBJECT' as const },
    ...{ ChecksumCRC32: encodeCrc32(whole.crc32), MpuObjectSize: whole.sizeBytes },
    MultipartUpload: { Parts: parts.toSorted((a, b) => a.partNumber - b.partNumber).map(toCompletedPart) },
  }
  await refuseIfTaken(s3, key, signal)
  let answered: number | undefined
  try {
    const output = await call(s3, { name: 'CompleteMultipartUpload', key }, signal, (sending) =>
      s3.client.send(new CompleteMultipartUploadCommand(input), sending),
    )
    answered = wholeCrc32(output)
  } catch (error) {
    const stored = await assertOwnWrite(s3, key, whole, error, signal)
    return { confirmed: stored.crc32 !== undefined }
  }
  if (answered === whole.crc32) return { confirmed: true }
  // Not every server says what it stored. Then what it says of the object has to agree.
  const stored = answered === undefined ? await head(s3, key, signal) : { crc32: answered, sizeBytes: whole.sizeBytes }
  if (isWhole(stored, whole)) return { confirmed: stored.crc32 !== undefined }
  throw new AgentError(
    'CHECKSUM_MISMATCH',
    `s3://${s3.bucket}/${key} is not what was sent: ${describe(stored, whole)}`,
    {
      hint:
        'Run the backup again. This object belongs to no run, since no manifest names it. If it happens again with a server given by ' +
        `--endpoint-url, compare it with ${onPage('servers')}.`,
    },
  )
}

export async function abortUpload(s3: S3Connection, { key, uploadId }: UploadRef, signal: AbortSignal): Promise<void> {
  const command = new AbortMultipartUploadCommand({ Bucket: s3.bucket, Key: key, UploadId: uploadId })
  try {
    await call(s3, { name: 'AbortMultipartUpload', key }, signal, (sending) => s3.client.send(command, sending))
  } catch (error) {
    if (s3ErrorCode(error) !== 'NoSuchUpload') throw error
  }
}

/** Servers that are not known to refuse overwriting are asked first. That leaves a gap, which run ids make harmless. */
async function refuseIfTaken(s3: S3Connection, key: string, signal: AbortSignal): Promise<void> {
  if (await s3.enforcesConditions()) return
  try {
    await head(s3, key, signal)
  } catch (error) {
    // Who may write but not read cannot know; the condition on the request is all there is then.
    if (hasCode(error, 'OBJECT_MISSING') || hasCode(error, 'ACCESS_DENIED')) return
    throw error
  }
  throw new AgentError('OBJECT_EXISTS', `s3://${s3.bucket}/${key} already exists`, {
    hint: 'Nothing is ever overwritten. Run the command again: a new run has keys of its own.',
  })
}

/**
 * Where the answer to a request is lost, the SDK sends it again, and then the object is in its own way: the repeated
 * request finds the key taken, or the upload gone. That is success if what lies there is what was sent.
 */
async function assertOwnWrite(
  s3: S3Connection,
  key: string,
  whole: CompleteOptions,
  error: unknown,
  signal: AbortSignal,
): Promise<ObjectHead> {
  if (!hasCode(error, 'OBJECT_EXISTS') && s3ErrorCode(error) !== 'NoSuchUpload') throw error
  let stored: ObjectHead
  try {
    stored = await head(s3, key, signal)
  } catch {
    // It cannot be told whose it is: better a failure too many than a success too many.
    throw wasSentAgain(error) ? maybeOurs(s3, key, error) : error
  }
  // Without a checksum the size has to do: then the key was seen free just before.
  if (isWhole(stored, whole) && (stored.crc32 !== undefined || !(await s3.enforcesConditions()))) return stored
  throw error
}

/** Of hosts that may write and not read: the object may well be the one that was sent. */
function maybeOurs({ bucket }: S3Connection, key: string, cause: unknown): AgentError {
  return new AgentError(
    'OBJECT_EXISTS',
    `s3://${bucket}/${key} exists, perhaps as it was sent: the answer was lost, and these credentials may not read the object`,
    {
      hint:
        'Check before you run the command again: with the restorer role, "snapstream list" shows the run if it is complete, ' +
        'and "snapstream verify" whether it is good.',
      cause,
    },
  )
}

type Stored = Pick<ObjectHead, 'sizeBytes' | 'crc32'>

function isWhole(stored: Stored, { sizeBytes, crc32 }: CompleteOptions): boolean {
  return stored.sizeBytes === sizeBytes && (stored.crc32 ?? crc32) === crc32
}

function describe(stored: Stored, sent: CompleteOptions): string {
  if (stored.sizeBytes !== sent.sizeBytes) return `it has ${stored.sizeBytes} bytes, sent were ${sent.sizeBytes}`
  return `it has CRC32 ${formatCrc32(stored.crc32 ?? 0)}, sent was ${formatCrc32(sent.crc32)}`
}

function toCompletedPart({ partNumber, etag, crc32 }: FinishedPart): CompletedPart {
  return { PartNumber: partNumber, ETag: etag, ChecksumCRC32: encodeCrc32(crc32) }
}
