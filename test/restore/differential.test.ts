/** A night of which most is in its base comes back as any other: whole, one file, or what is left of it. */
import { existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
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

describe.each(['zstd', 'none'] as const)(
  'where nothing of the base is left, not even its catalog: %s',
  (compression) => {
    beforeEach(async () => {
      nights = nightsOf(root, indexes, compression)
      base = await nights.full()
      writeFileSync(join(root, 'app', 'changed'), `changed again, stored as ${compression}`)
      night = await nights.differential()
      for (const { key } of [...base.archive.segments, base.archive.catalog]) nights.store.objects.delete(key)
    })
    const changed = (): string => readFileSync(join(target, 'srv/app/changed'), 'utf8')

    test('what has changed since can still be restored', async () => {
      expect(await restoreNight(nights.store, night, target, '--path', '/srv/app/changed')).toMatchObject({ status: 0 })
      expect(changed()).toBe(`changed again, stored as ${compression}`)
    })

    test('best effort brings what is left, and calls it incomplete', async () => {
      expect(await restoreNight(nights.store, night, target, '--best-effort')).toMatchObject({ status: 3 })
      expect(changed()).toBe(`changed again, stored as ${compression}`)
      expect(existsSync(join(target, 'srv/app/kept'))).toBe(false)
    })

    test('a restore of all says what is missing before it begins', async () => {
      await expect(restoreNight(nights.store, night, target)).rejects.toMatchObject({
        code: 'ARCHIVE_DAMAGED',
        message: expect.stringContaining(`${base.archive.segments[0]!.key} is missing`) as string,
      })
      expect(existsSync(join(target, 'srv'))).toBe(false)
    })
  },
)

test('an uncompressed base whose catalog is lost is not restored without its checksums', async () => {
  nights = nightsOf(root, indexes, 'none')
  base = await nights.full()
  writeFileSync(join(root, 'app', 'changed'), 'changed once more')
  night = await nights.differential()
  nights.store.objects.delete(base.archive.catalog.key)
  await expect(restoreNight(nights.store, night, target)).rejects.toMatchObject({
    message: expect.stringContaining(base.archive.catalog.key) as string,
  })
})

test('names of files with several come back without the first one, each file from the archive that has it', async () => {
  mkdirSync(join(root, 'several'))
  for (const file of ['same', 'other']) {
    writeFileSync(join(root, 'several', `${file}-1`), `${file} before`)
    for (const name of [2, 3]) linkSync(join(root, 'several', `${file}-1`), join(root, 'several', `${file}-${name}`))
  }
  nights = nightsOf(root, indexes)
  await nights.full()
  writeFileSync(join(root, 'several', 'other-3'), 'other since')
  night = await nights.differential()
  const names = ['same-2', 'same-3', 'other-2', 'other-3']
  const paths = names.flatMap((name) => ['--path', `/srv/several/${name}`])
  expect(await restoreNight(nights.store, night, target, ...paths)).toMatchObject({ status: 0 })
  const restored = join(target, 'srv', 'several')
  expect(names.map((name) => readFileSync(join(restored, name), 'utf8'))).toEqual([
    ...['same before', 'same before'],
    ...['other since', 'other since'],
  ])
  for (const file of ['same', 'other']) {
    expect(statSync(join(restored, `${file}-2`)).ino).toBe(statSync(join(restored, `${file}-3`)).ino)
  }
  rmSync(join(root, 'several'), { recursive: true })
})

test('a base in Glacier is thawed where something in it is wanted, and not for what has changed since', async () => {
  const { key } = base.archive.segments[0]!
  nights.store.objects.set(key, { ...nights.store.objects.get(key)!, storageClass: 'DEEP_ARCHIVE', archived: true })
  await expect(restoreNight(nights.store, night, target)).rejects.toMatchObject({ code: 'OBJECT_ARCHIVED' })
  expect(await restoreNight(nights.store, night, target, '--thaw', 'bulk')).toMatchObject({ status: 5 })
  expect(await restoreNight(nights.store, night, target, '--path', '/srv/app/changed')).toMatchObject({ status: 0 })
})
