/** A differential run whose catalog is lost: it is made again from the archive, the base's catalog and the list of what is gone. */
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { readCatalogText } from '../../agent/archive/read-catalog.io'
import type { Compression } from '../../agent/contract'
import { loadCatalogs } from '../../agent/restore/catalogs.io'
import { rebuildCatalog } from '../../agent/restore/rebuild-catalog.io'
import type { VolumeBackup } from '../../agent/run/manifest'
import { storedAs } from '../support/archives'
import { faultyStore } from '../support/faulty-store'
import { localDeps } from '../support/host-deps'
import { manifestOf } from '../support/manifest'
import type { MemoryStore } from '../support/memory-store'
import { nightsOf, placeOf, restoreNight, runOf, type Nights } from '../support/nights'
import { requestOf } from '../support/request'
import { compareTrees } from '../support/tree/compare'
import { walkTree } from '../support/tree/walk'
import { makeTrustedDirectory } from '../support/trusted-directory'

jest.setTimeout(120_000)

const NOT_TEXT = Buffer.from([0x67, 0xff, 0x0a])

let place: string
let root: string
let indexes: string
let target: string
beforeEach(() => {
  indexes = makeTrustedDirectory()
  place = mkdtempSync(join(tmpdir(), 'snapstream-lost-'))
  root = join(place, 'root')
  target = join(place, 'target')
  for (const directory of ['app', 'gone/deep']) mkdirSync(join(root, directory), { recursive: true })
  for (const name of ['kept', 'changed', 'é "gone"', 'becomes a directory', 'one'])
    writeFileSync(join(root, 'app', name), `${name} before`)
  linkSync(join(root, 'app/one'), join(root, 'app/two'))
  writeFileSync(join(root, 'gone/deep/file'), 'gone')
  writeFileSync(Buffer.concat([Buffer.from(`${root}/app/`), NOT_TEXT]), 'not text')
  writeFileSync(join(root, 'ballast'), Buffer.alloc(5 << 20, 'ballast'))
})
afterEach(() => [indexes, place].forEach((directory) => rmSync(directory, { recursive: true })))

interface Made {
  readonly nights: Nights
  readonly store: MemoryStore
  readonly base: VolumeBackup
  readonly night: VolumeBackup & { readonly base: NonNullable<VolumeBackup['base']> }
}

async function makeNights(compression: Compression = 'zstd'): Promise<Made> {
  const nights = nightsOf(root, indexes, compression)
  const base = await nights.full()
  for (const name of ['app/é "gone"', 'app/becomes a directory', 'gone']) rmSync(join(root, name), { recursive: true })
  rmSync(Buffer.concat([Buffer.from(`${root}/app/`), NOT_TEXT]))
  mkdirSync(join(root, 'app/becomes a directory'))
  writeFileSync(join(root, 'app/becomes a directory/file'), 'in it')
  writeFileSync(join(root, 'app/changed'), 'changed since')
  const night = await nights.differential()
  return { nights, store: nights.store, base, night: night as Made['night'] }
}

async function textOf(pieces: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  for await (const piece of pieces) text += piece.toString('latin1') // it is used anew for the next one
  return text
}

/** As a restore loads it, and what was logged. */
async function loaded({ store, night }: Pick<Made, 'store' | 'night'>) {
  const deps = { ...localDeps(), store }
  const request = requestOf('restore', 'db-1', '--class', 'daily', '--run', runOf(night), '--target', target)
  const manifest = manifestOf({ ...placeOf(night), format: 3, volumes: [night] })
  return { logged: deps.logged, catalogs: await loadCatalogs(deps, request, manifest, [night]) }
}

describe.each(['zstd', 'none'] as const)('compression %s', (compression) => {
  let made: Made
  let original: string
  beforeEach(async () => {
    made = await makeNights(compression)
    original = await textOf(readCatalogText({ ...localDeps(), store: made.store }, made.night.archive.catalog))
    made.store.objects.delete(made.night.archive.catalog.key)
  })

  test.each([
    ['there', false],
    ['lost, too', true],
  ])('it is the same text, with a warning for each that is lost; the catalog of the base is %s', async (_, isLost) => {
    const { store, base, night } = made
    if (isLost) store.objects.delete(base.archive.catalog.key)
    const { logged, catalogs } = await loaded(made)
    await using all = catalogs
    expect(await textOf(all.of(night).text())).toBe(original)
    const lost = [night.archive, ...(isLost ? [base.archive] : [])]
    const warnings = logged.filter((line) => / warn .* is missing: rebuilding it from the archive/.test(line))
    expect(warnings.map((line) => /catalogs\/\S+/.exec(line)![0])).toEqual(lost.map(({ catalog }) => catalog.key))
    expect((await all.of(night).table()).storedBytes).toHaveLength(base.archive.frames + night.archive.frames)
  })

  test.each([
    ['there', false],
    ['lost, too', true],
  ])('all comes back, and so does one file from where it is; the catalog of the base is %s', async (_, isLost) => {
    const { store, base, night } = made
    if (isLost) store.objects.delete(base.archive.catalog.key)
    expect(await restoreNight(store, night, target)).toMatchObject({ status: 0 })
    expect(compareTrees(walkTree(root), walkTree(join(target, 'srv')))).toEqual([])
    const alone = ['/srv/app/kept', '/srv/app/changed'].flatMap((path) => ['--path', path])
    expect(await restoreNight(store, night, join(place, 'alone'), ...alone)).toMatchObject({ status: 0 })
    const files = ['kept', 'changed'].map((name) => readFileSync(join(place, 'alone/srv/app', name), 'utf8'))
    expect(files).toEqual(['kept before', 'changed since'])
  })

  test('one wrong bit on its way does not cost it, whichever object it is of', async () => {
    const { store, base, night } = made
    store.objects.delete(base.archive.catalog.key)
    const keys = [night.archive.segments[0]!.key, base.archive.segments[0]!.key, night.removed!.key]
    for (const key of keys) {
      const deps = { ...localDeps(), store: faultyStore(store, { call: 'getRange', key, nth: 1, kind: 'flip' }) }
      await using rebuilt = await rebuildCatalog(deps, manifestOf(placeOf(night)), night)
      expect(await textOf(rebuilt.text())).toBe(original)
    }
  })
})

describe('it is not made again, and the restore says why before it begins,', () => {
  const lose = (store: MemoryStore, key: string): void => void store.objects.delete(key)
  const change = (store: MemoryStore, key: string): void => {
    const object = store.objects.get(key)!
    const body = Buffer.from(object.body)
    body[Math.floor(body.length / 2)]! ^= 1
    store.objects.set(key, { ...object, body })
  }
  const inBase = /it is not known which entries are in the base$/
  const cases: [string, (made: Made) => void, RegExp, RegExp][] = [
    [
      'where the list of what is gone is missing',
      ({ store, night }) => lose(store, night.removed!.key),
      /removed\.zst is missing, and without catalogs\/.*jsonl\.zst/,
      inBase,
    ],
    [
      'where that list is damaged',
      ({ store, night }) => change(store, night.removed!.key),
      /removed\.zst has CRC32 .*, the manifest says /,
      inBase,
    ],
    [
      'where a segment is missing',
      ({ store, night }) => lose(store, night.archive.segments[0]!.key),
      /tar\.zst is missing, and without catalogs\//,
      /lost with it$/,
    ],
    [
      'where the archive is damaged',
      ({ store, night }) => change(store, night.archive.segments[0]!.key),
      /20260102.* is damaged: /,
      /lost with it$/,
    ],
    [
      'where the base has lost its catalog and a segment',
      ({ store, base }) => [base.archive.catalog, ...base.archive.segments].forEach(({ key }) => lose(store, key)),
      /20260101.*tar\.zst is missing, and without catalogs\/.*20260101/,
      /lost with it$/,
    ],
  ]
  test.each(cases)('%s', async (_, harm, ...messages) => {
    const made = await makeNights()
    made.store.objects.delete(made.night.archive.catalog.key)
    harm(made)
    for (const message of messages) {
      await expect(restoreNight(made.store, made.night, target)).rejects.toMatchObject({
        code: 'ARCHIVE_DAMAGED',
        message: expect.stringMatching(message) as string,
        hint: expect.stringMatching(/restore-by-hand/) as string,
      })
    }
    expect(() => walkTree(target)).toThrow() // nothing of it
  })

  test('where the list has names that the base never had, whatever the manifest says', async () => {
    const { store, night } = await makeNights()
    const { key } = night.removed!
    const body = zstdCompressSync('./app/never\0')
    store.objects.set(key, { ...store.objects.get(key)!, body })
    const forged = { ...night, removed: { ...storedAs(key, body), names: 1 } }
    await expect(rebuildCatalog({ ...localDeps(), store }, manifestOf(placeOf(night)), forged)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^'app\/never' is listed as gone, and the base has no such name, and without catalogs/,
      ) as string,
    })
  })

  test('where the list has more or fewer names than the manifest says', async () => {
    const { store, night } = await makeNights()
    const forged = { ...night, removed: { ...night.removed!, names: night.removed!.names + 1 } }
    await expect(rebuildCatalog({ ...localDeps(), store }, manifestOf(placeOf(night)), forged)).rejects.toMatchObject({
      message: expect.stringMatching(/removed\.zst has \d names, the manifest says \d, and without/) as string,
    })
  })
})

test('without the archive of the base, its catalog is enough: what has changed since can be restored', async () => {
  const { store, base, night } = await makeNights()
  for (const { key } of [...base.archive.segments, night.archive.catalog]) store.objects.delete(key)
  expect(await restoreNight(store, night, target, '--path', '/srv/app/changed')).toMatchObject({ status: 0 })
  expect(readFileSync(join(target, 'srv/app/changed'), 'utf8')).toBe('changed since')
  await expect(restoreNight(store, night, join(place, 'all'))).rejects.toMatchObject({
    message: expect.stringContaining(`${base.archive.segments[0]!.key} is missing`) as string,
  })
})

test('the base is not thawed where its catalog is there; where that is lost, it is asked for', async () => {
  const { store, base, night } = await makeNights()
  const { key } = base.archive.segments[0]!
  store.objects.set(key, { ...store.objects.get(key)!, storageClass: 'DEEP_ARCHIVE', archived: true })
  store.objects.delete(night.archive.catalog.key)
  expect(await restoreNight(store, night, target, '--path', '/srv/app/changed')).toMatchObject({ status: 0 })
  store.objects.delete(base.archive.catalog.key)
  const again = [store, night, join(place, 'again'), '--path', '/srv/app/changed'] as const
  await expect(restoreNight(...again)).rejects.toMatchObject({ code: 'OBJECT_ARCHIVED' })
  expect(await restoreNight(...again, '--thaw', 'bulk')).toMatchObject({ status: 5, json: { waitingFor: [key] } })
})
