import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { zstdCompressSync } from 'node:zlib'
import type { Archive } from '../../agent/archive/archive'
import { decompressCatalog, readCatalogIndex, readCatalogText, readEntries } from '../../agent/archive/read-catalog.io'
import type { ReaderDeps } from '../../agent/archive/read.io'
import { archiveVolume } from '../../agent/archive/write.io'
import { frameEndFinder } from '../../agent/archive/zstd-frame'
import type { Store } from '../../agent/context'
import { searchCatalog } from '../../agent/find/search'
import { parseGlob } from '../../agent/lib/glob'
import { tarCreate } from '../../agent/tar/commands'
import { verifyVolume } from '../../agent/verify/verify.io'
import { archiveOf, storedAs, storeWith } from '../support/archives'
import { refusalOf } from '../support/refusal'
import { ROOT, tarOf } from '../support/tar-blocks'
import { archiveBucket } from './archive-bucket'
import { depsOf, requestOf } from './write-fixture'

jest.setTimeout(60_000)

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'read-catalog-'))
})
afterAll(() => rmSync(root, { recursive: true }))

describe('a catalog', () => {
  const { archive, objects } = archiveOf(tarOf(ROOT, { name: './hosts' }))
  const { signal } = new AbortController()
  const { key } = archive.catalog

  test('has its entries, in their order', async () => {
    const paths: string[] = []
    for await (const { path } of readEntries({ store: storeWith(objects), signal }, archive)) paths.push(path)
    expect(paths).toEqual(['.', 'hosts'])
  })

  test('that does not decompress is refused, with its name', async () => {
    const store = storeWith(new Map(objects).set(key, Buffer.from('no zstd')))
    const known = { ...archive, catalog: storedAs(key, Buffer.from('no zstd')) }
    const read = async () => {
      const text = readCatalogText({ store, signal }, known.catalog)
      while (!(await text.next()).done) continue
    }
    const told = await refusalOf(read())
    expect(told.code).toBe('ARCHIVE_DAMAGED')
    expect(told.message).toContain(`${key} does not decompress`)
  })

  test('that is gone is missing', async () => {
    const store = storeWith(objects)
    store.objects.delete(key)
    expect(await refusalOf(readCatalogIndex({ store, signal }, archive))).toMatchObject({ code: 'OBJECT_MISSING' })
  })
})

describe('a catalog that takes several frames', () => {
  /** Long names: 6,000 entries take 2 MB of catalog, which is compressed in pieces of 1 MiB. */
  const manyNames = (): string => {
    const many = mkdtempSync(join(root, 'many-'))
    for (let i = 0; i < 6000; i++) writeFileSync(join(many, `${'long'.repeat(50)}-${i}`), '')
    return many
  }

  test('is read to its end, by whatever reads', async () => {
    const many = manyNames()
    const bucket = archiveBucket()
    const deps = depsOf(bucket)
    const archive = await archiveVolume(deps, requestOf(tarCreate(many)))
    const frames = frameEndFinder()(bucket.read(archive.catalog.key))
    expect(frames.length).toBeGreaterThan(1)
    expect(frames.at(-1)).toBe(archive.catalog.sizeBytes)

    const volume = { volume: 'vg0-srv', mountPoint: '/srv', archive }
    expect(await verifyVolume(deps, volume, 'stream')).toMatchObject({ findings: [], entries: 6001 })
    expect(await findIn(deps, archive, '*-5999')).toEqual([expect.stringMatching(/-5999$/)])
    expect(await findIn(deps, archive, '*')).toHaveLength(6001)
  })

  test('and is cut short between two of them, is no catalog', async () => {
    const bucket = archiveBucket()
    const deps = depsOf(bucket)
    const { catalog } = await archiveVolume(deps, requestOf(tarCreate(manyNames())))
    const body = bucket.read(catalog.key)
    const cut = body.subarray(0, frameEndFinder()(body)[0])
    const store: Store = {
      ...deps.store,
      getRange: async (_, offset, bytes) => Buffer.from(cut.subarray(offset, offset + bytes)),
    }
    const known = { catalog: storedAs(catalog.key, cut) } as Archive
    await expect(findIn({ ...deps, store }, known, '*')).rejects.toThrow('the catalog was cut short')
    await expect(readCatalogIndex({ ...deps, store }, known)).rejects.toThrow('the catalog was cut short')
  })

  async function findIn(deps: ReaderDeps, archive: Archive, pattern: string): Promise<string[]> {
    const search = searchCatalog('/srv', parseGlob(pattern), archive.catalog.key)
    const found: string[] = []
    for await (const text of readCatalogText(deps, archive.catalog))
      found.push(...search.push(text).map(({ path }) => path))
    search.finish()
    return found
  }
})

test('a catalog of many small frames is read whole by whoever takes his time', async () => {
  const lines = Array.from({ length: 400 }, (_, index) => `${index} ${randomBytes(300).toString('hex')}\n`)
  async function* stored(): AsyncGenerator<Buffer> {
    for (const line of lines) yield zstdCompressSync(line)
  }
  let text = ''
  for await (const piece of decompressCatalog(stored(), 'catalogs/x')) {
    text += piece.toString()
    await wait(2)
  }
  expect(text).toBe(lines.join(''))
})
