/** A catalog may be of millions of entries, and far away: whatever a restore goes through, each is asked for once. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadCatalog } from '../../agent/archive/load-catalog.io'
import { formatCatalogEntry } from '../../agent/archive/catalog'
import { READ_BYTES } from '../../agent/archive/frame-reads'
import type { Store } from '../../agent/context'
import type { CatalogEntry } from '../../agent/tar/entry'
import { backedUp, damaged, differences, frozen, read, restored, sources, target, thawed } from './fixture'
import { archiveOf, storeWith } from '../support/archives'
import { faultyStore } from '../support/faulty-store'
import type { MemoryStore } from '../support/memory-store'

/** The store, and the requests for catalogs that it was sent: the call, and the volume. */
function counting(store: MemoryStore): { readonly store: MemoryStore; readonly asked: string[] } {
  const asked: string[] = []
  const count = (call: string, key: string): void => {
    const [, volume] = /^catalogs\/.*\/(.*)\.jsonl\.zst$/.exec(key) ?? []
    if (volume !== undefined) asked.push(`${call} ${volume}`)
  }
  const counted: Pick<Store, 'get' | 'getRange' | 'head'> = {
    get: (key, ...rest) => (count('get', key), store.get(key, ...rest)),
    getRange: (key, ...rest) => (count('getRange', key), store.getRange(key, ...rest)),
    head: (key, ...rest) => (count('head', key), store.head(key, ...rest)),
  }
  return { store: { ...store, ...counted }, asked }
}

/** Its time is asked for, which reading does not tell. */
const OF_SRV = ['head vg0-srv', 'getRange vg0-srv']
const SRV = { volume: ['/srv'] }

test('a restore of all volumes', async () => {
  const { store, asked } = counting(backedUp())
  expect(await restored({}, store)).toMatchObject({ status: 0 })
  expect(asked).toEqual(['head vg0-root', 'getRange vg0-root', ...OF_SRV])
})

test('a dry run', async () => {
  const { store, asked } = counting(backedUp())
  expect(await restored({ ...SRV, dryRun: true }, store)).toMatchObject({ status: 0 })
  expect(asked).toEqual(OF_SRV)
})

test('a restore of hard links without the name that has their data', async () => {
  const { store, asked } = counting(backedUp())
  expect(await restored({ path: ['/srv/other links'] }, store)).toMatchObject({ status: 0 })
  expect(read('srv/other links/third')).toBe('one file, three names')
  expect(asked).toEqual(OF_SRV)
})

test('a restore of one file to standard output that is refused, as there are more', async () => {
  const { store, asked } = counting(backedUp())
  await expect(restored({ path: ['/srv/app'], stdout: true }, store)).rejects.toMatchObject({ code: 'USAGE' })
  expect(asked).toEqual(OF_SRV)
})

describe('of an archive with a damaged frame', () => {
  test('a restore that names what is lost', async () => {
    const { store, asked } = counting(damaged())
    await expect(restored(SRV, store)).rejects.toMatchObject({ message: expect.stringMatching(/; lost with it: /) })
    expect(asked).toEqual(OF_SRV)
  })

  test('a restore of the rest, with --best-effort', async () => {
    const { store, asked } = counting(damaged())
    expect(await restored({ ...SRV, bestEffort: true }, store)).toMatchObject({ status: 3 })
    expect(asked).toEqual(OF_SRV)
  })
})

test('a restore that goes on after one that was interrupted', async () => {
  await restored(SRV)
  rmSync(join(target, 'srv/app'), { recursive: true })
  const { store, asked } = counting(backedUp())
  expect(await restored({ ...SRV, resume: true }, store)).toMatchObject({ status: 0 })
  expect(differences(sources.srv, join(target, 'srv'))).toEqual([])
  expect(asked).toEqual(OF_SRV)
})

test('a restore that fails half-way, and looks for what is missing', async () => {
  mkdirSync(join(target, 'srv/links of links/second/in the way'), { recursive: true })
  writeFileSync(join(target, 'srv/links of links/second/in the way/file'), 'mine')
  const { store, asked } = counting(backedUp())
  expect(await restored({ ...SRV, onConflict: 'overwrite' }, store)).toMatchObject({ status: 3 })
  expect(asked).toEqual(OF_SRV)
})

test('a restore that waits for Glacier, and plans again when all is there', async () => {
  const { store, asked } = counting(frozen())
  const retrieve: Store['retrieve'] = async (...args) => (await store.retrieve(...args), thawed(store))
  expect(await restored({ ...SRV, thaw: 'bulk' }, { ...store, retrieve })).toMatchObject({ status: 0 })
  expect(asked).toEqual(OF_SRV)
})

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
    expect(asked).toEqual(['getRange vg0-srv', 'getRange vg0-srv'])
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
