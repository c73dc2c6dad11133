import { createHash, randomBytes } from 'node:crypto'
import { loadCatalog } from '../../agent/archive/load-catalog.io'
import { formatCatalogEntry } from '../../agent/archive/catalog'
import { READ_BYTES } from '../../agent/archive/frame-reads'
import type { Store } from '../../agent/context'
import type { CatalogEntry } from '../../agent/tar/entry'
import { archiveOf, storeWith } from '../support/archives'
import { faultyStore } from '../support/faulty-store'
import type { MemoryStore } from '../support/memory-store'

/** The store, and for what it was read. */
function counting(store: MemoryStore): { readonly store: MemoryStore; readonly asked: string[] } {
  const asked: string[] = []
  const getRange: Store['getRange'] = (key, ...rest) => (asked.push(key), store.getRange(key, ...rest))
  return { store: { ...store, getRange }, asked }
}

describe('a catalog of several pieces', () => {
  const signal = new AbortController().signal
  /** Names that do not compress. */
  const entries = Array.from({ length: 60_000 }, (_, index): CatalogEntry => {
    const path = `${randomBytes(90).toString('base64url')}-${index}`
    return { path, type: 'file', size: 0, mode: 0, uid: 0, gid: 0, mtime: '0', offset: index * 512, bytes: 512 }
  })
  const { archive, objects } = archiveOf(Buffer.alloc(entries.length * 512), { entries })

  async function digestOf(all: AsyncIterable<CatalogEntry> | readonly CatalogEntry[]): Promise<string> {
    const hash = createHash('sha256')
    for await (const entry of all) hash.update(formatCatalogEntry(entry))
    return hash.digest('hex')
  }

  test('is read piece by piece, each once, and gone through as often as one likes', async () => {
    const { store, asked } = counting(storeWith(objects))
    await using catalog = await loadCatalog({ store, signal }, archive)
    for (let pass = 1; pass <= 2; pass++) expect(await digestOf(catalog.entries())).toBe(await digestOf(entries))
    expect((await catalog.table()).storedBytes).toHaveLength(archive.frames)
    expect(archive.catalog.sizeBytes).toBeGreaterThan(READ_BYTES)
    expect(asked).toEqual([archive.catalog.key, archive.catalog.key])
  })

  test('knows where the frames are before anybody has asked for an entry', async () => {
    await using catalog = await loadCatalog({ store: storeWith(objects), signal }, archive)
    expect((await catalog.table()).storedBytes).toHaveLength(archive.frames)
  })

  test.each([1, 2])('is the one that was written although answer %i has a wrong byte', async (nth) => {
    const store = faultyStore(storeWith(objects), { call: 'getRange', nth, kind: 'flip' })
    await using catalog = await loadCatalog({ store, signal }, archive)
    expect(await digestOf(catalog.entries())).toBe(await digestOf(entries))
  })

  test('that there is no room for is not read, and fills no disk', async () => {
    const { store, asked } = counting(storeWith(objects))
    const huge = { ...archive, catalog: { ...archive.catalog, sizeBytes: 2 ** 52 } }
    await expect(loadCatalog({ store, signal }, huge)).rejects.toMatchObject({
      code: 'TARGET_UNFIT',
      message: expect.stringMatching(/^a temporary file cannot be kept in .*: it takes \S+ \S+, and .* are free$/),
      hint: expect.stringMatching(/TMPDIR/),
    })
    expect(asked).toEqual([])
  })

  test('that is damaged where it is stored is refused before an entry of it is believed', async () => {
    const store = storeWith(objects)
    const object = store.objects.get(archive.catalog.key)!
    const body = Buffer.from(object.body)
    body[body.length - 100]! ^= 1
    store.objects.set(archive.catalog.key, { ...object, body })
    await expect(loadCatalog({ store, signal }, archive)).rejects.toMatchObject({
      code: 'ARCHIVE_DAMAGED',
      message: expect.stringMatching(/ has CRC32 \S+, the manifest says \S+$/),
    })
  })

  test('that has the checksum of the one that was written, and is another, is refused too', async () => {
    const forged = { ...archive, catalog: { ...archive.catalog, sha256: '0'.repeat(64) } }
    await expect(loadCatalog({ store: storeWith(objects), signal }, forged)).rejects.toMatchObject({
      code: 'ARCHIVE_DAMAGED',
      message: expect.stringMatching(/ has SHA-256 \S+, the manifest says 0{64}$/),
    })
  })
})
