/** A lost catalog is noticed before it is relied on, and made again where that can be. */
import { findCatalogLoss, loadCatalogs } from '../../agent/restore/catalogs.io'
import { openRun } from '../../agent/run/runs'
import { place } from '../support/archives'
import { localDeps } from '../support/host-deps'
import type { MemoryStore } from '../support/memory-store'
import { requestOf } from '../support/request'
import { backedUp, frozen, stored } from './fixture'

const { signal } = new AbortController()
const catalogKey = (): string => stored.srv.archive.catalog.key

function withCatalog(edit: (body: Buffer) => Buffer | undefined, store = backedUp()): MemoryStore {
  const object = store.objects.get(catalogKey())!
  const body = edit(Buffer.from(object.body))
  if (body) store.objects.set(catalogKey(), { ...object, body })
  else store.objects.delete(catalogKey())
  return store
}

const CASES: [string, 'missing' | 'damaged' | undefined, (body: Buffer) => Buffer | undefined][] = [
  ['as it was written', undefined, (body) => body],
  ['deleted', 'missing', () => undefined],
  ['cut short', 'damaged', (body) => body.subarray(1)],
  ['of the same length, with other bytes', 'damaged', (body) => body.reverse()],
]

test.each(CASES)('a catalog %s: %s', async (_, loss, edit) => {
  expect(await findCatalogLoss({ store: withCatalog(edit), signal }, stored.srv.archive)).toBe(loss)
})

test.each(CASES)('by a server without checksums, a catalog %s: %s', async (_, loss, edit) => {
  const store = withCatalog(edit)
  const head: MemoryStore['head'] = async (...args) => {
    const { key, sizeBytes, lastModified, storageClass } = await store.head(...args)
    return { key, sizeBytes, lastModified, storageClass }
  }
  expect(await findCatalogLoss({ store: { ...store, head }, signal }, stored.srv.archive)).toBe(loss)
})

async function load(store: MemoryStore) {
  const deps = { ...localDeps(), store }
  const request = requestOf('restore', place.host, '--class', place.class, '--run', place.run, '--target', '/mnt')
  const { manifest } = await openRun(deps, request)
  const [root, srv] = manifest.volumes
  return { root: root!, srv: srv!, logged: deps.logged, catalogs: loadCatalogs(deps, request, manifest, [srv!]) }
}

test('one that is lost is made again, with the same entries', async () => {
  const { srv, catalogs, logged } = await load(withCatalog(() => undefined))
  await using loaded = await catalogs
  const paths: string[] = []
  for await (const { path } of loaded.of(srv).entries()) paths.push(path)
  expect(loaded.waiting).toBeUndefined()
  expect(paths).toEqual(stored.srv.entries.map(({ path }) => path))
  expect(logged.join('\n')).toContain(`the catalog ${catalogKey()} is missing: rebuilding it from the archive`)
})

test('one that is lost while its archive is in Glacier is not made again', async () => {
  const { catalogs } = await load(withCatalog(() => undefined, frozen()))
  await expect(catalogs).rejects.toMatchObject({ code: 'OBJECT_ARCHIVED' })
})

test('those of volumes that are not restored are not there', async () => {
  const { root, catalogs } = await load(backedUp())
  await using loaded = await catalogs
  expect(() => loaded.of(root)).toThrow('the catalog of / was not loaded')
})
