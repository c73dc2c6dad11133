/** A differential archive is as good as its base, and as what its catalog says of it: verify looks at all three. */
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { FRAME_BYTES } from '../../agent/archive/archive'
import { archiveVolume } from '../../agent/archive/write.io'
import { catalogKey, dataKey, removedKey } from '../../agent/contract'
import { localHost } from '../../agent/host/run-command.io'
import type { VolumeBackup } from '../../agent/run/manifest'
import { tarCreate, tarCreateListed } from '../../agent/tar/commands'
import { checkSample } from '../../agent/verify/sample-check.io'
import type { Verification } from '../../agent/verify/report'
import { verifyVolume } from '../../agent/verify/verify.io'
import { decompress } from '../archive/write-fixture'
import { logWarnings } from '../support/log'
import { nightsOf, runOf, VOLUME, type Nights } from '../support/nights'
import { verify } from '../support/commands'
import { requestOf } from '../support/request'
import { storedAs } from '../support/archives'
import { volumeBackupOf } from '../support/manifest'
import { makeTrustedDirectory } from '../support/trusted-directory'

jest.setTimeout(60_000)

let indexes: string
let root: string
let nights: Nights
let base: VolumeBackup
let night: VolumeBackup
beforeEach(async () => {
  indexes = makeTrustedDirectory()
  root = mkdtempSync(join(tmpdir(), 'snapstream-base-'))
  mkdirSync(join(root, 'app'))
  for (const name of ['kept', 'changed', 'gone', 'kept too']) writeFileSync(join(root, 'app', name), `${name} before`)
  writeFileSync(join(root, 'ballast'), Buffer.alloc(100_000, 'ballast'))
  nights = nightsOf(root, indexes)
  base = await nights.full()
  writeFileSync(join(root, 'app', 'changed'), 'changed since')
  rmSync(join(root, 'app', 'gone'))
  night = await nights.differential()
})
afterEach(() => [indexes, root].forEach((directory) => rmSync(directory, { recursive: true })))

const depsOf = () => ({
  host: localHost,
  store: nights.store,
  log: logWarnings([]),
  signal: new AbortController().signal,
})

async function findings(depth: 'checksum' | 'stream', source?: 'source', stored = night): Promise<string[]> {
  const check = await verifyVolume(depsOf(), stored, depth, source && tarCreate(root))
  return check.findings.map(({ what }) => what)
}

/** Puts another text in the place of the catalog, and has the manifest agree. */
function withCatalog(edit: (text: string) => string): VolumeBackup {
  const { key } = night.archive.catalog
  const body = zstdCompressSync(edit(decompress(nights.store.objects.get(key)!.body).toString()))
  nights.store.objects.set(key, { ...nights.store.objects.get(key)!, body })
  return { ...night, archive: { ...night.archive, catalog: storedAs(key, body) } }
}

test('a night that is good is good, with its base', async () => {
  expect(await findings('checksum')).toEqual([])
  expect(await findings('stream')).toEqual([])
})

test('compared with its snapshot, all of the volume is: what is in the base too', async () => {
  expect(await findings('stream', 'source')).toEqual([])
  writeFileSync(join(root, 'app', 'kept'), 'kept  before') // bit rot, or a forged time: nobody noticed in the night
  expect(await findings('stream', 'source')).toEqual([
    expect.stringMatching(/^'app\/kept' is not what the snapshot has/),
  ])
})

test('a sample compares files that are in the base too', async () => {
  const compare = async () => {
    const found: string[] = []
    const sample = { part: 1, count: 2, parts: 2 }
    await checkSample(depsOf(), night, tarCreateListed(root), sample, (what) => void found.push(what))
    return found
  }
  expect(await compare()).toEqual([])
  writeFileSync(join(root, 'app', 'kept'), 'KEPT before')
  expect(await compare()).toEqual([expect.stringContaining("'app/kept' is not what the snapshot has")])
})

test.each<[string, (backup: VolumeBackup) => string]>([
  ['a segment of the base', () => base.archive.segments[0]!.key],
  ["the base's catalog", () => base.archive.catalog.key],
  ['the list of what is gone', ({ removed }) => removed!.key],
])('%s is missing: both depths tell', async (_, keyOf) => {
  nights.store.objects.delete(keyOf(night))
  for (const depth of ['checksum', 'stream'] as const) {
    expect(await findings(depth)).toContain(`${keyOf(night)} is missing`)
  }
})

test.each([
  ['its own catalog', () => night],
  ['the catalog of the base', () => base],
])('where %s is lost, that is told once, and that a restore makes it again', async (_, of) => {
  const { key } = of().archive.catalog
  nights.store.objects.delete(key)
  const { findings: found } = await verifyVolume(depsOf(), night, 'stream')
  expect(found.map(({ what }) => what)).toEqual([`${key} is missing`, `${key} does not exist`])
  expect(found[1]!.hint).toContain('a restore rebuilds it from the archive')
})

test('without the catalog, the list of what is gone is still held against the manifest: a restore needs it then', async () => {
  nights.store.objects.delete(night.archive.catalog.key)
  const { key } = night.removed!
  const object = nights.store.objects.get(key)!
  const body = Buffer.from(object.body)
  body[10]! ^= 1
  nights.store.objects.set(key, { ...object, body })
  expect(await findings('stream')).toEqual(
    expect.arrayContaining([
      `${night.archive.catalog.key} is missing`,
      expect.stringMatching(/removed\.zst has CRC32 .*, the manifest says/),
    ]),
  )
})

test('a base of which a byte is another is found by reading it', async () => {
  const { key } = base.archive.segments[0]!
  const object = nights.store.objects.get(key)!
  const body = Buffer.from(object.body)
  body[30]! ^= 1
  nights.store.objects.set(key, { ...object, body })
  expect((await findings('stream')).join()).toContain(key)
})

const line = (text: string, path: string) => text.split('\n').find((one) => one.includes(`"path":"${path}"`))!
test.each<[string, (text: string) => string, string]>([
  [
    'leaves out something of the base',
    (text) => text.replace(`${line(text, 'app/kept')}\n`, '').replace('"baseEntries":3', '"baseEntries":2'),
    "'app/kept' of the base is neither in the catalog nor listed as gone",
  ],
  [
    'has something else in the place of it',
    (text) => text.replace('"path":"app/kept"', '"path":"app/kep"'),
    "'app/kep' is said to be in the base, and is not",
  ],
  [
    'has it with another size',
    (text) => text.replace(line(text, 'app/kept'), line(text, 'app/kept').replace('"size":11', '"size":12')),
    "'app/kept' is otherwise in the base",
  ],
  [
    'lists something else as gone',
    (text) => text.replace('"removed":"app/gone"', '"removed":"app/kept"'),
    "'app/gone' of the base is neither",
  ],
])('a catalog is found out that %s', async (_, edit, what) => {
  expect((await findings('stream', undefined, withCatalog(edit))).join('\n')).toContain(what)
})

test('a list of what is gone is found out that has other names than the catalog', async () => {
  const { key } = night.removed!
  const body = zstdCompressSync('./app/kept\0')
  nights.store.objects.set(key, { ...nights.store.objects.get(key)!, body })
  const removed = { ...storedAs(key, body), names: 1 }
  expect((await findings('stream', undefined, { ...night, removed })).join('\n')).toContain(
    'has other names than the catalog lists as gone',
  )
})

/** What of a volume a differential archive has, what it leaves to the base, and what it lists as gone. */
interface Shares {
  readonly own: readonly string[]
  readonly kept: readonly string[]
  readonly gone: readonly string[]
}

/** A night as an agent would write it that is wrong about what has changed: in itself, all of it is sound. */
async function wrongNight(before: VolumeBackup, { own, kept, gone }: Shares): Promise<VolumeBackup> {
  const at = { class: 'daily', host: 'db-1', run: '20260109T020000Z-k3xw7a' }
  const of = { run: runOf(before), takenAt: before.snapshot.takenAt, archive: before.archive }
  const text = decompress(nights.store.objects.get(before.archive.catalog.key)!.body).toString()
  const lines = [
    ...kept.map((path) => line(text, path).replace(/\}$/, ',"base":true}')),
    ...gone.map((removed) => JSON.stringify({ removed })),
  ]
  const streamOf = async function* (...parts: string[]) {
    for (const part of parts) yield await Promise.resolve(Buffer.from(part))
  }
  const compressed = async function* (all: string) {
    yield await Promise.resolve(zstdCompressSync(all))
  }
  const { notes, removed, ...archive } = await archiveVolume(
    { ...depsOf(), now: () => new Date() },
    {
      dataKey: (segment) => dataKey(at, VOLUME, 'zstd', segment),
      catalogKey: catalogKey(at, VOLUME),
      compression: 'zstd',
      compressionLevel: 3,
      onUpload: () => Promise.resolve(),
      beforeComplete: () => Promise.resolve(),
      tar: tarCreateListed(root),
      header: {
        ...{ catalog: 3, run: at.run, host: at.host, volume: VOLUME, mountPoint: '/srv', frameBytes: FRAME_BYTES },
        base: of.run,
      },
      differential: {
        source: {
          names: () => streamOf(...own.map((path) => (path === '.' ? '.\0' : `./${path}\0`))),
          namesCount: own.length,
          section: () => compressed(lines.map((one) => `${one}\n`).join('')),
          baseEntries: kept.length,
          removed: () => compressed(gone.map((path) => `./${path}\0`).join('')),
          removedCount: gone.length,
        },
        removedKey: removedKey(at, VOLUME),
      },
    },
  )
  expect(notes.warnings.count).toBe(0)
  const backup = { volume: VOLUME, mountPoint: '/srv', level: 'differential' as const, archive, base: of, removed }
  return volumeBackupOf({ ...backup, snapshot: { takenAt: new Date().toISOString(), livedSeconds: 1 } }, at)
}

/** In the base: a directory with a file in it, and a file with two names. */
async function linkedBase(): Promise<VolumeBackup> {
  rmSync(join(root, 'app'), { recursive: true })
  for (const name of ['app', 'app/d', 'app/e']) mkdirSync(join(root, name))
  writeFileSync(join(root, 'app', 'd', 'f'), 'in a directory')
  writeFileSync(join(root, 'app', 'x'), 'one')
  linkSync(join(root, 'app', 'x'), join(root, 'app', 'y'))
  return nights.full()
}

test.each<[string, () => void, Shares, string]>([
  [
    'a hard link to what has been archived again, and would come back with its content',
    () => {
      rmSync(join(root, 'app', 'x'))
      writeFileSync(join(root, 'app', 'x'), 'two')
    },
    { own: ['.', 'app', 'app/d', 'app/e', 'app/x'], kept: ['app/d/f', 'app/y', 'ballast'], gone: [] },
    "'app/x' is archived again, and not all that are hard links to it",
  ],
  [
    'a hard link to what is gone',
    () => rmSync(join(root, 'app', 'x')),
    { own: ['.', 'app', 'app/d', 'app/e'], kept: ['app/d/f', 'app/y', 'ballast'], gone: ['app/x'] },
    "'app/y' of the base: it is a hard link to 'app/x', which does not come before it",
  ],
  [
    'a file in a directory that is a link now',
    () => {
      rmSync(join(root, 'app', 'd'), { recursive: true })
      symlinkSync('e', join(root, 'app', 'd'))
    },
    { own: ['.', 'app', 'app/d', 'app/e'], kept: ['app/d/f', 'app/x', 'app/y', 'ballast'], gone: [] },
    "'app/d/f' of the base: the catalog has 'app/d/f', but not the directory that it is in",
  ],
  [
    'a file in a directory that is gone',
    () => rmSync(join(root, 'app', 'd'), { recursive: true }),
    { own: ['.', 'app', 'app/e'], kept: ['app/d/f', 'app/x', 'app/y', 'ballast'], gone: ['app/d'] },
    "'app/d/f' of the base: the catalog has 'app/d/f', but not the directory that it is in",
  ],
])(
  'both are sound, and no restore brings back what the volume had: of the base, %s',
  async (_, change, shares, what) => {
    const before = await linkedBase()
    change()
    expect(await findings('stream', undefined, await wrongNight(before, shares))).toEqual([what])
  },
)

test('a file with two names that are both in the base is no finding', async () => {
  const before = await linkedBase()
  writeFileSync(join(root, 'app', 'd', 'f'), 'in a directory, changed')
  const shares = { own: ['.', 'app', 'app/d', 'app/d/f', 'app/e'], kept: ['app/x', 'app/y', 'ballast'], gone: [] }
  expect(await findings('stream', 'source', await wrongNight(before, shares))).toEqual([])
})

test('a catalog is found out that names another base than the manifest', async () => {
  const edited = withCatalog((text) => text.replace(/"base":"[^"]+"/, '"base":"20250101T000000Z-zzzzzz"'))
  expect(await findings('stream', undefined, edited)).toEqual([
    expect.stringContaining(`names 20250101T000000Z-zzzzzz as base, the manifest ${runOf(base)}`),
  ])
})

describe('the command', () => {
  const run = () =>
    verify(
      { ...depsOf(), now: () => new Date() },
      requestOf('verify', 'db-1', '--class', 'daily', '--run', runOf(night), '--depth', 'stream'),
    )

  test('names the base that it has looked at', async () => {
    const { status, summary, json } = await run()
    expect(status).toBe(0)
    expect(summary).toContain(`with its base in ${runOf(base)}`)
    expect((json as Verification).volumes[0]).toMatchObject({ base: runOf(base), objects: 5 })
  })

  const baseManifest = () => `manifests/daily/db-1/${runOf(base)}.json`

  test('does without the manifest of the base, which goes before what it names', async () => {
    nights.store.objects.delete(baseManifest())
    expect(await run()).toMatchObject({ status: 0 })
  })

  test('tells where the manifest of the base has another archive in its place', async () => {
    const object = nights.store.objects.get(baseManifest())!
    const body = Buffer.from(object.body.toString().replaceAll(base.archive.catalog.crc32, '00000000'))
    nights.store.objects.set(baseManifest(), { ...object, body })
    const { status, summary } = await run()
    expect([status, summary]).toEqual([
      1,
      expect.stringContaining(`the manifest of run ${runOf(base)} has another archive`),
    ])
  })
})
