/** An operator who waits for Glacier asks how far it is, and a script sees it by the status. */
import { restoreStatus } from '../support/commands'
import { place } from '../support/archives'
import { localDeps } from '../support/host-deps'
import type { MemoryStore } from '../support/memory-store'
import { requestOf } from '../support/request'
import { backedUp, frozen, restored, stored, thawed } from './fixture'

function status(store: MemoryStore, ...options: string[]) {
  const run = ['--class', place.class, '--run', place.run]
  return restoreStatus({ ...localDeps(), store }, requestOf('restore-status', place.host, ...run, ...options))
}

const GOOD = { missing: 0, readable: 1, thawing: 0, frozen: 0, catalog: 'good' }

/** A backup that has lost this object. */
function without(key: string): MemoryStore {
  const store = backedUp()
  store.objects.delete(key)
  return store
}

test('what can be read is ready, volume by volume', async () => {
  const { status: code, json } = await status(backedUp())
  expect(code).toBe(0)
  expect(json).toMatchObject({
    ready: true,
    volumes: [
      { mountPoint: '/', storageClasses: ['STANDARD'], ...GOOD },
      { mountPoint: '/srv', storageClasses: ['STANDARD'], ...GOOD },
    ],
  })
})

test('Glacier: 5 until all of it can be read', async () => {
  const store = frozen()
  expect(await status(store, '--volume', '/srv')).toMatchObject({
    ...{ status: 5, summary: expect.stringContaining('snapstream restore --thaw bulk') },
    json: { ready: false, volumes: [{ mountPoint: '/srv', frozen: 1, storageClasses: ['DEEP_ARCHIVE'] }] },
  })
  await restored({ volume: ['/srv'], thaw: 'bulk' }, store)
  expect(await status(store, '--volume', '/srv')).toMatchObject({ status: 5, json: { volumes: [{ thawing: 1 }] } })
  thawed(store)
  expect(await status(store, '--volume', '/srv')).toMatchObject({ status: 0, json: { ready: true } })
})

test('a missing object: 3, as no waiting brings it back', async () => {
  expect(await status(without(stored.srv.archive.segments[0]!.key))).toMatchObject({
    ...{ status: 3, summary: expect.stringContaining('restore the rest with "snapstream restore --best-effort"') },
    json: { ready: false, volumes: [GOOD, { mountPoint: '/srv', missing: 1, readable: 0 }] },
  })
})

test('a lost catalog: the archive is ready, and what a restore takes is said', async () => {
  const { status: code, summary, json } = await status(without(stored.srv.archive.catalog.key), '--volume', '/srv')
  expect([code, json]).toMatchObject([0, { ready: true, volumes: [{ catalog: 'missing' }] }])
  expect(summary).toMatch(/^ {2}The catalog of \/srv is missing: a restore rebuilds it/m)
})
