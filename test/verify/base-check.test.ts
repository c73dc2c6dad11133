/** A differential archive is as good as its base, and as what its catalog says of it: verify looks at all three. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { localHost } from '../../agent/host/run-command.io'
import type { VolumeBackup } from '../../agent/run/manifest'
import { tarCreate, tarCreateListed } from '../../agent/tar/commands'
import { checkSample } from '../../agent/verify/sample-check.io'
import { verifyVolume } from '../../agent/verify/verify.io'
import { decompress } from '../archive/write-fixture'
import { logWarnings } from '../support/log'
import { nightsOf, type Nights } from '../support/nights'
import { storedAs } from '../support/archives'
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
