import { useOrReadAgain } from '../../agent/bucket/read-again'
import { refusalOf } from '../support/refusal'
import { failure, success } from '../support/scripted-s3'
import type { RangeReadOptions } from '../../agent/context'
import type { Step } from '../support/scripted-s3'
import { BODY, KEY, STORED, encode, signal, scene } from './scripted-store'

const scripted = scene()

describe('a small object', () => {
  test('is read again when its body breaks off', async () => {
    const store = await scripted.storeAt({ GetObject: [{ ...success(BODY), breakAfterBytes: 1000 }, success(BODY)] })
    expect((await store.get(KEY, BODY.length, signal)).body.equals(BODY)).toBe(true)
  })

  test('that is larger than it may be costs no memory: its body is not read', async () => {
    const store = await scripted.storeAt({
      GetObject: [{ ...success(''), headers: { 'content-length': '5000000000' } }],
    })
    expect(await refusalOf(store.get(KEY, 1 << 20, signal))).toMatchObject({
      code: 'ARCHIVE_DAMAGED',
      message: expect.stringMatching(/is larger than 1048576 bytes$/),
    })
  })

  test('that does not have its checksum is not believed', async () => {
    const store = await scripted.storeAt({ GetObject: [success(BODY, { 'x-amz-checksum-crc32': encode(1) })] })
    expect(await refusalOf(store.get(KEY, BODY.length, signal))).toMatchObject({ code: 'CHECKSUM_MISMATCH' })
  })
})

describe('a range', () => {
  test('is read on from where its body broke off', async () => {
    const store = await scripted.storeAt({
      GetObject: [
        { status: 206, body: BODY.subarray(1000, 201_000), breakAfterBytes: 50_000 },
        { status: 206, body: BODY.subarray(51_000, 201_000) },
      ],
    })
    expect((await store.getRange(KEY, 1000, 200_000, signal)).equals(BODY.subarray(1000, 201_000))).toBe(true)
    expect(scripted.server.requests.map(({ headers }) => headers.range)).toEqual([
      'bytes=1000-200999',
      'bytes=51000-200999',
    ])
  })

  test('that is not what was written is read again over a connection that was never used', async () => {
    const range = (body: string): Step => ({ status: 206, body })
    const store = await scripted.storeAt({ GetObject: [range('right'), range('wrong'), range('right')] })
    await store.getRange(KEY, 0, 5, signal) // leaves its connection idle
    const stored = await store.getRange(KEY, 0, 5, signal)
    const use = () => {
      if (stored.toString() === 'wrong') throw new Error('a wrong byte')
      return stored.toString()
    }
    const readAgain = (how: RangeReadOptions) => store.getRange(KEY, 0, 5, signal, how)
    expect(await useOrReadAgain(stored, use, readAgain, KEY)).toBe('right')
    const [first, second, again] = scripted.server.requests.map(({ clientPort }) => clientPort)
    expect(second).toBe(first)
    expect(again).not.toBe(first)
  })

  test('of a server that is too busy is asked for again, once each time', async () => {
    const store = await scripted.storeAt({
      GetObject: [failure(503, 'SlowDown'), { status: 206, body: BODY.subarray(0, 10) }],
    })
    expect((await store.getRange(KEY, 0, 10, signal)).equals(BODY.subarray(0, 10))).toBe(true)
    expect(scripted.server.operations).toEqual(['GetObject', 'GetObject'])
  })

  test('of a server that sends the whole object instead is refused', async () => {
    const store = await scripted.storeAt({ GetObject: [success(BODY)] })
    expect(await refusalOf(store.getRange(KEY, 0, 10, signal))).toMatchObject({ code: 'ARCHIVE_DAMAGED' })
  })

  test.each([
    ['another range', { 'content-range': 'bytes 10-19/300000' }, 'bytes 10-19/300000'],
    ['a compressed one', { 'content-encoding': 'gzip' }, 'bytes 0-9/*, encoded as gzip'],
  ])('for which the server sends %s of the same length is refused', async (_, headers, answered) => {
    const store = await scripted.storeAt({ GetObject: [{ status: 206, body: BODY.subarray(10, 20), headers }] })
    expect(await refusalOf(store.getRange(KEY, 0, 10, signal))).toMatchObject({
      code: 'STORE_FAILED',
      message: `s3://backups/${KEY} answered bytes=0-9 with ${answered}`,
    })
  })
})

test('an archived object says how far its restoration is', async () => {
  const restore = 'ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"'
  const headers = { 'x-amz-storage-class': 'DEEP_ARCHIVE' }
  const store = await scripted.storeAt({
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
  const store = await scripted.storeAt({ HeadObject: [success('', composite)] })
  expect(await store.head(KEY, signal)).not.toHaveProperty('crc32')
})

test('a checksum of checksums is not taken for that of the object, although the server does not call it that', async () => {
  const store = await scripted.storeAt({ HeadObject: [success('', { 'x-amz-checksum-crc32': 'Hvf9sw==-3' })] })
  expect(await store.head(KEY, signal)).not.toHaveProperty('crc32')
})

test('a version is what is read, read on and thawed, where one is named', async () => {
  const store = await scripted.storeAt({
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
  expect(scripted.server.operations).toEqual(['GetObject', 'GetObject', 'GetObject', 'HeadObject', 'RestoreObject'])
  expect(scripted.server.requests.filter(({ url }) => !url.includes('versionId=v1'))).toEqual([])
})
