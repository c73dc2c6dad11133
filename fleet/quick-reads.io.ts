/**
 * A store for hundreds of thousands of small objects: it reads and lists at a tenth of the processor's time that the SDK takes for a
 * request, and asks the SDK again wherever something is not as expected, which then retries or says what is wrong.
 */
import { text } from 'node:stream/consumers'
import type { Readable } from 'node:stream'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { HttpRequest } from '@smithy/core/protocols'
import { call, type S3Connection } from '../agent/bucket/client.io'
import { toObjectInfo } from '../agent/bucket/object-info'
import type { ObjectInfo, Store } from '../agent/context'
import { parseListPage, type ListPage } from './list-page'
import { quickSigner } from './quick-signer.io'

/** So many in a row that had to be asked for again, and no more are tried: this server wants another kind of request. */
const FAILURES_MAX = 20

/** @param store - over the same connection */
export function withQuickReads(s3: S3Connection, store: Store): Store {
  const signer = signerFor(s3)
  let failures = 0

  /** Undefined where it did not come at once and whole. */
  const readQuickly = async (
    key: string,
    offset: number,
    bytes: number,
    signal: AbortSignal,
  ): Promise<Buffer | undefined> => {
    try {
      const sign = await signer()
      if (!sign) return undefined
      const range = `bytes=${offset}-${offset + bytes - 1}`
      const request = sign(await s3.client.config.credentials(), key, { range }, nowOf(s3))
      const target = Buffer.allocUnsafe(bytes)
      const answer = await s3.ranges.request(request, target, signal)
      await answer?.body.whole
      return answer && target
    } catch {
      return undefined // the SDK finds out why
    }
  }

  return {
    ...store,
    async getRange(key, offset, bytes, signal, options = {}) {
      const { versionId, freshConnection = false } = options
      const isPlain = versionId === undefined && !freshConnection && bytes > 0
      if (isPlain && failures < FAILURES_MAX && !signal.aborted) {
        const body = await readQuickly(key, offset, bytes, signal)
        failures = body ? 0 : failures + 1
        if (body) return body
      }
      return store.getRange(key, offset, bytes, signal, options)
    },
    list: (prefix, signal, options = {}) =>
      options.includeDeleted
        ? store.list(prefix, signal, options)
        : listQuickly(s3, signer, prefix, signal, options.startAfter),
  }
}

/** By the server's clock, as far as the SDK knows it. */
function nowOf({ client }: S3Connection): Date {
  return new Date(Date.now() + client.config.systemClockOffset)
}

type Signer = ReturnType<typeof quickSigner>

/** None for buckets of a kind that has signatures of its own. */
function signerFor(s3: S3Connection): () => Promise<Signer | undefined> {
  let signer: Promise<Signer | undefined> | undefined
  const make = async () => {
    const [endpoint, { scheme, service, region }] = await Promise.all([s3.readEndpoint(), s3.readSigning()])
    return scheme === 'sigv4' && service === 's3' ? quickSigner({ endpoint, region }) : undefined
  }
  return () => (signer ??= make())
}

async function* listQuickly(
  s3: S3Connection,
  signer: () => Promise<Signer | undefined>,
  prefix: string,
  signal: AbortSignal,
  startAfter: string | undefined,
): AsyncGenerator<ObjectInfo> {
  let token: string | undefined
  do {
    const asked = { prefix, startAfter: token === undefined ? startAfter : undefined, token }
    const page: ListPage = (await askForPage(s3, signer, asked, signal)) ?? (await readPage(s3, asked, signal))
    yield* page.objects
    token = page.next
  } while (token !== undefined)
}

interface PageRequest {
  readonly prefix: string
  readonly startAfter: string | undefined
  readonly token: string | undefined
}

/** By the SDK's connections, and not by all that it has before them. Undefined where the page did not come at once and as expected. */
async function askForPage(
  s3: S3Connection,
  signer: () => Promise<Signer | undefined>,
  { prefix, startAfter, token }: PageRequest,
  signal: AbortSignal,
): Promise<ListPage | undefined> {
  try {
    const sign = await signer()
    if (!sign || signal.aborted) return undefined
    const { credentials, requestHandler } = s3.client.config
    const query = {
      ...{ 'list-type': '2', prefix },
      ...(startAfter !== undefined && { 'start-after': startAfter }),
      ...(token !== undefined && { 'continuation-token': token }),
    }
    const signed = sign(await credentials(), '', {}, nowOf(s3), query)
    const request = new HttpRequest({ ...signed, query: { ...query } })
    const answer: unknown = await requestHandler.handle(request, { abortSignal: signal })
    const { response } = answer as { readonly response: { readonly statusCode: number; readonly body: Readable } }
    const xml = await text(response.body)
    return response.statusCode === 200 ? parseListPage(xml) : undefined
  } catch {
    return undefined // the SDK finds out why
  }
}

async function readPage(s3: S3Connection, request: PageRequest, signal: AbortSignal): Promise<ListPage> {
  const { prefix: Prefix, startAfter: StartAfter, token: ContinuationToken } = request
  const command = new ListObjectsV2Command({ Bucket: s3.bucket, Prefix, StartAfter, ContinuationToken })
  const output = await call(s3, { name: 'ListObjectsV2', key: null }, signal, (sending) =>
    s3.client.send(command, sending),
  )
  return { objects: (output.Contents ?? []).map(toObjectInfo), next: output.NextContinuationToken }
}
