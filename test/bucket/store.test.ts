import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { SYSTEM_CLOCK } from '../../agent/bucket/retries.io'
import { useOrReadAgain } from '../../agent/bucket/read-again'
import { s3Store } from '../../agent/bucket/store.io'
import { fakeClock } from '../support/fake-clock'
import { refusalOf } from '../support/refusal'
import { failure, scriptedS3, success, type ScriptedS3, type Step } from '../support/scripted-s3'
import type { RangeReadOptions, Store } from '../../agent/context'

const signal = new AbortController().signal
const KEY = 'data/daily/host/run/vg0-root.tar.zst'
const UPLOAD = { key: KEY, uploadId: 'the-upload' }
const BODY = randomBytes(300_000)
const WHOLE = { sizeBytes: BODY.length, crc32: crc32(BODY) }
const PARTS = [{ partNumber: 1, etag: '"1"', crc32: WHOLE.crc32 }]

const FREE = { status: 404 }
const STORED = success('', { 'content-length': String(BODY.length), 'x-amz-checksum-crc32': encode(WHOLE.crc32) })
const PART_STORED = success('', { etag: '"1"' })
const COMPLETED = success(
  `<CompleteMultipartUploadResult><ChecksumCRC32>${encode(WHOLE.crc32)}</ChecksumCRC32></CompleteMultipartUploadResult>`,
)

let server: ScriptedS3
let debugged: string[]
afterEach(() => server[Symbol.asyncDispose]())

async function storeAt(script: Parameters<typeof scriptedS3>[0], clock = SYSTEM_CLOCK): Promise<Store> {
  server = await scriptedS3(script)
  debugged = []
  return s3Store({
    bucket: 'backups',
    region: 'eu-west-1',
    endpointUrl: server.url,
    credentials: async () => ({ accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' }),
    log: { debug: (message) => debugged.push(message), info: () => undefined, warn: () => undefined },
    clock,
  })
}

describe('a part', () => {
  const send = (store: Store) => store.uploadPart(UPLOAD, 7, BODY, WHOLE.crc32, signal)

  test('travels with its checksum, and is neither hashed nor announced first', async () => {
    const store = await storeAt({ UploadPart: [PART_STORED] })
    expect(await send(store)).toEqual({ partNumber: 7, etag: '"1"', crc32: WHOLE.crc32 })
    const [{ headers, body, url }] = server.requests as [ScriptedS3['requests'][number]]
    expect(body.equals(BODY)).toBe(true)
    expect(url).toContain('partNumber=7')
    expect(headers).toMatchObject({
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      'x-amz-checksum-crc32': encode(WHOLE.crc32),
      'content-length': String(BODY.length),
    })
    expect(headers['authorization']).toMatch(/^AWS4-HMAC-SHA256 .*x-amz-checksum-crc32/)
    expect(headers).not.toHaveProperty('expect')
  })

  test.each<[string, Step]>([
    ['S3 is overloaded', failure(503, 'SlowDown')],
    ['the connection breaks in the middle of it', 'reset'],
    ['the answer is lost', 'lose'],
  ])('is sent again, whole, when %s', async (_, mishap) => {
    const store = await storeAt({ UploadPart: [mishap, PART_STORED] })
    await send(store)
    expect(server.requests.at(-1)?.body.equals(BODY)).toBe(true)
    expect(debugged).toEqual([`UploadPart of ${KEY} took 2 attempts`])
  })

  test('that arrives with a wrong byte is sent again, whole', async () => {
    const store = await storeAt({ UploadPart: [failure(400, 'BadDigest'), failure(400, 'BadDigest'), PART_STORED] })
    expect(await send(store)).toMatchObject({ partNumber: 7 })
    expect(server.requests.map(({ body }) => body.equals(BODY))).toEqual([true, true, true])
  })

  test('that arrives wrong each time is given up, with what to suspect', async () => {
    const store = await storeAt({ UploadPart: [failure(400, 'BadDigest')] })
    expect(await refusalOf(send(store))).toMatchObject({
      code: 'CHECKSUM_MISMATCH',
      message: expect.stringMatching(/^what arrived in UploadPart of s3:.* is not what was sent: BadDigest/),
      hint: expect.stringContaining('suspect memory or network hardware'),
    })
    expect(server.operations).toHaveLength(4)
  })

  test('that has changed in memory since its checksum was taken is not sent again: it is the host that is broken', async () => {
    const store = await storeAt({ UploadPart: [failure(400, 'BadDigest'), PART_STORED] })
    const changed = Buffer.from(BODY)
    changed[1000]! ^= 1
    expect(await refusalOf(store.uploadPart(UPLOAD, 7, changed, WHOLE.crc32, signal))).toMatchObject({
      code: 'CHECKSUM_MISMATCH',
      message: expect.stringContaining('has changed in the memory of this host'),
      hint: expect.stringContaining('Test the memory'),
    })
    expect(server.operations).toEqual(['UploadPart'])
  })

  test('is not sent again when the credentials have expired', async () => {
    const store = await storeAt({ UploadPart: [failure(400, 'ExpiredToken')] })
    expect(await refusalOf(send(store))).toEqual({
      code: 'CREDENTIALS_EXPIRED',
      message: `the credentials expired before UploadPart of s3://backups/${KEY}: ExpiredToken it is`,
      hint: 'Renew them, or use an instance profile, whose credentials are renewed by themselves.',
    })
    expect(server.operations).toEqual(['UploadPart'])
  })

  test('that waits to be sent again is given up at once when the run is interrupted', async () => {
    const controller = new AbortController()
    // The fifth wait lasts until it is ended.
    let waits = 0
    const sleep = (_: number, ending?: AbortSignal): Promise<void> => {
      if (++waits < 5) return Promise.resolve()
      setImmediate(() => controller.abort())
      return SYSTEM_CLOCK.sleep(3600, ending)
    }
    const store = await storeAt(
      { UploadPart: [PART_STORED, failure(503, 'ServiceUnavailable')] },
      { ...fakeClock(), sleep },
    )
    await send(store)
    const sending = store.uploadPart(UPLOAD, 7, BODY, WHOLE.crc32, controller.signal)
    expect(await refusalOf(sending)).toMatchObject({ code: 'INTERRUPTED' })
    expect(server.requests.length).toBe(6)
  })

  test('outlives an outage that all parts in flight have to retry through', async () => {
    const outage = Array<Step>(100).fill(failure(503, 'ServiceUnavailable'))
    const store = await storeAt({ UploadPart: [PART_STORED, ...outage, PART_STORED] }, fakeClock())
    await send(store)
    await Promise.all(Array.from({ length: 20 }, () => send(store)))
  }, 30_000)

  test('fails soon if it is the first request of all: then the configuration is more likely to be wrong', async () => {
    const store = await storeAt({ UploadPart: [failure(503, 'ServiceUnavailable')] })
    expect(await refusalOf(send(store))).toMatchObject({
      code: 'STORE_FAILED',
      message: `UploadPart of s3://backups/${KEY} failed in 5 attempts: ServiceUnavailable it is`,
    })
  })
})

describe('completion', () => {
  const complete = (store: Store) => store.completeUpload(UPLOAD, PARTS, WHOLE, signal)

  test('says what the whole object has to be, and that nothing may be overwritten', async () => {
    const store = await storeAt({ HeadObject: [FREE], CompleteMultipartUpload: [COMPLETED] })
    expect(await complete(store)).toEqual({ confirmed: true })
    expect(server.operations).toEqual(['HeadObject', 'CompleteMultipartUpload'])
    expect(server.requests[1]?.headers).toMatchObject({
      'if-none-match': '*',
      'x-amz-checksum-crc32': encode(WHOLE.crc32),
      'x-amz-checksum-type': 'FULL_OBJECT',
      'x-amz-mp-object-size': String(BODY.length),
    })
  })

  test('is not asked of a server that does not know conditions, where the key is taken', async () => {
    const store = await storeAt({ HeadObject: [STORED] })
    expect(await refusalOf(complete(store))).toMatchObject({ code: 'OBJECT_EXISTS' })
    expect(server.operations).toEqual(['HeadObject'])
  })

  test('needs no permission to read where the server confirms the checksum', async () => {
    const store = await storeAt({ HeadObject: [{ status: 403 }], CompleteMultipartUpload: [COMPLETED] })
    await complete(store)
  })

  test('that the server answers with 200 and an error is asked again', async () => {
    const store = await storeAt({
      HeadObject: [FREE],
      CompleteMultipartUpload: [{ ...failure(200, 'InternalError') }, COMPLETED],
    })
    await complete(store)
    expect(debugged).toEqual([`CompleteMultipartUpload of ${KEY} took 2 attempts`])
  })

  test('that the server confirms with another checksum has failed', async () => {
    const other = COMPLETED.body?.toString().replace(encode(WHOLE.crc32), encode(1))
    const store = await storeAt({ HeadObject: [FREE], CompleteMultipartUpload: [success(other)] })
    const sent = WHOLE.crc32.toString(16).padStart(8, '0')
    expect(await refusalOf(complete(store))).toEqual({
      code: 'CHECKSUM_MISMATCH',
      message: `s3://backups/${KEY} is not what was sent: it has CRC32 00000001, sent was ${sent}`,
      hint:
        'Run the backup again. This object belongs to no run, as no manifest names it. If it happens again with a server of ' +
        '--endpoint-url, compare it with "S3-compatible servers" in docs/deploy.md.',
    })
  })

  const SILENT = success('<CompleteMultipartUploadResult/>')
  const asComposite = success('', { 'content-length': String(BODY.length), 'x-amz-checksum-crc32': 'Hvf9sw==-3' })
  test.each<[string, Step, { confirmed: boolean }]>([
    ['has the same checksum', STORED, { confirmed: true }],
    ['has the same size, where the server keeps no checksum', lengthOnly(BODY.length), { confirmed: false }],
    ['has the same size, where the server has a checksum of checksums', asComposite, { confirmed: false }],
  ])('that the server does not confirm is judged by the object: it %s', async (_, found, completion) => {
    const store = await storeAt({ HeadObject: [FREE, found], CompleteMultipartUpload: [SILENT] })
    expect(await complete(store)).toEqual(completion)
  })

  test('whose answer has a checksum of checksums is confirmed by the object alone', async () => {
    const composite =
      '<CompleteMultipartUploadResult><ChecksumCRC32>Hvf9sw==-3</ChecksumCRC32></CompleteMultipartUploadResult>'
    const store = await storeAt({ HeadObject: [FREE, STORED], CompleteMultipartUpload: [success(composite)] })
    expect(await complete(store)).toEqual({ confirmed: true })
  })

  test.each<[string, Step, object]>([
    [
      'has another size',
      lengthOnly(17),
      { code: 'CHECKSUM_MISMATCH', message: expect.stringContaining('has 17 bytes, sent were 300000') },
    ],
    ['may not be looked at', { status: 403 }, { code: 'ACCESS_DENIED' }],
  ])('that the server does not confirm has failed where the object %s', async (_, found, refused) => {
    const store = await storeAt({ HeadObject: [FREE, found], CompleteMultipartUpload: [SILENT] })
    expect(await refusalOf(complete(store))).toMatchObject(refused)
  })

  describe.each<[string, Step]>([
    ['the key taken', failure(412, 'PreconditionFailed')],
    ['another request in its way', failure(409, 'ConditionalRequestConflict')],
    ['the upload gone', failure(404, 'NoSuchUpload')],
  ])('whose answer was lost, so that the next attempt finds %s', (_, answer) => {
    const lost = (found: Step) => storeAt({ HeadObject: [FREE, found], CompleteMultipartUpload: ['lose', answer] })

    test('has succeeded if the object is what was sent', async () => {
      expect(await complete(await lost(STORED))).toEqual({ confirmed: true })
    })

    test('has succeeded if it has the right size, but is not confirmed where the server keeps no checksum', async () => {
      expect(await complete(await lost(lengthOnly(BODY.length)))).toEqual({ confirmed: false })
    })

    test.each<[string, Step]>([
      ['the object is another', lengthOnly(17)],
      ['it cannot be told what the object is', { status: 403 }],
      ['there is no object', FREE],
    ])('has failed if %s', async (_, found) => {
      const { code } = await refusalOf(complete(await lost(found)))
      expect(['OBJECT_EXISTS', 'STORE_FAILED']).toContain(code)
    })
  })
})

describe('a small object', () => {
  test('whose answer was lost is not in its own way', async () => {
    const store = await storeAt({
      HeadObject: [FREE, STORED],
      PutObject: ['lose', failure(412, 'PreconditionFailed')],
    })
    await store.put(KEY, BODY, signal, { contentType: 'application/json' })
    expect(server.requests.at(-2)?.headers).toMatchObject({
      'if-none-match': '*',
      'content-type': 'application/json',
      'x-amz-checksum-crc32': encode(WHOLE.crc32),
    })
  })

  test('whose answer was lost may be there as it was sent, where the host may not look: the operator is sent to look', async () => {
    const store = await storeAt({
      HeadObject: [{ status: 403 }],
      PutObject: ['lose', failure(412, 'PreconditionFailed')],
    })
    expect(await refusalOf(store.put(KEY, BODY, signal))).toEqual({
      code: 'OBJECT_EXISTS',
      message: `s3://backups/${KEY} is there, perhaps as it was sent: the answer was lost, and these credentials may not look`,
      hint: expect.stringMatching(/^Look before you run the command again: with the restorer role, "snapstream list"/),
    })
  })

  test('that was there before is not taken for what was sent', async () => {
    const store = await storeAt({ HeadObject: [{ status: 403 }], PutObject: [failure(412, 'PreconditionFailed')] })
    expect(await refusalOf(store.put(KEY, BODY, signal))).toMatchObject({
      message: `s3://backups/${KEY} exists already`,
    })
  })

  test('that arrives with a wrong byte is sent again; servers that know no CRC32 compare its MD5', async () => {
    const store = await storeAt({ HeadObject: [FREE], PutObject: [failure(400, 'BadDigest'), success()] })
    await store.put(KEY, BODY, signal)
    expect(server.operations).toEqual(['HeadObject', 'PutObject', 'PutObject'])
    expect(server.requests.at(-1)?.headers).toMatchObject({
      'content-md5': createHash('md5').update(BODY).digest('base64'),
    })
  })

  test('is read again when its body breaks off', async () => {
    const store = await storeAt({ GetObject: [{ ...success(BODY), breakAfterBytes: 1000 }, success(BODY)] })
    expect((await store.get(KEY, BODY.length, signal)).body.equals(BODY)).toBe(true)
  })

  test('that is larger than it may be costs no memory: its body is not read', async () => {
    const store = await storeAt({ GetObject: [{ ...success(''), headers: { 'content-length': '5000000000' } }] })
    expect(await refusalOf(store.get(KEY, 1 << 20, signal))).toMatchObject({
      code: 'ARCHIVE_DAMAGED',
      message: expect.stringMatching(/is larger than 1048576 bytes$/),
    })
  })

  test('that does not have its checksum is not believed', async () => {
    const store = await storeAt({ GetObject: [success(BODY, { 'x-amz-checksum-crc32': encode(1) })] })
    expect(await refusalOf(store.get(KEY, BODY.length, signal))).toMatchObject({ code: 'CHECKSUM_MISMATCH' })
  })
})

describe('a range', () => {
  test('is read on from where its body broke off', async () => {
    const store = await storeAt({
      GetObject: [
        { status: 206, body: BODY.subarray(1000, 201_000), breakAfterBytes: 50_000 },
        { status: 206, body: BODY.subarray(51_000, 201_000) },
      ],
    })
    expect((await store.getRange(KEY, 1000, 200_000, signal)).equals(BODY.subarray(1000, 201_000))).toBe(true)
    expect(server.requests.map(({ headers }) => headers.range)).toEqual(['bytes=1000-200999', 'bytes=51000-200999'])
  })

  test('that is not what was written is read again over a connection that was never used', async () => {
    const range = (body: string): Step => ({ status: 206, body })
    const store = await storeAt({ GetObject: [range('right'), range('wrong'), range('right')] })
    await store.getRange(KEY, 0, 5, signal) // leaves its connection idle
    const stored = await store.getRange(KEY, 0, 5, signal)
    const use = () => {
      if (stored.toString() === 'wrong') throw new Error('a wrong byte')
      return stored.toString()
    }
    const readAgain = (how: RangeReadOptions) => store.getRange(KEY, 0, 5, signal, how)
    expect(await useOrReadAgain(stored, use, readAgain, KEY)).toBe('right')
    const [first, second, again] = server.requests.map(({ clientPort }) => clientPort)
    expect(second).toBe(first)
    expect(again).not.toBe(first)
  })

  test('of a server that is too busy is asked for again, once each time', async () => {
    const store = await storeAt({ GetObject: [failure(503, 'SlowDown'), { status: 206, body: BODY.subarray(0, 10) }] })
    expect((await store.getRange(KEY, 0, 10, signal)).equals(BODY.subarray(0, 10))).toBe(true)
    expect(server.operations).toEqual(['GetObject', 'GetObject'])
  })

  test('of a server that sends the whole object instead is refused', async () => {
    const store = await storeAt({ GetObject: [success(BODY)] })
    expect(await refusalOf(store.getRange(KEY, 0, 10, signal))).toMatchObject({ code: 'ARCHIVE_DAMAGED' })
  })

  test.each([
    ['another range', { 'content-range': 'bytes 10-19/300000' }, 'bytes 10-19/300000'],
    ['a compressed one', { 'content-encoding': 'gzip' }, 'bytes 0-9/*, encoded as gzip'],
  ])('for which the server sends %s of the same length is refused', async (_, headers, answered) => {
    const store = await storeAt({ GetObject: [{ status: 206, body: BODY.subarray(10, 20), headers }] })
    expect(await refusalOf(store.getRange(KEY, 0, 10, signal))).toMatchObject({
      code: 'STORE_FAILED',
      message: `s3://backups/${KEY} answered bytes=0-9 with ${answered}`,
    })
  })
})

test('an archived object says how far its restoration is', async () => {
  const restore = 'ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"'
  const headers = { 'x-amz-storage-class': 'DEEP_ARCHIVE' }
  const store = await storeAt({
    HeadObject: [
      success('', headers),
      success('', { ...headers, 'x-amz-restore': 'ongoing-request="true"' }),
      success('', { ...headers, 'x-amz-restore': restore }),
    ],
  })
  expect(await store.head(KEY, signal)).not.toHaveProperty('restore')
  expect(await store.head(KEY, signal)).toMatchObject({ storageClass: 'DEEP_ARCHIVE', restore: { ongoing: true } })
  expect((await store.head(KEY, signal)).restore).toEqual({ ongoing: false, expires: new Date('2012-12-21') })
})

test('a checksum of checksums is not taken for that of the object', async () => {
  const composite = { 'x-amz-checksum-crc32': `${encode(1)}-2`, 'x-amz-checksum-type': 'COMPOSITE' }
  const store = await storeAt({ HeadObject: [success('', composite)] })
  expect(await store.head(KEY, signal)).not.toHaveProperty('crc32')
})

describe('an answer in which a byte is wrong', () => {
  const list = async (store: Store) => {
    const found: unknown[] = []
    for await (const upload of store.listUploads('data/', signal)) found.push(upload)
    return found
  }
  const RIGHT = success(
    '<ListMultipartUploadsResult><Upload><Key>a</Key><UploadId>u</UploadId></Upload></ListMultipartUploadsResult>',
  )
  const GARBLED = success(RIGHT.body!.toString().replace('</Key>', '</Kex>'))

  test('is asked for again', async () => {
    const store = await storeAt({ ListMultipartUploads: [GARBLED, RIGHT] })
    expect(await list(store)).toEqual([{ key: 'a', uploadId: 'u' }])
  })

  test('is an error where it never is right, without advice for programmers', async () => {
    const store = await storeAt({ ListMultipartUploads: [GARBLED] })
    const { code, message } = await refusalOf(list(store))
    expect([code, message.includes('Deserialization'), message.includes('$response')]).toEqual([
      'STORE_FAILED',
      false,
      false,
    ])
    expect(message).toMatch(/^ListMultipartUploads of bucket backups failed: .*mismatched/i)
  })
})

test('a checksum of checksums is not taken for that of the object, although the server does not call it that', async () => {
  const store = await storeAt({ HeadObject: [success('', { 'x-amz-checksum-crc32': 'Hvf9sw==-3' })] })
  expect(await store.head(KEY, signal)).not.toHaveProperty('crc32')
})

test('unfinished uploads are listed page by page', async () => {
  const page = (id: string, more: string) =>
    success(
      `<ListMultipartUploadsResult>${more}<Upload><Key>${id}</Key><UploadId>u${id}</UploadId></Upload></ListMultipartUploadsResult>`,
    )
  const more =
    '<IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker><NextUploadIdMarker>ua</NextUploadIdMarker>'
  const store = await storeAt({
    ListMultipartUploads: [page('a', more), page('b', '<IsTruncated>false</IsTruncated>')],
  })
  const found = []
  for await (const upload of store.listUploads('', signal)) found.push(upload)
  expect(found).toEqual([
    { key: 'a', uploadId: 'ua' },
    { key: 'b', uploadId: 'ub' },
  ])
  expect(server.requests[1]?.url).toMatch(/key-marker=a&.*upload-id-marker=ua/)
})

test('a version is what is read, read on and thawed, where one is named', async () => {
  const store = await storeAt({
    GetObject: [
      { status: 206, body: BODY.subarray(0, 100), breakAfterBytes: 50 },
      { status: 206, body: BODY.subarray(50, 100) },
      success(BODY),
    ],
    HeadObject: [STORED],
    RestoreObject: [{ status: 202 }],
  })
  await store.getRange(KEY, 0, 100, signal, { versionId: 'v1' })
  await store.get(KEY, BODY.length, signal, 'v1')
  await store.head(KEY, signal, 'v1')
  await store.retrieve(KEY, { tier: 'bulk', days: 7 }, signal, 'v1')
  expect(server.operations).toEqual(['GetObject', 'GetObject', 'GetObject', 'HeadObject', 'RestoreObject'])
  expect(server.requests.filter(({ url }) => !url.includes('versionId=v1'))).toEqual([])
})

test('versions are listed page by page, and a deleted object whose versions are on two pages once', async () => {
  const version = (key: string, id: string, isLatest: boolean) =>
    `<Version><Key>${key}</Key><VersionId>${id}</VersionId><IsLatest>${isLatest}</IsLatest><Size>5</Size>` +
    '<LastModified>2026-01-31T02:00:00.000Z</LastModified><StorageClass>STANDARD</StorageClass></Version>'
  const marker = '<DeleteMarker><Key>b</Key><VersionId>mb</VersionId><IsLatest>true</IsLatest></DeleteMarker>'
  const page = (body: string) => success(`<ListVersionsResult>${body}</ListVersionsResult>`)
  const more =
    '<IsTruncated>true</IsTruncated><NextKeyMarker>b</NextKeyMarker><NextVersionIdMarker>vb2</NextVersionIdMarker>'
  const store = await storeAt({
    ListObjectVersions: [
      page(more + version('a', 'va', true) + marker + version('b', 'vb2', false)),
      page(version('b', 'vb1', false) + version('c', 'vc', true)),
    ],
  })
  const found = []
  for await (const { key, deletedVersion } of store.list('', signal, { includeDeleted: true })) {
    found.push([key, deletedVersion])
  }
  expect(found).toEqual([
    ['a', undefined],
    ['b', 'vb2'],
    ['c', undefined],
  ])
  expect(server.requests[1]?.url).toMatch(/key-marker=b&.*version-id-marker=vb2/)
})

describe('the facts of a bucket', () => {
  const facts = async (answer: Step) => (await storeAt({ GetBucketVersioning: [answer] })).readFacts(signal)
  const versioning = (xml: string) => success(`<VersioningConfiguration>${xml}</VersioningConfiguration>`)

  test.each([
    ['Enabled', versioning('<Status>Enabled</Status>')],
    ['Suspended', versioning('<Status>Suspended</Status>')],
    ['Off', versioning('')],
    ['unknown', failure(403, 'AccessDenied')],
  ])('its versioning is %s', async (expected, answer) => {
    expect(await facts(answer)).toMatchObject({ region: 'eu-west-1', versioning: expected })
  })

  test('a clock that is an hour behind is found out', async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString()
    const { clockSkewSeconds } = await facts({ ...versioning(''), headers: { date } })
    expect(Math.round(clockSkewSeconds / 10)).toBe(360)
  })

  test.each([
    ['may not ask for anything', [failure(403, 'AccessDenied')]],
    ['is so late that its first request is refused', [failure(403, 'RequestTimeTooSkewed'), versioning('')]],
  ])('so is one of a host that %s', async (_, answers) => {
    const headers = { date: new Date(Date.now() + 3_600_000).toUTCString() }
    const steps = answers.map((answer) => ({ ...answer, headers }))
    const { clockSkewSeconds } = await (await storeAt({ GetBucketVersioning: steps })).readFacts(signal)
    expect(Math.round(clockSkewSeconds / 10)).toBe(360)
  })

  test.each<[string, Step]>([
    ['redirects', { ...failure(301, 'PermanentRedirect'), headers: { 'x-amz-bucket-region': 'us-west-2' } }],
    ['refuses the signature', failure(400, 'AuthorizationHeaderMalformed', '<Region>us-west-2</Region>')],
  ])('a bucket in another region is named with its region, where S3 %s', async (_, answer) => {
    expect(await refusalOf(facts(answer))).toEqual({
      code: 'BUCKET_REGION',
      message: 'bucket backups is in us-west-2, not in eu-west-1',
      hint: 'Set --region us-west-2, or use the bucket of this region.',
    })
  })
})

function lengthOnly(bytes: number): Step {
  return success('', { 'content-length': String(bytes) })
}

function encode(checksum: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(checksum)
  return bytes.toString('base64')
}
