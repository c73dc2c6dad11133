/** Reads objects, and what the bucket knows of them. */
import { decodeCrc32 } from '../lib/crc32'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import {
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type GetObjectCommandInput,
  type GetObjectCommandOutput,
  type ListMultipartUploadsCommandInput,
  type ListMultipartUploadsCommandOutput,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3'
import { AgentError } from '../errors'
import { isAsStored, isSameRange } from './range-answer'
import { retryBody } from './body-retries'
import type { IncomingBody, RangeAnswer, SignedRequest } from './ranged-http.io'
import { call, type Connection } from './client.io'
import { s3ErrorCode } from './errors'
import type { BucketFacts, ObjectHead, ObjectInfo, ListedUpload, RangeReadOptions, WholeObject } from '../context'

/** Of an object of which the server does not say when it was written. */
const UNKNOWN_TIME = new Date(NaN)

/** Reads an object that fits in memory, and has the SDK compare its checksum where the server sends one. */
export async function readWhole(
  s3: Connection,
  key: string,
  bytesMax: number,
  signal: AbortSignal,
  versionId?: string,
): Promise<WholeObject> {
  return retryBody(s3, key, signal, async () => {
    const output = await getObject(s3, key, signal, { ChecksumMode: 'ENABLED', VersionId: versionId })
    const body = output.Body as Readable
    const chunks: Buffer[] = []
    let bytes = output.ContentLength ?? 0
    if (bytes <= bytesMax) {
      bytes = 0
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length
        if (bytes > bytesMax) break // its length was not said before
        chunks.push(chunk)
      }
    }
    if (bytes <= bytesMax) return { body: Buffer.concat(chunks), lastModified: output.LastModified ?? UNKNOWN_TIME }
    body.destroy()
    throw tooLarge(s3, key, bytesMax)
  })
}

/** Reads a range into one buffer; goes on where a body broke off. */
export async function readRange(
  s3: Connection,
  key: string,
  offset: number,
  bytes: number,
  signal: AbortSignal,
  { versionId, freshConnection = false }: RangeReadOptions = {},
): Promise<Buffer> {
  // Not from the shared pool: the buffer is large, or lives as long as a reader's window does.
  const buffer = Buffer.allocUnsafeSlow(bytes)
  let filled = 0
  await retryBody(
    s3,
    key,
    signal,
    async () => {
      if (filled === bytes) return
      const range = `bytes=${offset + filled}-${offset + bytes - 1}`
      const ask: RangeRequester = (request, target) => s3.ranges.request(request, target, signal, { freshConnection })
      const input = { Range: range, VersionId: versionId }
      const body = await requestRange(s3, key, signal, input, buffer.subarray(filled), ask)
      try {
        await body.whole
      } finally {
        filled += body.filledBytes()
      }
    },
    () => filled,
  )
  return buffer
}

type RangeRequester = (request: SignedRequest, target: Buffer) => Promise<RangeAnswer | undefined>

/** @throws AgentError ARCHIVE_DAMAGED where the object has less than that */
async function requestRange(
  s3: Connection,
  key: string,
  signal: AbortSignal,
  input: { readonly Range: string; readonly VersionId: string | undefined },
  target: Buffer,
  ask: RangeRequester,
): Promise<IncomingBody> {
  let answer: RangeAnswer | undefined
  const readIntoTarget = (command: GetObjectCommand): void =>
    command.middlewareStack.add(
      (next) => async (args) => {
        answer = await ask(args.request as SignedRequest, target)
        if (!answer) return next(args)
        return {
          response: { statusCode: 206, headers: answer.headers, body: Readable.from([]) },
          output: { $metadata: {} },
        }
      },
      // Inside everything that signs and retries.
      { step: 'deserialize', priority: 'low', name: 'readIntoTarget' },
    )
  const { Body, ContentLength, ContentRange, ContentEncoding } = await getObject(s3, key, signal, input, readIntoTarget)
  if (answer) return answer.body
  const body = Body as Readable
  const isWhole = ContentLength === target.length
  if (isWhole && isSameRange(ContentRange, input.Range) && isAsStored(ContentEncoding)) return copyInto(target, body)
  body.destroy()
  if (isWhole) throw isAnother(s3, key, input.Range, ContentRange, ContentEncoding)
  throw endsEarly(s3, key, input.Range, ContentLength)
}

function copyInto(target: Buffer, body: Readable): IncomingBody {
  let filled = 0
  body.on('data', (chunk: Buffer) => {
    target.set(chunk, filled)
    filled += chunk.length
  })
  return { whole: finished(body), filledBytes: () => filled }
}

export async function head(s3: Connection, key: string, signal: AbortSignal, versionId?: string): Promise<ObjectHead> {
  const name = versionId === undefined ? 'HeadObject' : 'HeadObjectVersion'
  const input = { Bucket: s3.bucket, Key: key, VersionId: versionId, ChecksumMode: 'ENABLED' } as const
  const output = await call(s3, { name, key }, signal, (sending) =>
    s3.client.send(new HeadObjectCommand(input), sending),
  )
  const { Restore } = output
  const crc32 = wholeCrc32(output)
  return {
    ...toObjectInfo({ ...output, Key: key, Size: output.ContentLength }),
    ...(crc32 !== undefined && { crc32 }),
    ...(Restore !== undefined && { restore: parseRestore(Restore) }),
  }
}

export async function* list(s3: Connection, prefix: string, signal: AbortSignal): AsyncGenerator<ObjectInfo> {
  for await (const { Contents = [] } of readPages(s3, { Prefix: prefix }, signal)) yield* Contents.map(toObjectInfo)
}

export async function* listFolders(s3: Connection, prefix: string, signal: AbortSignal): AsyncGenerator<string> {
  for await (const page of readPages(s3, { Prefix: prefix, Delimiter: '/' }, signal)) yield* foldersIn(page, prefix)
}

/** What a page of a listing says of folders. */
export function foldersIn({ CommonPrefixes = [] }: Pick<ListObjectsV2CommandOutput, 'CommonPrefixes'>, prefix: string) {
  return CommonPrefixes.map(({ Prefix = '' }) => Prefix.slice(prefix.length, -1))
}

async function* readPages(
  s3: Connection,
  input: Pick<ListObjectsV2CommandInput, 'Prefix' | 'Delimiter'>,
  signal: AbortSignal,
): AsyncGenerator<ListObjectsV2CommandOutput> {
  let token: string | undefined
  do {
    const command = new ListObjectsV2Command({ Bucket: s3.bucket, ...input, ContinuationToken: token })
    const page = await call(s3, { name: 'ListObjectsV2', key: null }, signal, (sending) =>
      s3.client.send(command, sending),
    )
    yield page
    token = page.NextContinuationToken
  } while (token !== undefined)
}

export async function* listUploads(s3: Connection, prefix: string, signal: AbortSignal): AsyncGenerator<ListedUpload> {
  let next: Pick<ListMultipartUploadsCommandInput, 'KeyMarker' | 'UploadIdMarker'> | undefined = {}
  while (next) {
    const input: ListMultipartUploadsCommandInput = { Bucket: s3.bucket, Prefix: prefix, ...next }
    const page: ListMultipartUploadsCommandOutput = await call(
      s3,
      { name: 'ListMultipartUploads', key: null },
      signal,
      (sending) => s3.client.send(new ListMultipartUploadsCommand(input), sending),
    )
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      yield { key: Key as string, uploadId: UploadId as string, ...(Initiated && { initiated: Initiated }) }
    }
    const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page
    next = IsTruncated ? { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker } : undefined
  }
}

/** @throws AgentError for all that keeps the bucket from being used, but not where asking for its versioning is denied */
export async function readFacts(s3: Connection, signal: AbortSignal): Promise<BucketFacts> {
  const command = new GetBucketVersioningCommand({ Bucket: s3.bucket })
  let clockSkewSeconds = 0
  command.middlewareStack.add(
    (next) => async (args) => {
      const sentAt = Date.now()
      const origin = performance.now() // whichever way our clock is set meanwhile
      const result = await next(args)
      const { date } = (result.response as { headers: Record<string, string> }).headers
      if (date !== undefined) clockSkewSeconds = (Date.parse(date) - sentAt - (performance.now() - origin) / 2) / 1000
      return result
    },
    { step: 'deserialize', priority: 'low', name: 'compareClocks' },
  )
  try {
    const { Status = 'Off' } = await call(s3, { name: 'GetBucketVersioning', key: null }, signal, (sending) =>
      s3.client.send(command, sending),
    )
    return { region: s3.region, versioning: Status, clockSkewSeconds }
  } catch (error) {
    if (s3ErrorCode(error) !== 'AccessDenied') throw error
    return { region: s3.region, versioning: 'unknown', clockSkewSeconds }
  }
}

function getObject(
  s3: Connection,
  key: string,
  signal: AbortSignal,
  input: Pick<GetObjectCommandInput, 'Range' | 'ChecksumMode' | 'VersionId'>,
  prepare?: (command: GetObjectCommand) => void,
): Promise<GetObjectCommandOutput> {
  const name = input.VersionId === undefined ? 'GetObject' : 'GetObjectVersion'
  const command = new GetObjectCommand({ Bucket: s3.bucket, Key: key, ...input })
  prepare?.(command)
  return call(s3, { name, key }, signal, (options) => s3.client.send(command, options))
}

function tooLarge({ bucket }: Connection, key: string, bytesMax: number): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', `s3://${bucket}/${key} is larger than ${bytesMax} bytes`, {
    hint: 'No version of Snapstream writes so large a one: find out who did. Use another run.',
  })
}

function endsEarly({ bucket }: Connection, key: string, range: string, length: number | undefined): AgentError {
  return new AgentError(
    'ARCHIVE_DAMAGED',
    `s3://${bucket}/${key} answered ${range} with ${length ?? 'unknown'} bytes`,
    {
      hint: 'The object is shorter than its catalog says. Use another run.',
    },
  )
}

function isAnother(
  { bucket }: Connection,
  key: string,
  range: string,
  contentRange: string | undefined,
  contentEncoding: string | undefined,
): AgentError {
  const encoded = isAsStored(contentEncoding) ? '' : `, encoded as ${contentEncoding}`
  return new AgentError(
    'STORE_FAILED',
    `s3://${bucket}/${key} answered ${range} with ${contentRange ?? 'no range'}${encoded}`,
    {
      hint: 'That is not what was asked for. Look for a proxy or a cache between this host and S3, or for a server that does not know ranges.',
    },
  )
}

export function toObjectInfo(object: {
  readonly Key?: string | undefined
  readonly Size?: number | undefined
  readonly LastModified?: Date | undefined
  readonly StorageClass?: string | undefined
}): ObjectInfo {
  return {
    key: object.Key as string,
    sizeBytes: object.Size as number,
    lastModified: object.LastModified ?? UNKNOWN_TIME,
    storageClass: object.StorageClass ?? 'STANDARD',
  }
}

/** Reads `ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"`. */
function parseRestore(header: string): NonNullable<ObjectHead['restore']> {
  const expires = /expiry-date="([^"]+)"/.exec(header)?.[1]
  return { ongoing: header.includes('ongoing-request="true"'), ...(expires && { expires: new Date(expires) }) }
}

/**
 * The CRC32 of the whole object, undefined where the server says none. The checksum of the parts' checksums is none: S3 names
 * it COMPOSITE, and every server ends it with the number of parts.
 */
export function wholeCrc32(output: {
  readonly ChecksumCRC32?: string | undefined
  readonly ChecksumType?: string | undefined
}): number | undefined {
  const { ChecksumCRC32: text, ChecksumType } = output
  if (text === undefined || ChecksumType === 'COMPOSITE') return undefined
  return decodeCrc32(text)
}
