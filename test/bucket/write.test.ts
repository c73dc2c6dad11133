import { createHash } from 'node:crypto'
import { SYSTEM_CLOCK } from '../../agent/bucket/retries.io'
import { fakeClock } from '../support/fake-clock'
import { refusalOf } from '../support/refusal'
import { failure, success } from '../support/scripted-s3'
import type { Store } from '../../agent/context'
import type { ScriptedS3, Step } from '../support/scripted-s3'
import {
  BODY,
  FREE,
  KEY,
  PARTS,
  PART_STORED,
  STORED,
  UPLOAD,
  WHOLE,
  encode,
  lengthOnly,
  signal,
  scene,
} from './scripted-store'

const scripted = scene()

const COMPLETED = success(
  `<CompleteMultipartUploadResult><ChecksumCRC32>${encode(WHOLE.crc32)}</ChecksumCRC32></CompleteMultipartUploadResult>`,
)

describe('a part', () => {
  const send = (store: Store) => store.uploadPart(UPLOAD, 7, BODY, WHOLE.crc32, signal)

  test('travels with its checksum, and is neither hashed nor announced first', async () => {
    const store = await scripted.storeAt({ UploadPart: [PART_STORED] })
    expect(await send(store)).toEqual({ partNumber: 7, etag: '"1"', crc32: WHOLE.crc32 })
    const [{ headers, body, url }] = scripted.server.requests as [ScriptedS3['requests'][number]]
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
    const store = await scripted.storeAt({ UploadPart: [mishap, PART_STORED] })
    await send(store)
    expect(scripted.server.requests.at(-1)?.body.equals(BODY)).toBe(true)
    expect(scripted.debugged).toEqual([`UploadPart of ${KEY} took 2 attempts`])
  })

  test('that arrives with a wrong byte is sent again, whole', async () => {
    const store = await scripted.storeAt({
      UploadPart: [failure(400, 'BadDigest'), failure(400, 'BadDigest'), PART_STORED],
    })
    expect(await send(store)).toMatchObject({ partNumber: 7 })
    expect(scripted.server.requests.map(({ body }) => body.equals(BODY))).toEqual([true, true, true])
  })

  test('that arrives wrong each time is given up, with what to suspect', async () => {
    const store = await scripted.storeAt({ UploadPart: [failure(400, 'BadDigest')] })
    expect(await refusalOf(send(store))).toMatchObject({
      code: 'CHECKSUM_MISMATCH',
      message: expect.stringMatching(/^what arrived in UploadPart of s3:.* is not what was sent: BadDigest/),
      hint: expect.stringContaining('suspect memory or network hardware'),
    })
    expect(scripted.server.operations).toHaveLength(4)
  })

  test('that has changed in memory since its checksum was taken is not sent again: it is the host that is broken', async () => {
    const store = await scripted.storeAt({ UploadPart: [failure(400, 'BadDigest'), PART_STORED] })
    const changed = Buffer.from(BODY)
    changed[1000]! ^= 1
    expect(await refusalOf(store.uploadPart(UPLOAD, 7, changed, WHOLE.crc32, signal))).toMatchObject({
      code: 'CHECKSUM_MISMATCH',
      message: expect.stringContaining('has changed in the memory of this host'),
      hint: expect.stringContaining('Test the memory'),
    })
    expect(scripted.server.operations).toEqual(['UploadPart'])
  })

  test('is not sent again when the credentials have expired', async () => {
    const store = await scripted.storeAt({ UploadPart: [failure(400, 'ExpiredToken')] })
    expect(await refusalOf(send(store))).toEqual({
      code: 'CREDENTIALS_EXPIRED',
      message: `the credentials expired before UploadPart of s3://backups/${KEY}: ExpiredToken it is`,
      hint: 'Renew them, or use an instance profile, whose credentials are renewed automatically.',
    })
    expect(scripted.server.operations).toEqual(['UploadPart'])
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
    const store = await scripted.storeAt(
      { UploadPart: [PART_STORED, failure(503, 'ServiceUnavailable')] },
      { ...fakeClock(), sleep },
    )
    await send(store)
    const sending = store.uploadPart(UPLOAD, 7, BODY, WHOLE.crc32, controller.signal)
    expect(await refusalOf(sending)).toMatchObject({ code: 'INTERRUPTED' })
    expect(scripted.server.requests.length).toBe(6)
  })

  test('outlives an outage that all parts in flight have to retry through', async () => {
    const outage = Array<Step>(100).fill(failure(503, 'ServiceUnavailable'))
    const store = await scripted.storeAt({ UploadPart: [PART_STORED, ...outage, PART_STORED] }, fakeClock())
    await send(store)
    await Promise.all(Array.from({ length: 20 }, () => send(store)))
  }, 30_000)

  test('fails soon if it is the first request of all: then the configuration is more likely to be wrong', async () => {
    const store = await scripted.storeAt({ UploadPart: [failure(503, 'ServiceUnavailable')] })
    expect(await refusalOf(send(store))).toMatchObject({
      code: 'STORE_FAILED',
      message: `UploadPart of s3://backups/${KEY} failed in 5 attempts: ServiceUnavailable it is`,
    })
  })
})

describe('completion', () => {
  const complete = (store: Store) => store.completeUpload(UPLOAD, PARTS, WHOLE, signal)

  test('says what the whole object has to be, and that nothing may be overwritten', async () => {
    const store = await scripted.storeAt({ HeadObject: [FREE], CompleteMultipartUpload: [COMPLETED] })
    expect(await complete(store)).toEqual({ confirmed: true })
    expect(scripted.server.operations).toEqual(['HeadObject', 'CompleteMultipartUpload'])
    expect(scripted.server.requests[1]?.headers).toMatchObject({
      'if-none-match': '*',
      'x-amz-checksum-crc32': encode(WHOLE.crc32),
      'x-amz-checksum-type': 'FULL_OBJECT',
      'x-amz-mp-object-size': String(BODY.length),
    })
  })

  test('is not asked of a server that does not know conditions, where the key is taken', async () => {
    const store = await scripted.storeAt({ HeadObject: [STORED] })
    expect(await refusalOf(complete(store))).toMatchObject({ code: 'OBJECT_EXISTS' })
    expect(scripted.server.operations).toEqual(['HeadObject'])
  })

  test('needs no permission to read where the server confirms the checksum', async () => {
    const store = await scripted.storeAt({ HeadObject: [{ status: 403 }], CompleteMultipartUpload: [COMPLETED] })
    await complete(store)
  })

  test('that the server answers with 200 and an error is asked again', async () => {
    const store = await scripted.storeAt({
      HeadObject: [FREE],
      CompleteMultipartUpload: [{ ...failure(200, 'InternalError') }, COMPLETED],
    })
    await complete(store)
    expect(scripted.debugged).toEqual([`CompleteMultipartUpload of ${KEY} took 2 attempts`])
  })

  test('that the server confirms with another checksum has failed', async () => {
    const other = COMPLETED.body?.toString().replace(encode(WHOLE.crc32), encode(1))
    const store = await scripted.storeAt({ HeadObject: [FREE], CompleteMultipartUpload: [success(other)] })
    const sent = WHOLE.crc32.toString(16).padStart(8, '0')
    expect(await refusalOf(complete(store))).toEqual({
      code: 'CHECKSUM_MISMATCH',
      message: `s3://backups/${KEY} is not what was sent: it has CRC32 00000001, sent was ${sent}`,
      hint:
        'Run the backup again. This object belongs to no run, since no manifest names it. If it happens again with a server given by ' +
        '--endpoint-url, compare it with "snapstream help servers".',
    })
  })

  const SILENT = success('<CompleteMultipartUploadResult/>')
  const asComposite = success('', { 'content-length': String(BODY.length), 'x-amz-checksum-crc32': 'Hvf9sw==-3' })
  test.each<[string, Step, { confirmed: boolean }]>([
    ['has the same checksum', STORED, { confirmed: true }],
    ['has the same size, where the server keeps no checksum', lengthOnly(BODY.length), { confirmed: false }],
    ['has the same size, where the server has a checksum of checksums', asComposite, { confirmed: false }],
  ])('that the server does not confirm is judged by the object: it %s', async (_, found, completion) => {
    const store = await scripted.storeAt({ HeadObject: [FREE, found], CompleteMultipartUpload: [SILENT] })
    expect(await complete(store)).toEqual(completion)
  })

  test('whose answer has a checksum of checksums is confirmed by the object alone', async () => {
    const composite =
      '<CompleteMultipartUploadResult><ChecksumCRC32>Hvf9sw==-3</ChecksumCRC32></CompleteMultipartUploadResult>'
    const store = await scripted.storeAt({ HeadObject: [FREE, STORED], CompleteMultipartUpload: [success(composite)] })
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
    const store = await scripted.storeAt({ HeadObject: [FREE, found], CompleteMultipartUpload: [SILENT] })
    expect(await refusalOf(complete(store))).toMatchObject(refused)
  })

  describe.each<[string, Step]>([
    ['the key taken', failure(412, 'PreconditionFailed')],
    ['another request in its way', failure(409, 'ConditionalRequestConflict')],
    ['the upload gone', failure(404, 'NoSuchUpload')],
  ])('whose answer was lost, so that the next attempt finds %s', (_, answer) => {
    const lost = (found: Step) =>
      scripted.storeAt({ HeadObject: [FREE, found], CompleteMultipartUpload: ['lose', answer] })

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
    const store = await scripted.storeAt({
      HeadObject: [FREE, STORED],
      PutObject: ['lose', failure(412, 'PreconditionFailed')],
    })
    await store.put(KEY, BODY, signal, { contentType: 'application/json' })
    expect(scripted.server.requests.at(-2)?.headers).toMatchObject({
      'if-none-match': '*',
      'content-type': 'application/json',
      'x-amz-checksum-crc32': encode(WHOLE.crc32),
    })
  })

  test('whose answer was lost may be there as it was sent, where the host may not look: the operator is sent to look', async () => {
    const store = await scripted.storeAt({
      HeadObject: [{ status: 403 }],
      PutObject: ['lose', failure(412, 'PreconditionFailed')],
    })
    expect(await refusalOf(store.put(KEY, BODY, signal))).toEqual({
      code: 'OBJECT_EXISTS',
      message: `s3://backups/${KEY} exists, perhaps as it was sent: the answer was lost, and these credentials may not read the object`,
      hint: expect.stringMatching(/^Check before you run the command again: with the restorer role, "snapstream list"/),
    })
  })

  test('that was there before is not taken for what was sent', async () => {
    const store = await scripted.storeAt({
      HeadObject: [{ status: 403 }],
      PutObject: [failure(412, 'PreconditionFailed')],
    })
    expect(await refusalOf(store.put(KEY, BODY, signal))).toMatchObject({
      message: `s3://backups/${KEY} already exists`,
    })
  })

  test('that arrives with a wrong byte is sent again; servers that know no CRC32 compare its MD5', async () => {
    const store = await scripted.storeAt({ HeadObject: [FREE], PutObject: [failure(400, 'BadDigest'), success()] })
    await store.put(KEY, BODY, signal)
    expect(scripted.server.operations).toEqual(['HeadObject', 'PutObject', 'PutObject'])
    expect(scripted.server.requests.at(-1)?.headers).toMatchObject({
      'content-md5': createHash('md5').update(BODY).digest('base64'),
    })
  })
})
