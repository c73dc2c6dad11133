/** A catalog may be of millions of entries, and far away: whatever a restore goes through, each is asked for once. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Store } from '../../agent/context'
import { backedUp, damaged, differences, frozen, read, restored, sources, target, thawed } from './fixture'
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
