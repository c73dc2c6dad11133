/** An archive says all that its catalog says: made again from it, the catalog is the same to the byte, or there is none. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findCatalogLoss } from '../../agent/restore/catalogs.io'
import { rebuildCatalog } from '../../agent/restore/rebuild-catalog.io'
import { archiveVolume, type ArchiveRequest } from '../../agent/archive/write.io'
import { readCatalogText } from '../../agent/archive/read-catalog.io'
import type { ReaderDeps } from '../../agent/archive/read.io'
import type { Archive } from '../../agent/archive/archive'
import { tarCreate } from '../../agent/tar/commands'
import { faultyStore } from '../support/faulty-store'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import { memoryStore, type MemoryStore } from '../support/memory-store'
import { depsOf, requestOf, RUN } from '../archive/write-fixture'
import { scratchTree } from '../support/tree/scratch'

jest.setTimeout(60_000)

const { root } = scratchTree((tree) => writeFileSync(join(tree, 'text'), 'to be compressed '.repeat(500_000)))

const cases: [string, Partial<ArchiveRequest>][] = [
  ['zstd', { compression: 'zstd' }],
  ['none', { compression: 'none' }],
  ['zstd in many segments', { compression: 'zstd', segmentBytes: 1024 }],
  ['none in many segments', { compression: 'none', segmentBytes: 2 * 1024 * 1024 }],
]

async function archived(changes: Partial<ArchiveRequest>) {
  const store = memoryStore()
  const deps = { ...depsOf({ store, events: [], read: () => Buffer.of(), keys: () => [], pending: () => [] }), store }
  const archive = await archiveVolume(deps, requestOf(tarCreate(root()), changes))
  const volume = volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/srv', archive })
  return { deps, store, archive, manifest: manifestOf({ run: RUN, host: 'db-1', volumes: [volume] }) }
}

async function textOf(pieces: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  for await (const piece of pieces) text += piece.toString('latin1') // it is used anew for the next one
  return text
}

const change = (store: MemoryStore, key: string, edit: (body: Buffer) => Buffer) => {
  const object = store.objects.get(key)!
  store.objects.set(key, { ...object, body: edit(Buffer.from(object.body)) })
}

test.each(cases)('it is the same text, from the same bytes: %s', async (_, changes) => {
  const { deps, store, archive, manifest } = await archived(changes)
  if (changes.segmentBytes !== undefined) expect(archive.segments.length).toBeGreaterThan(2)
  const original = await textOf(readCatalogText(deps, archive.catalog))
  store.objects.delete(archive.catalog.key)
  await using rebuilt = await rebuildCatalog(deps, manifest, manifest.volumes[0]!)
  expect(await textOf(rebuilt.text())).toBe(original)
})

test.each(cases)('one wrong bit on its way does not cost it: %s', async (_, changes) => {
  const { deps, store, archive, manifest } = await archived(changes)
  const original = await textOf(readCatalogText(deps, archive.catalog))
  store.objects.delete(archive.catalog.key)
  const key = archive.segments[0]!.key
  const onceWrong = { ...deps, store: faultyStore(store, { call: 'getRange', key, nth: 1, kind: 'flip' }) }
  await using rebuilt = await rebuildCatalog(onceWrong, manifest, manifest.volumes[0]!)
  expect(await textOf(rebuilt.text())).toBe(original)
})

test('a catalog is lost where it is missing, has another size, or another checksum', async () => {
  const { deps, store, archive } = await archived({})
  const { key } = archive.catalog
  const object = store.objects.get(key)!
  const withoutChecksums: ReaderDeps = {
    ...deps,
    store: { ...store, head: async (...args) => ({ ...(await store.head(...args)), crc32: undefined }) as never },
  }
  const losses = async () => [await findCatalogLoss(deps, archive), await findCatalogLoss(withoutChecksums, archive)]
  expect(await losses()).toEqual([undefined, undefined])
  change(store, key, (body) => (body.writeUInt8(body[40]! ^ 1, 40), body))
  expect(await losses()).toEqual(['damaged', 'damaged'])
  store.objects.set(key, { ...object, body: object.body.subarray(1) })
  expect(await losses()).toEqual(['damaged', 'damaged'])
  store.objects.delete(key)
  expect(await losses()).toEqual(['missing', 'missing'])
})

describe.each(cases)('of a damaged archive there is no catalog, but a reason: %s', (_, changes) => {
  const refused = async (damage: (store: MemoryStore, archive: Archive) => void) => {
    const { deps, store, archive, manifest } = await archived(changes)
    damage(store, archive)
    await expect(rebuildCatalog(deps, manifest, manifest.volumes[0]!)).rejects.toMatchObject({
      code: 'ARCHIVE_DAMAGED',
      message: expect.stringMatching(/, and without catalogs\/.* it is not known what is lost with it$/),
      hint: expect.stringMatching(/restore-by-hand/),
    })
  }

  test('wherever a bit is flipped, the seek table included', async () => {
    for (const share of [0, 0.3, 0.7, 0.99, 1]) {
      await refused((store, { segments }) => {
        change(store, segments.at(-1)!.key, (body) => {
          body[Math.floor((body.length - 1) * share)]! ^= 1
          return body
        })
      })
    }
  })

  test('where a segment is missing, or cut short', async () => {
    await refused((store, { segments }) => void store.objects.delete(segments[0]!.key))
    await refused((store, { segments }) => change(store, segments[0]!.key, (body) => body.subarray(0, -1)))
  })

  test('where it is whole, but not the one that the manifest names', async () => {
    const { deps, archive, manifest } = await archived(changes)
    const [volume] = manifest.volumes
    const segments = archive.segments.map((segment) => ({ ...segment, sha256: '0'.repeat(64) }))
    const foreign = { ...volume!, archive: { ...archive, segments } }
    await expect(rebuildCatalog(deps, manifest, foreign)).rejects.toMatchObject({
      message: expect.stringMatching(/ was read with SHA-256 .*, the manifest says 0{64}, and/),
    })
  })
})
