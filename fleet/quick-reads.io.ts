/**
 * A store for hundreds of thousands of small objects: it reads and lists at a tenth of the processor's time that the SDK takes for a
 * request, and asks the SDK again wherever something is not as expected, which then retries or says what is wrong.
 */
import { text } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
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
      const { credentials, systemClockOffset } = s3.client.config
      const now = new Date(Date.now() + systemClockOffset)
      const range = `bytes=${offset}-${offset + bytes - 1}`
      const request = sign(await credentials(), key, { range }, now)
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
        : listQuickly(s3, prefix, signal, options.startAfter),
  }
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
  prefix: string,
  signal: AbortSignal,
  startAfter: string | undefined,
): AsyncGenerator<ObjectInfo> {
  let token: string | undefined
  do {
    const page: ListPage = await readPage(s3, { prefix, startAfter, token }, signal)
    yield* page.objects
    token = page.next
  } while (token !== undefined)
}

interface PageRequest {
  readonly prefix: string
  readonly startAfter: string | undefined
  readonly token: string | undefined
}

async function readPage(s3: S3Connection, request: PageRequest, signal: AbortSignal): Promise<ListPage> {
  const { prefix: Prefix, startAfter, token: ContinuationToken } = request
  const StartAfter = ContinuationToken === undefined ? startAfter : undefined
  const command = new ListObjectsV2Command({ Bucket: s3.bucket, Prefix, StartAfter, ContinuationToken })
  let page: ListPage | undefined
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      const response = result.response as { readonly statusCode: number; readonly body: Readable }
      if (response.statusCode !== 200) return result
      const xml = await text(response.body)
      page = parseListPage(xml)
      const body = page ? '<ListBucketResult/>' : xml
      return { ...result, response: { ...response, body: Readable.from([Buffer.from(body)]) } }
    },
    // Inside everything that signs and retries.
    { step: 'deserialize', priority: 'low', name: 'parseQuickly' },
  )
  const output = await call(s3, { name: 'ListObjectsV2', key: null }, signal, (sending) =>
    s3.client.send(command, sending),
  )
  return page ?? { objects: (output.Contents ?? []).map(toObjectInfo), next: output.NextContinuationToken }
}
