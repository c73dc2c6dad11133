import { connectToS3 } from '../../agent/bucket/client.io'
import { storeOver } from '../../agent/bucket/store.io'
import { neverAborted } from '../../agent/lib/never-aborted'
import { withQuickReads } from '../../fleet/quick-reads.io'
import { silentLog } from '../support/log'
import { failure, scriptedS3, success, type ScriptedS3 } from '../support/scripted-s3'
import type { Store } from '../../agent/context'

const BODY = Buffer.from('0123456789')
const PART = { status: 206, body: BODY, headers: {} }
const signal = neverAborted()

let server: ScriptedS3
afterEach(() => server[Symbol.asyncDispose]())

async function storeAt(script: Parameters<typeof scriptedS3>[0]): Promise<Store> {
  server = await scriptedS3(script)
  const s3 = connectToS3({
    ...{ bucket: 'backups', region: 'eu-west-1', endpointUrl: server.url, log: silentLog },
    credentials: async () => ({ accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' }),
    clock: { nowSeconds: () => 0, sleep: async () => undefined },
  })
  return withQuickReads(s3, storeOver(s3))
}

async function keysOf(store: Store, ...args: Parameters<Store['list']>): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list(...args)) keys.push(key)
  return keys
}

test('what comes as expected takes one request, signed and without the SDK', async () => {
  const store = await storeAt({ GetObject: [PART] })
  expect((await store.getRange('a/b c.json', 0, 10, signal)).equals(BODY)).toBe(true)
  expect(server.operations).toEqual(['GetObject'])
  expect(server.requests[0]?.url).toBe('/backups/a/b%20c.json')
  expect(server.requests[0]?.headers).toMatchObject({
    range: 'bytes=0-9',
    authorization: expect.stringMatching(
      /^AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE\/\d{8}\/eu-west-1\/s3\/aws4_request, /,
    ),
  })
})

test.each([
  ['that is busy', failure(503, 'SlowDown')],
  ['that loses the connection', 'lose' as const],
  ['that breaks off', { ...PART, breakAfterBytes: 4 }],
  ['that answers another range', { ...PART, headers: { 'content-range': 'bytes 5-14/20' } }],
])('a server %s is asked again', async (_, step) => {
  const store = await storeAt({ GetObject: [step, PART] })
  expect((await store.getRange('a', 0, 10, signal)).equals(BODY)).toBe(true)
  expect(server.operations).toEqual(['GetObject', 'GetObject'])
})

test('what is wrong is said as the store says it', async () => {
  const store = await storeAt({ GetObject: [failure(404, 'NoSuchKey')] })
  await expect(store.getRange('a', 0, 10, signal)).rejects.toMatchObject({ code: 'OBJECT_MISSING' })
  await expect(store.getRange('a', 0, 10, AbortSignal.abort())).rejects.toMatchObject({ code: 'INTERRUPTED' })
})

test('a server that wants another kind of request is not bothered for ever', async () => {
  const store = await storeAt({ GetObject: [failure(403, 'AccessDenied')] })
  for (let read = 0; read < 30; read++) await store.getRange('a', 0, 10, signal).catch(() => undefined)
  // Those of the SDK say what they are.
  expect(server.requests.filter(({ url }) => !url.includes('x-id'))).toHaveLength(20)
})

test('a listing is followed page by page, from the key on that it is to start after', async () => {
  const page = (key: string, more: string) =>
    success(`<ListBucketResult><Contents><Key>${key}</Key><Size>1</Size></Contents>${more}</ListBucketResult>`)
  const store = await storeAt({
    ListObjectsV2: [
      page('p/b&amp;', '<IsTruncated>true</IsTruncated><NextContinuationToken>t&lt;</NextContinuationToken>'),
      page('p/c', '<IsTruncated>false</IsTruncated>'),
    ],
  })
  expect(await keysOf(store, 'p/', signal, { startAfter: 'p/a' })).toEqual(['p/b&', 'p/c'])
  const [first, second] = server.requests.map(({ url }) => new URL(url, server.url).searchParams)
  expect([first?.get('prefix'), first?.get('start-after'), first?.get('continuation-token')]).toEqual([
    'p/',
    'p/a',
    null,
  ])
  expect([second?.get('start-after'), second?.get('continuation-token')]).toEqual([null, 't<'])
})

test('a page that is not as expected is left to the SDK, and an error is what it says', async () => {
  const empty = success(
    '<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>',
  )
  expect(await keysOf(await storeAt({ ListObjectsV2: [empty] }), '', signal)).toEqual(['a'])
  await server[Symbol.asyncDispose]()
  const denied = await storeAt({ ListObjectsV2: [failure(403, 'AccessDenied')] })
  await expect(keysOf(denied, '', signal)).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
})

test('a page that breaks off is asked for again', async () => {
  const page = success('<ListBucketResult><Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>')
  const store = await storeAt({ ListObjectsV2: [{ ...page, breakAfterBytes: 30 }, page] })
  expect(await keysOf(store, '', signal)).toEqual(['a'])
})
