import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { ErrorCode } from '../../agent/errors'
import type { VersionedStore } from './memory-store'
import type { Completion, FinishedPart, ObjectInfo, UploadRef } from '../../agent/context'

/** Where a server is known not to do as S3 does. The contract then states what it does instead. */
export interface Deviations {
  /** Neither compares checksums with what it receives, nor keeps them. */
  readonly ignoresChecksums?: boolean
  /** Says that it is broken, not that the upload does not exist, where an aborted upload is completed. */
  readonly breaksOnAbortedUploads?: boolean
}

/** The least that S3 accepts for a part which is not the last. */
const PART_BYTES = 5 * 2 ** 20
/** More than any object here has. */
const GET_BYTES_MAX = 8 * PART_BYTES
/** S3 lists this many objects at a time. */
const PAGE_OBJECTS = 1000
const AWKWARD_KEYS = [
  'data/daily/arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0/run/vg0-root.tar.zst',
  'spaces and + plus % percent',
  'ümläut/日本語/🗄',
  `quotes ' " & < > = ? # ;`,
]

/**
 * What the agent relies on a store for. Runs against every implementation, the fake included.
 *
 * @param makeStore - makes a store with an empty, versioned bucket; is called once
 */
export function storeContract(
  name: string,
  makeStore: () => Promise<VersionedStore>,
  deviations: Deviations = {},
): void {
  describe(`store contract: ${name}`, () => {
    let store: VersionedStore
    const signal = new AbortController().signal
    beforeAll(async () => {
      store = await makeStore()
    })

    const keys = async (prefix: string) => (await collect(store.list(prefix, signal))).map(({ key }) => key)
    const get = async (key: string, version?: string) => (await store.get(key, GET_BYTES_MAX, signal, version)).body
    const uploadParts = async (upload: UploadRef, bodies: readonly Buffer[]): Promise<FinishedPart[]> =>
      Promise.all(bodies.map((body, index) => store.uploadPart(upload, index + 1, body, crc32(body), signal)))
    const whole = (bodies: readonly Buffer[]) => ({
      sizeBytes: Buffer.concat(bodies).length,
      crc32: crc32(Buffer.concat(bodies)),
    })
    /** Uploads an object in parts of the sizes that S3 wants. */
    const upload = async (key: string, bodies: readonly Buffer[]): Promise<Completion> => {
      const begun = await store.createUpload(key, undefined, signal)
      return store.completeUpload(begun, await uploadParts(begun, bodies), whole(bodies), signal)
    }

    describe('put', () => {
      test('an object is read back as it was put', async () => {
        const body = randomBytes(1000)
        await store.put('put/object', body, signal, { contentType: 'application/json' })
        expectBytes(await get('put/object'), body)
        expect(await store.head('put/object', signal)).toMatchObject({ key: 'put/object', sizeBytes: 1000 })
      })

      test('text is stored as UTF-8', async () => {
        await store.put('put/text', '{"name":"müller"}\n', signal)
        expect((await get('put/text')).toString()).toBe('{"name":"müller"}\n')
      })

      test('an object may be empty', async () => {
        await store.put('put/empty', '', signal)
        expect(await get('put/empty')).toHaveLength(0)
      })

      test('an object is read with the time at which it was written, by the clock of the store', async () => {
        await store.put('put/time', 'x', signal)
        const [listed] = await collect(store.list('put/time', signal))
        const { lastModified } = await store.get('put/time', 1, signal)
        const seconds = (time: Date | undefined) => Math.floor((time ?? new Date(NaN)).getTime() / 1000)
        expect(seconds(lastModified)).toBe(seconds(listed?.lastModified))
        expect(seconds((await store.head('put/time', signal)).lastModified)).toBe(seconds(lastModified))
      })

      test('an object that is larger than expected is not read', async () => {
        await store.put('put/large', randomBytes(1001), signal)
        await expectCode(store.get('put/large', 1000, signal), 'ARCHIVE_DAMAGED')
        expect((await store.get('put/large', 1001, signal)).body).toHaveLength(1001)
      })

      test('an object is never overwritten', async () => {
        await store.put('put/once', 'first', signal)
        await expectCode(store.put('put/once', 'second', signal), 'OBJECT_EXISTS')
        expect((await get('put/once')).toString()).toBe('first')
      })

      test.each(AWKWARD_KEYS)('a key is kept as it is: %s', async (key) => {
        await store.put(`keys/${key}`, key, signal)
        expect((await get(`keys/${key}`)).toString()).toBe(key)
        expect(await keys(`keys/${key}`)).toEqual([`keys/${key}`])
      })
    })

    describe('upload', () => {
      const [first, second] = [randomBytes(PART_BYTES), randomBytes(PART_BYTES + 1)]
      const last = randomBytes(1000)

      test('parts of uneven sizes, uploaded in any order and at once, become one object in order', async () => {
        const begun = await store.createUpload('upload/order', undefined, signal)
        const [three, one, two] = await Promise.all([
          store.uploadPart(begun, 3, last, crc32(last), signal),
          store.uploadPart(begun, 1, first, crc32(first), signal),
          store.uploadPart(begun, 2, second, crc32(second), signal),
        ])
        await store.completeUpload(begun, [three, one, two], whole([first, second, last]), signal)
        expectBytes(await get('upload/order'), Buffer.concat([first, second, last]))
      })

      test('a part may be a piece of a larger buffer', async () => {
        const pool = Buffer.concat([Buffer.from('before'), last, Buffer.from('after')])
        await upload('upload/view', [pool.subarray(6, 6 + last.length)])
        expectBytes(await get('upload/view'), last)
      })

      test('a part that is uploaded again is replaced', async () => {
        const begun = await store.createUpload('upload/again', undefined, signal)
        await store.uploadPart(begun, 1, first, crc32(first), signal)
        await store.completeUpload(begun, await uploadParts(begun, [last]), whole([last]), signal)
        expectBytes(await get('upload/again'), last)
      })

      test('an object in another storage class says so', async () => {
        const begun = await store.createUpload('upload/class', 'GLACIER_IR', signal)
        await store.completeUpload(begun, await uploadParts(begun, [last]), whole([last]), signal)
        expect(await store.head('upload/class', signal)).toMatchObject({ storageClass: 'GLACIER_IR' })
      })

      test('an upload that is not completed leaves no object', async () => {
        const begun = await store.createUpload('upload/unfinished', undefined, signal)
        await uploadParts(begun, [first, last])
        expect(await keys('upload/unfinished')).toEqual([])
        await store.abortUpload(begun, signal)
        expect(await keys('upload/unfinished')).toEqual([])
        await expectCode(store.head('upload/unfinished', signal), 'OBJECT_MISSING')
      })

      test('an upload never overwrites an object', async () => {
        await upload('upload/once', [last])
        const begun = await store.createUpload('upload/once', undefined, signal)
        const parts = await uploadParts(begun, [first])
        await expectCode(store.completeUpload(begun, parts, whole([first]), signal), 'OBJECT_EXISTS')
        expectBytes(await get('upload/once'), last)
        await store.abortUpload(begun, signal)
      })

      test('an aborted upload cannot be completed', async () => {
        const begun = await store.createUpload('upload/aborted', undefined, signal)
        const parts = await uploadParts(begun, [last])
        await store.abortUpload(begun, signal)
        const { breaksOnAbortedUploads = false } = deviations
        // What is said to be broken is tried again for minutes.
        const patience = breaksOnAbortedUploads ? AbortSignal.timeout(500) : signal
        const refusal = breaksOnAbortedUploads ? 'INTERRUPTED' : 'STORE_FAILED'
        await expectCode(store.completeUpload(begun, parts, whole([last]), patience), refusal)
        expect(await keys('upload/aborted')).toEqual([])
      })

      test('aborting again, or what never was, succeeds', async () => {
        const begun = await store.createUpload('upload/abort twice', undefined, signal)
        await store.abortUpload(begun, signal)
        await store.abortUpload(begun, signal)
        await store.abortUpload({ key: 'upload/abort twice', uploadId: 'never-was' }, signal)
      })

      test('unfinished uploads are listed by prefix', async () => {
        const [a, b] = await Promise.all([
          store.createUpload('unfinished/a/1', undefined, signal),
          store.createUpload('unfinished/b/1', undefined, signal),
        ])
        const initiated = expect.any(Date) as Date
        expect(await collect(store.listUploads('unfinished/a/', signal))).toEqual([{ ...a, initiated }])
        expect(await collect(store.listUploads('unfinished/none', signal))).toEqual([])
        await store.abortUpload(a, signal)
        expect(await collect(store.listUploads('unfinished/', signal))).toEqual([{ ...b, initiated }])
        await store.abortUpload(b, signal)
      })
    })

    describe('checksums', () => {
      const body = Buffer.from('what was sent')
      const wrong = crc32('something else')

      if (deviations.ignoresChecksums) {
        test('this server takes what arrives for what was sent', async () => {
          const begun = await store.createUpload('checksum/ignored', undefined, signal)
          const part = await store.uploadPart(begun, 1, body, wrong, signal)
          const claim = { sizeBytes: body.length, crc32: wrong }
          expect(await store.completeUpload(begun, [part], claim, signal)).toEqual({ confirmed: false })
          expect((await store.head('checksum/ignored', signal)).crc32).toBeUndefined()
        })
        test('but an object of another size than was sent is found out', async () => {
          const begun = await store.createUpload('checksum/size', undefined, signal)
          const parts = await uploadParts(begun, [body])
          const claim = { sizeBytes: body.length + 1, crc32: crc32(body) }
          await expectCode(store.completeUpload(begun, parts, claim, signal), 'CHECKSUM_MISMATCH')
        })
        return
      }

      test('a part that is not what was sent is refused', async () => {
        const begun = await store.createUpload('checksum/part', undefined, signal)
        await expectCode(store.uploadPart(begun, 1, body, wrong, signal), 'CHECKSUM_MISMATCH')
        await store.abortUpload(begun, signal)
      })

      test('an object that is not what was sent is refused, and does not come into being', async () => {
        const begun = await store.createUpload('checksum/whole', undefined, signal)
        const parts = await uploadParts(begun, [body])
        const claim = { sizeBytes: body.length, crc32: wrong }
        await expectCode(store.completeUpload(begun, parts, claim, signal), 'CHECKSUM_MISMATCH')
        expect(await keys('checksum/whole')).toEqual([])
        await store.abortUpload(begun, signal)
      })

      test('the checksum of an object is that of all its parts together', async () => {
        const bodies = [randomBytes(PART_BYTES), body]
        expect(await upload('checksum/kept', bodies)).toEqual({ confirmed: true })
        expect((await store.head('checksum/kept', signal)).crc32).toBe(whole(bodies).crc32)
      })
    })

    describe('ranges', () => {
      const bodies = [randomBytes(PART_BYTES), randomBytes(1000)]
      const all = Buffer.concat(bodies)
      beforeAll(async () => {
        await upload('range/object', bodies)
      })

      test.each([
        ['the first byte', 0, 1],
        ['the last byte', all.length - 1, 1],
        ['across the boundary of two parts', PART_BYTES - 10, 20],
        ['everything', 0, all.length],
        ['nothing', 17, 0],
      ])('%s', async (_, offset, bytes) => {
        const range = await store.getRange('range/object', offset, bytes, signal)
        expectBytes(range, all.subarray(offset, offset + bytes))
      })

      test.each([
        ['beyond the end', all.length, 1],
        ['across the end', all.length - 10, 20],
      ])('a range %s is damage, not a shorter answer', async (_, offset, bytes) => {
        await expectCode(store.getRange('range/object', offset, bytes, signal), 'ARCHIVE_DAMAGED')
      })
    })

    test('what does not exist is missing, whichever way it is looked for', async () => {
      await expectCode(get('missing'), 'OBJECT_MISSING')
      await expectCode(store.getRange('missing', 0, 1, signal), 'OBJECT_MISSING')
      await expectCode(store.head('missing', signal), 'OBJECT_MISSING')
      expect(await keys('missing')).toEqual([])
    })

    test('folders are listed each once, and objects beside them not at all', async () => {
      for (const key of ['b/2/x', 'b/1', 'a', 'c/x', 'b/2/y', 'b/3']) await store.put(`folders/${key}`, key, signal)
      expect(await collect(store.listFolders('folders/', signal))).toEqual(['b', 'c'])
      expect(await collect(store.listFolders('folders/b/', signal))).toEqual(['2'])
      expect(await collect(store.listFolders('folders/none/', signal))).toEqual([])
    })

    test('a list has all objects with the prefix, in order, however many they are', async () => {
      const expected = Array.from({ length: PAGE_OBJECTS + 5 }, (_, index) => `list/${String(index).padStart(5, '0')}`)
      const pending = [...expected, 'list-not', 'lis'].reverse()
      const worker = async () => {
        for (let key = pending.pop(); key !== undefined; key = pending.pop()) await store.put(key, key, signal)
      }
      await Promise.all(Array.from({ length: 16 }, worker))
      const listed = await collect(store.list('list/', signal))
      expect(listed.map(({ key }) => key)).toEqual(expected)
      expect(listed[0]).toEqual<ObjectInfo>({
        key: 'list/00000',
        sizeBytes: 'list/00000'.length,
        storageClass: 'STANDARD',
        lastModified: expect.any(Date),
      })
      const [deleted] = expected
      await store.deleteObject(deleted as string)
      const withDeleted = await collect(store.list('list/', signal, { includeDeleted: true }))
      expect(withDeleted.map(({ key }) => key)).toEqual(expected)
    }, 60_000)

    describe('what was deleted', () => {
      const withDeleted = { includeDeleted: true }
      const listed = async (prefix: string) => collect(store.list(prefix, signal, withDeleted))
      const put = (key: string, text: string) => store.put(key, text, signal)

      test('is missing, but listed where that is asked for, and can be read as the version named there', async () => {
        const bodies = [randomBytes(PART_BYTES), randomBytes(1000)]
        await upload('deleted/one/object', bodies)
        await put('deleted/kept', 'kept')
        await store.deleteObject('deleted/one/object')
        await expectCode(get('deleted/one/object'), 'OBJECT_MISSING')
        await expectCode(store.getRange('deleted/one/object', 0, 1, signal), 'OBJECT_MISSING')
        await expectCode(store.head('deleted/one/object', signal), 'OBJECT_MISSING')
        expect(await keys('deleted/')).toEqual(['deleted/kept'])

        const [kept, found, ...others] = await listed('deleted/')
        expect([kept?.key, kept?.deletedVersion, others]).toEqual(['deleted/kept', undefined, []])
        const body = Buffer.concat(bodies)
        expect(found).toMatchObject({ key: 'deleted/one/object', sizeBytes: body.length, storageClass: 'STANDARD' })
        const version = found?.deletedVersion as string
        expectBytes(await get('deleted/one/object', version), body)
        expectBytes(
          await store.getRange('deleted/one/object', 7, 20, signal, { versionId: version }),
          body.subarray(7, 27),
        )
        expect(await store.head('deleted/one/object', signal, version)).toMatchObject({ sizeBytes: body.length })
      })

      test('has a folder only where that is asked for', async () => {
        await put('deleted folders/a/x', 'x')
        await put('deleted folders/b/x', 'x')
        await store.deleteObject('deleted folders/a/x')
        expect(await collect(store.listFolders('deleted folders/', signal))).toEqual(['b'])
        expect(await collect(store.listFolders('deleted folders/', signal, withDeleted))).toEqual(['a', 'b'])
      })

      test('is listed once, as its newest version', async () => {
        for (const text of ['first', 'second']) {
          await put('deleted twice', text)
          await store.deleteObject('deleted twice')
        }
        const [{ deletedVersion } = {}, ...others] = await listed('deleted twice')
        expect(others).toEqual([])
        expect((await get('deleted twice', deletedVersion)).toString()).toBe('second')
      })

      test('is not deleted any more where it has been written again', async () => {
        await put('rewritten', 'first')
        await store.deleteObject('rewritten')
        await put('rewritten', 'second')
        const [found, ...others] = await listed('rewritten')
        expect([found?.sizeBytes, found?.deletedVersion, others]).toEqual(['second'.length, undefined, []])
      })

      test('is gone with its last version, delete marker or not', async () => {
        await put('purged', 'x')
        await store.deleteObject('purged')
        const [{ deletedVersion = '' } = {}] = await listed('purged')
        await store.deleteVersion('purged', deletedVersion)
        expect(await listed('purged')).toEqual([])
        await expectCode(get('purged', deletedVersion), 'OBJECT_MISSING')
        await expectCode(store.head('purged', signal, deletedVersion), 'OBJECT_MISSING')
      })
    })

    test('a request that is cancelled ends as interrupted', async () => {
      const body = randomBytes(PART_BYTES)
      const begun = await store.createUpload('cancelled', undefined, signal)
      const controller = new AbortController()
      const sending = store.uploadPart(begun, 1, body, crc32(body), controller.signal)
      controller.abort()
      await expectCode(sending, 'INTERRUPTED')
      await expectCode(store.put('cancelled', 'x', controller.signal), 'INTERRUPTED')
      expect(await keys('cancelled')).toEqual([])
      await store.abortUpload(begun, signal)
    })

    test('the facts of the bucket', async () => {
      const facts = await store.readFacts(signal)
      expect(facts).toMatchObject({ region: 'us-east-1', versioning: 'Enabled' })
      expect(Math.abs(facts.clockSkewSeconds)).toBeLessThan(2)
    })
  })
}

async function expectCode(action: Promise<unknown>, code: ErrorCode): Promise<void> {
  await expect(action).rejects.toMatchObject({ name: 'AgentError', code })
}

/** Compares megabytes at once: `toEqual` looks at them one by one. */
function expectBytes(actual: Buffer, expected: Buffer): void {
  expect({ bytes: actual.length, same: actual.equals(expected) }).toEqual({ bytes: expected.length, same: true })
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
