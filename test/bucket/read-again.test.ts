/** One wrong byte on its way is not damage: what is stored is asked for again, and only what two readings agree on counts. */
import { randomBytes } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, zstdCompressSync } from 'node:zlib'
import { findCatalogLoss } from '../../agent/restore/catalogs.io'
import { readCatalogIndex, readCatalogText } from '../../agent/archive/read-catalog.io'
import { readRaw } from '../../agent/archive/read.io'
import { checkObjects, checkStream } from '../../agent/verify/objects-and-stream.io'
import { type Archive } from '../../agent/archive/archive'
import { tarCreate } from '../../agent/tar/commands'
import { archiveInSmallFrames, storeWith, type ArchiveOptions, type StoredArchive } from '../support/archives'
import { faultyStore } from '../support/faulty-store'
import type { RangeReadOptions, Store } from '../../agent/context'
import { formatCrc32 } from '../../agent/lib/crc32'

jest.setTimeout(60_000)

const signal = new AbortController().signal
/** More than any of the archives here is read with. */
const READS = 12

let tar: Buffer
beforeAll(() => {
  const root = mkdtempSync(join(tmpdir(), 'read-again-'))
  for (const name of ['a', 'b', 'c']) writeFileSync(join(root, name), randomBytes(150_000))
  const [program, ...args] = tarCreate(root)
  tar = execFileSync(program, args, { maxBuffer: 64 << 20 })
  rmSync(root, { recursive: true })
})

async function findings(store: Store, archive: Archive): Promise<string[]> {
  const found: string[] = []
  const report = (what: string) => void found.push(what)
  await checkObjects({ store, signal }, { archive }, report)
  await checkStream({ store, signal }, archive, report)
  return found
}

async function readAll(store: Store, archive: Archive): Promise<Buffer> {
  const { table } = await readCatalogIndex({ store, signal }, archive)
  const pieces: Buffer[] = []
  for await (const piece of readRaw({ store, signal }, archive, table, [{ offset: 0, bytes: archive.rawBytes }])) {
    pieces.push(Buffer.from(piece))
  }
  return Buffer.concat(pieces)
}

/** The store, with what the nth reading brings damaged, each in turn. */
function* withOneWrongByte({ objects }: Pick<StoredArchive, 'objects'>): Generator<Store> {
  for (let nth = 1; nth <= READS; nth++) {
    yield faultyStore(storeWith(objects), { call: 'getRange', nth, kind: 'flip' })
  }
}

describe.each<ArchiveOptions>([
  { compression: 'zstd' },
  { compression: 'none' },
  { compression: 'zstd', framesPerSegment: 3 },
  { compression: 'none', framesPerSegment: 3 },
])('an archive that is whole, %j', (options) => {
  test('is verified without a finding, whichever answer had a wrong byte', async () => {
    const stored = archiveInSmallFrames(tar, options)
    for (const store of withOneWrongByte(stored)) expect(await findings(store, stored.archive)).toEqual([])
  })

  test('is restored to the byte, whichever answer had a wrong byte', async () => {
    const stored = archiveInSmallFrames(tar, options)
    for (const store of withOneWrongByte(stored)) expect((await readAll(store, stored.archive)).equals(tar)).toBe(true)
  })

  test('is never called damaged where every answer has another wrong byte: then nothing is known of it', async () => {
    const { archive, objects } = archiveInSmallFrames(tar, options)
    const store = faultyStore(storeWith(objects), { call: 'getRange', key: 'data/', kind: 'flip' })
    await expect(findings(store, archive)).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining('arrives different each time it is read'),
      hint: expect.stringContaining('network hardware'),
    })
  })

  test('is whole although the server says once that a segment is gone, and of another that it is longer', async () => {
    const { archive, objects } = archiveInSmallFrames(tar, options)
    const memory = storeWith(objects)
    const asked: string[] = []
    const head: Store['head'] = async (key, ...rest) => {
      asked.push(key)
      if (asked.length === 1) return memory.head('data/nothing', ...rest)
      const truth = await memory.head(key, ...rest)
      return asked.length === 3 ? { ...truth, sizeBytes: truth.sizeBytes + 1 } : truth
    }
    expect(await findings({ ...memory, head }, archive)).toEqual([])
  })
})

test('a frame that is damaged where it is stored is read twice, the second time over another connection, and not more often', async () => {
  const { archive, objects } = archiveInSmallFrames(tar, { framesPerSegment: 1 })
  const [first] = archive.segments
  const store = storeWith(objects)
  const body = Buffer.from(objects.get(first!.key)!)
  body[1000]! ^= 1
  store.objects.set(first!.key, { ...store.objects.get(first!.key)!, body })
  const reads: (readonly [key: string, how: RangeReadOptions | undefined])[] = []
  const getRange: Store['getRange'] = (key, offset, bytes, ofCaller, how) => {
    reads.push([key, how])
    return store.getRange(key, offset, bytes, ofCaller, how)
  }
  await expect(readAll({ ...store, getRange }, archive)).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' })
  const ofFirst = reads.filter(([key]) => key === first!.key)
  expect(ofFirst.map(([, how]) => how?.freshConnection ?? false)).toEqual([false, true])
})

describe('a catalog', () => {
  test.each([
    ['that is held while it is read', 1_000],
    ['that is too large for that', 20 * 1024 * 1024],
  ])('%s gives out no byte that is not the one that was written', async (_, textBytes) => {
    const text = randomBytes(textBytes)
    const body = zstdCompressSync(text)
    const catalog = { key: 'catalogs/c', sizeBytes: body.length, crc32: formatCrc32(crc32(body)) }
    const objects = new Map([[catalog.key, body]])
    for (const store of withOneWrongByte({ objects })) {
      // Twice, as the second reading knows what the first one found out.
      for (let reading = 1; reading <= 2; reading++) {
        let read = 0
        for await (const piece of readCatalogText({ store, signal }, catalog)) {
          expect(piece.equals(text.subarray(read, read + piece.length))).toBe(true)
          read += piece.length
        }
        expect(read).toBe(textBytes)
      }
    }
  })

  test('that is too large for that is no other one when it is read the second time, whatever its CRC32', async () => {
    const body = zstdCompressSync(randomBytes(20 * 1024 * 1024))
    const forged = Buffer.from(body)
    // CRC32 is linear: what differs by its polynomial, bit for bit from the highest power on, has the same.
    const polynomial = 0x1_04c1_1db7
    for (let bit = 0; bit <= 32; bit++) {
      if (Math.floor(polynomial / 2 ** (32 - bit)) % 2 === 1) forged[1_000_000 + (bit >> 3)]! ^= 1 << (bit & 7)
    }
    expect([crc32(forged) === crc32(body), forged.equals(body)]).toEqual([true, false])

    const catalog = { key: 'catalogs/c', sizeBytes: body.length, crc32: formatCrc32(crc32(body)) }
    const store = storeWith(new Map([[catalog.key, body]]))
    for await (const piece of readCatalogText({ store, signal }, catalog)) expect(piece.length).toBeGreaterThan(0)
    store.objects.set(catalog.key, { ...store.objects.get(catalog.key)!, body: forged })
    const text = readCatalogText({ store, signal }, catalog)
    await expect(text.next()).rejects.toThrow('is not what it was when it was read before')
  })

  test('that is whole is not made again from the archive because one answer had a wrong byte', async () => {
    const { archive, objects } = archiveInSmallFrames(tar)
    const memory = storeWith(objects)
    const head: Store['head'] = async (...args) => {
      const { key, sizeBytes, lastModified, storageClass } = await memory.head(...args)
      return { key, sizeBytes, lastModified, storageClass } // it keeps no checksum
    }
    const store = faultyStore({ ...memory, head }, { call: 'getRange', nth: 1, kind: 'flip' })
    expect(await findCatalogLoss({ store, signal }, archive)).toBeUndefined()
  })
})
