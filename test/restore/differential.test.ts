/** A night of which most is in its base comes back as any other: whole, one file, or what is left of it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { VolumeBackup } from '../../agent/run/manifest'
import { nightsOf, restoreByHand, restoreNight, type Nights } from '../support/nights'
import { buildTree } from '../support/tree/build'
import { compareTrees } from '../support/tree/compare'
import { hostileTree } from '../support/tree/hostile'
import { walkTree } from '../support/tree/walk'
import { makeTrustedDirectory } from '../support/trusted-directory'

jest.setTimeout(120_000)

const MIB = 1024 * 1024

let indexes: string
let place: string
let root: string
let target: string
let nights: Nights
let base: VolumeBackup
let night: VolumeBackup

beforeAll(async () => {
  indexes = makeTrustedDirectory()
  place = mkdtempSync(join(tmpdir(), 'snapstream-night-'))
  root = join(place, 'root')
  mkdirSync(join(root, 'app'), { recursive: true })
  await buildTree(root, hostileTree())
  for (const name of ['kept', 'changed', 'gone']) writeFileSync(join(root, 'app', name), `${name} before`)
  writeFileSync(join(root, 'app', 'large'), Buffer.alloc(9 * MIB, 'large'))
})
afterAll(() => [indexes, place].forEach((directory) => rmSync(directory, { recursive: true })))
beforeEach(async () => {
  target = mkdtempSync(join(place, 'target-'))
  writeFileSync(join(root, 'app', 'gone'), 'gone before')
  nights = nightsOf(root, indexes)
  base = await nights.full()
  writeFileSync(join(root, 'app', 'changed'), 'changed since')
  rmSync(join(root, 'app', 'gone'))
  night = await nights.differential()
})

const differences = (restored: string) => compareTrees(walkTree(root), walkTree(restored))

test('the whole night comes back, by the agent and by hand, and is small', async () => {
  expect(night.archive.rawBytes).toBeLessThan(base.archive.rawBytes / 2)
  expect(await restoreNight(nights.store, night, target)).toMatchObject({ status: 0 })
  expect(differences(join(target, 'srv'))).toEqual([])
  mkdirSync(join(target, 'by hand'))
  restoreByHand(nights.store, night, join(target, 'by hand'))
  expect(differences(join(target, 'by hand'))).toEqual([])
})

test.each([
  ['changed', 'changed since'],
  ['kept', 'kept before'],
])('one file comes back from where it is: %s', async (name, content) => {
  expect(await restoreNight(nights.store, night, target, '--path', `/srv/app/${name}`)).toMatchObject({ status: 0 })
  expect(readFileSync(join(target, 'srv/app', name), 'utf8')).toBe(content)
})

test('what was gone that night does not come back', async () => {
  await expect(restoreNight(nights.store, night, target, '--path', '/srv/app/gone')).rejects.toMatchObject({
    code: 'UNKNOWN_PATH',
  })
})

test('where the base is gone, the restore says so before it begins, and what is lost', async () => {
  const [segment] = base.archive.segments
  nights.store.objects.delete(segment!.key)
  await expect(restoreNight(nights.store, night, target)).rejects.toMatchObject({
    code: 'ARCHIVE_DAMAGED',
    message: expect.stringContaining(`${segment!.key} is missing`) as string,
  })
})

test('without the base, what has changed since can still be restored', async () => {
  nights.store.objects.delete(base.archive.segments[0]!.key)
  const { status } = await restoreNight(nights.store, night, target, '--path', '/srv/app/changed')
  expect([status, readFileSync(join(target, 'srv/app/changed'), 'utf8')]).toEqual([0, 'changed since'])
})

test('a frame of the base that is damaged loses what is in it, and nothing else', async () => {
  const { key } = base.archive.segments[0]!
  const object = nights.store.objects.get(key)!
  const body = Buffer.from(object.body)
  body[20]! ^= 1
  nights.store.objects.set(key, { ...object, body })
  const { status } = await restoreNight(nights.store, night, target, '--best-effort')
  expect(status).toBe(3)
  expect(readFileSync(join(target, 'srv/app/changed'), 'utf8')).toBe('changed since')
})
