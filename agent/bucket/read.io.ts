/** Reads objects, whole or a range of their bytes. */
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { GetObjectCommand, type GetObjectCommandInput, type GetObjectCommandOutput } from '@aws-sdk/client-s3'
import { AgentError } from '../errors'
import { isAsStored, isSameRange } from './range-answer'
import { retryBody } from './body-retries'
import type { IncomingBody, RangeAnswer, SignedRequest } from './range-connection.io'
import { call, type S3Connection } from './client.io'
import { UNKNOWN_TIME } from './object-info'
import type { RangeReadOptions, WholeObject } from '../context'

/** Reads an object that fits in memory, and has the SDK compare its checksum where the server sends one. */
export async function readWhole(
  s3: S3Connection,
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
  s3: S3Connection,
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
  s3: S3Connection,
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

function getObject(
  s3: S3Connection,
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

function tooLarge({ bucket }: S3Connection, key: string, bytesMax: number): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', `s3://${bucket}/${key} is larger than ${bytesMax} bytes`, {
    hint: 'No version of Snapstream writes one so large: find out who did, and use another run.',
  })
}

function endsEarly({ bucket }: S3Connection, key: string, range: string, length: number | undefined): AgentError {
  return new AgentError(
    'ARCHIVE_DAMAGED',
    `s3://${bucket}/${key} answered ${range} with ${length ?? 'unknown'} bytes`,
    {
      hint: 'The object is shorter than its catalog says. Use another run.',
    },
  )
}

function isAnother(
  { bucket }: S3Connection,
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
      hint: 'That is not what was asked for. Look for a proxy or a cache between this host and S3, or for a server that does not support ranges.',
    },
  )
}
