/** Files in nights whose base is gone: what no restore could bring back is not offered, and is not passed over in silence. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { VolumeBackup } from '../../agent/run/manifest'
import { find } from '../support/commands'
import { silentLog as log } from '../support/log'
import { nightsOf, runOf, type Nights } from '../support/nights'
import { requestOf } from '../support/request'
import { makeTrustedDirectory } from '../support/trusted-directory'

let indexes: string
let root: string
let nights: Nights
let base: VolumeBackup
let night: VolumeBackup

beforeEach(async () => {
  indexes = makeTrustedDirectory()
  root = mkdtempSync(join(tmpdir(), 'snapstream-lost-base-'))
  mkdirSync(join(root, 'app'))
  for (const name of ['kept.conf', 'changed.conf']) writeFileSync(join(root, 'app', name), `${name} before`)
  writeFileSync(join(root, 'large'), Buffer.alloc(1 << 20))
  nights = nightsOf(root, indexes)
  base = await nights.full()
  writeFileSync(join(root, 'app', 'changed.conf'), 'since')
  night = await nights.differential()
})
afterEach(() => [indexes, root].forEach((directory) => rmSync(directory, { recursive: true })))

const search = (pattern: string, ...options: readonly string[]) => {
  const deps = { store: nights.store, log, now: () => new Date(), signal: new AbortController().signal }
  return find(deps, requestOf('find', 'db-1', pattern, ...options))
}

test('as long as the base is there, all of the night is found', async () => {
  const { status, json } = await search('*.conf', '--run', runOf(night))
  expect([status, json]).toMatchObject([
    0,
    { found: [{ path: '/srv/app/changed.conf' }, { path: '/srv/app/kept.conf' }] },
  ])
})

test('a file that lies in a base that is gone is not offered, and the run is named with the reason', async () => {
  const { key } = base.archive.segments[0]!
  nights.store.objects.delete(key)
  const { status, json, summary } = await search('*.conf', '--run', runOf(night))
  expect(status).toBe(3)
  expect(json).toMatchObject({ found: [{ path: '/srv/app/changed.conf' }], notSearchedCount: 1 })
  const reason = `its base ${runOf(base)} is gone: ${key} is not there`
  expect(summary).toContain(`NOT SEARCHED ${runOf(night)} vg0-srv: ${reason}: a match that lies in it is left out`)
})

test('where all that matches was changed since, nothing is lost', async () => {
  nights.store.objects.delete(base.archive.segments[0]!.key)
  const { status, json } = await search('changed.conf', '--run', runOf(night))
  expect([status, json]).toMatchObject([0, { found: [{ path: '/srv/app/changed.conf' }], notSearched: [] }])
})
