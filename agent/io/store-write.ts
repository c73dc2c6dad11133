/** Writes objects and uploads: nothing is ever overwritten, and nothing is taken for stored unless S3 says so. */
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
import type { CompleteOptions, FinishedPart, ObjectHead, PutOptions, UploadRef } from './store'
import { call, type Connection } from './store-client'
import { s3ErrorCode } from './store-errors'
import { head } from './store-read'

export async function put(
  s3: Connection,
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
  }
  await refuseIfTaken(s3, key, signal)
  try {
    await call(s3, { name: 'PutObject', key }, signal, (sending) =>
      s3.client.send(new PutObjectCommand(input), sending),
    )
  } catch (error) {
    await throwUnlessOurs(s3, key, whole, error, signal)
  }
}

export async function createUpload(
  s3: Connection,
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
  s3: Connection,
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
  const { ETag } = await call(s3, { name: 'UploadPart', key }, signal, (sending) =>
    s3.client.send(new UploadPartCommand(input), sending),
  )
  return { partNumber, etag: ETag as string, crc32 }
}

export async function completeUpload(
  s3: Connection,
  { key, uploadId }: UploadRef,
  parts: readonly FinishedPart[],
  whole: CompleteOptions,
  signal: AbortSignal,
): Promise<void> {
  const input = {
    ...{ Bucket: s3.bucket, Key: key, UploadId: uploadId, IfNoneMatch: '*', ChecksumType: 'FULL_OBJECT' as const },
    ...{ ChecksumCRC32: encodeCrc32(whole.crc32), MpuObjectSize: whole.sizeBytes },
    MultipartUpload: { Parts: parts.toSorted((a, b) => a.partNumber - b.partNumber).map(toCompletedPart) },
  }
  await refuseIfTaken(s3, key, signal)
  let confirmed: string | undefined
  try {
    const output = await call(s3, { name: 'CompleteMultipartUpload', key }, signal, (sending) =>
      s3.client.send(new CompleteMultipartUploadCommand(input), sending),
    )
    confirmed = output.ChecksumCRC32
  } catch (error) {
    await throwUnlessOurs(s3, key, whole, error, signal)
    return
  }
  if (confirmed === input.ChecksumCRC32) return
  // Not every server says what it stored. Then what it says of the object has to agree.
  const stored = confirmed === undefined ? await head(s3, key, signal) : undefined
  if (stored && isWhole(stored, whole)) return
  throw new AgentError('CHECKSUM_MISMATCH', `s3://${s3.bucket}/${key} is not what was sent: ${describe(stored)}`, {
    hint: 'Run the backup again. This object belongs to no run, as no manifest names it.',
  })
}

export async function abortUpload(s3: Connection, { key, uploadId }: UploadRef, signal: AbortSignal): Promise<void> {
  const command = new AbortMultipartUploadCommand({ Bucket: s3.bucket, Key: key, UploadId: uploadId })
  try {
    await call(s3, { name: 'AbortMultipartUpload', key }, signal, (sending) => s3.client.send(command, sending))
  } catch (error) {
    if (s3ErrorCode(error) !== 'NoSuchUpload') throw error
  }
}

/** Servers that are not known to refuse overwriting are asked first. That leaves a gap, which run ids make harmless. */
async function refuseIfTaken(s3: Connection, key: string, signal: AbortSignal): Promise<void> {
  if (s3.enforcesConditions) return
  try {
    await head(s3, key, signal)
  } catch (error) {
    // Who may write but not read cannot know; the condition on the request is all there is then.
    if (hasCode(error, 'OBJECT_MISSING') || hasCode(error, 'ACCESS_DENIED')) return
    throw error
  }
  throw new AgentError('OBJECT_EXISTS', `s3://${s3.bucket}/${key} exists already`, {
    hint: 'Nothing is ever overwritten. Run the command again: a new run has keys of its own.',
  })
}

/**
 * Where the answer to a request is lost, the SDK sends it again, and then the object is in its own way: the repeated
 * request finds the key taken, or the upload gone. That is success if what lies there is what was sent.
 */
async function throwUnlessOurs(
  s3: Connection,
  key: string,
  whole: CompleteOptions,
  error: unknown,
  signal: AbortSignal,
): Promise<void> {
  if (!hasCode(error, 'OBJECT_EXISTS') && s3ErrorCode(error) !== 'NoSuchUpload') throw error
  let stored: ObjectHead
  try {
    stored = await head(s3, key, signal)
  } catch {
    throw error // it cannot be told whose it is: better a failure too many than a success too many
  }
  // Without a checksum the size has to do: then the key was seen free just before.
  if (isWhole(stored, whole) && (stored.crc32 !== undefined || !s3.enforcesConditions)) return
  throw error
}

function isWhole(stored: ObjectHead, { sizeBytes, crc32 }: CompleteOptions): boolean {
  return stored.sizeBytes === sizeBytes && (stored.crc32 ?? crc32) === crc32
}

function describe(stored: ObjectHead | undefined): string {
  return stored === undefined ? 'its checksum differs' : `it has ${stored.sizeBytes} bytes`
}

function toCompletedPart({ partNumber, etag, crc32 }: FinishedPart): CompletedPart {
  return { PartNumber: partNumber, ETag: etag, ChecksumCRC32: encodeCrc32(crc32) }
}

/** S3 writes a CRC32 as the base64 of its four bytes, the highest first. */
function encodeCrc32(crc32: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32)
  return bytes.toString('base64')
}
