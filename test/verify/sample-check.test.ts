/** Comparing a volume with its source part by part: every part passes, and a difference is found when its turn comes. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AgentError } from '../../agent/errors'
import { archiveVolume, type ArchiveRequest } from '../../agent/archive/write.io'
import { readEntries } from '../../agent/archive/read-catalog.io'
import { checkSample } from '../../agent/verify/sample-check.io'
import { partOf } from '../../agent/verify/sample'
import { tarCreate, tarCreateListed } from '../../agent/tar/commands'
import { buildTree } from '../support/tree/build'
import { hostileTree } from '../support/tree/hostile'
import { directory, file, hardlink, symlink } from '../support/tree/literal'
import { archiveBucket } from '../archive/archive-bucket'
import { depsOf, requestOf } from '../archive/write-fixture'
import type { Store } from '../../agent/context'
import type { CatalogEntry } from '../../agent/tar/entry'

jest.setTimeout(120_000)

const PARTS = 5

let scratch: string
let root: string
beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'sample-'))
  root = join(scratch, 'root')
  mkdirSync(root)
  await buildTree(root, hostileTree())
  // Names of one file in directories of many parts, and the first of them in a directory that is read late or early.
  await buildTree(
    root,
    directory({
      'z data': directory({ first: file('one file, many names'), link: symlink('first') }),
      'linked link': directory({ again: hardlink('z data/link') }),
      ...Object.fromEntries(
        Array.from({ length: 12 }, (_, i) => [`linked ${i}`, directory({ again: hardlink('z data/first') })]),
      ),
      ...Object.fromEntries(
        Array.from({ length: 12 }, (_, i) => [`many ${i}`, directory({ content: file(`number ${i}`) })]),
      ),
    }),
  )
})
afterEach(() => rmSync(scratch, { recursive: true }))

async function archived(changes: Partial<ArchiveRequest> = {}) {
  const bucket = archiveBucket()
  const deps = depsOf(bucket)
  const archive = await archiveVolume(deps, requestOf(tarCreate(root), changes))
  const entries: CatalogEntry[] = []
  for await (const entry of readEntries(deps, archive)) entries.push(entry)
  const check = async (part: number, { count = 1, parts = PARTS, store = bucket.store } = {}) => {
    const found: string[] = []
    const tar = tarCreateListed(root)
    const read = await checkSample(
      { ...deps, store },
      { archive },
      tar,
      { part, count, parts },
      (what) => void found.push(what),
    )
    return { ...read, found }
  }
  return { bucket, archive, entries, check }
}

test.each<[string, Partial<ArchiveRequest>]>([
  ['zstd', { compression: 'zstd' }],
  ['none', { compression: 'none' }],
  ['many segments', { compression: 'zstd', segmentBytes: 1024 }],
])('every part of a hostile tree is the same to the byte, and together they are all of it: %s', async (_, changes) => {
  const { entries, check } = await archived(changes)
  let compared = 0
  for (let part = 1; part <= PARTS; part++) {
    const { found, tooLong, ...read } = await check(part)
    expect([part, found, tooLong]).toEqual([part, [], 0])
    const own = entries.filter((entry) => partOf(entry, PARTS) === part).length
    // Beside its own, the files that its hard links name.
    expect(read.entries).toBeGreaterThanOrEqual(own)
    compared += read.entries
  }
  expect(compared).toBeGreaterThan(entries.length)
  expect(await check(4, { count: 3 })).toMatchObject({ found: [] })
})

test('a difference is found in the turn of its directory, and in no other', async () => {
  const { entries, check } = await archived()
  const path = 'many 3/content'
  const turn = partOf(
    entries.find((entry) => entry.path === path)!,
    PARTS,
  )
  replaceKeepingTime(path, 'NUMBER 3')
  for (let part = 1; part <= PARTS; part++) {
    const { found } = await check(part)
    expect(found).toEqual(
      part === turn ? [expect.stringMatching(/^'many 3\/content' is not what the snapshot has/)] : [],
    )
  }
  expect((await check(((turn - 2 + PARTS) % PARTS) + 1, { count: 2 })).found).toHaveLength(1)
})

test('a name of another file in the place of a hard link is found', async () => {
  const { entries, check } = await archived()
  const links = entries.filter(({ type, path }) => type === 'hardlink' && path.endsWith('/again'))
  const { path } = links.at(-1)!
  execFileSync('cp', ['--archive', '--remove-destination', join(root, path), join(root, 'copy')])
  execFileSync('mv', [join(root, 'copy'), join(root, path)])
  const { found } = await check(partOf({ path }, PARTS))
  expect(found).toContainEqual(expect.stringMatching(/^'linked \d+\/again' is not what the snapshot has: .*"hardlink"/))
})

test('what the snapshot does not have any more keeps the comparison from succeeding', async () => {
  const { check } = await archived()
  rmSync(join(root, 'many 3/content'))
  const { found } = await check(partOf({ path: 'many 3/content' }, PARTS))
  expect(found).toContainEqual(expect.stringMatching(/^the archive has 'many 3\/content' where the snapshot has /))
})

test('a catalog that cannot be read to its end is not taken for all there is', async () => {
  const { bucket, archive, check } = await archived()
  let reads = 0
  const getRange: Store['getRange'] = async (key, ...rest) => {
    if (key === archive.catalog.key && ++reads === 1) {
      throw new AgentError('STORE_FAILED', 'the network is down', { hint: 'Mend it.' })
    }
    return bucket.store.getRange(key, ...rest)
  }
  await expect(check(1, { store: { ...bucket.store, getRange } })).rejects.toThrow('the network is down')
})

test('a damaged frame is a finding', async () => {
  const { bucket, archive, check } = await archived()
  for (const { key } of archive.segments) bucket.read(key).fill(0, 0, 512)
  const part = partOf({ path: '.' }, PARTS)
  expect((await check(part)).found).toEqual([expect.stringMatching(/^frame 0 .* is damaged/)])
})

test('only frames that hold something of the part are read back', async () => {
  mkdirSync(join(root, 'large'))
  for (let i = 0; i < 16; i++) writeFileSync(join(root, 'large', String(i)), Buffer.alloc(2 << 20, i))
  const { bucket, archive, entries, check } = await archived({ compression: 'none' })
  const large = partOf({ path: 'large/1' }, PARTS)
  const others = Array.from({ length: PARTS }, (_, i) => i + 1).filter((part) => part !== large)
  expect(entries.length).toBeGreaterThan(50)
  let readBytes = 0
  const getRange: Store['getRange'] = (key, offset, bytes, ...rest) => {
    if (key === archive.segments[0]!.key) readBytes += bytes
    return bucket.store.getRange(key, offset, bytes, ...rest)
  }
  const store = { ...bucket.store, getRange }
  for (const part of others) await check(part, { store })
  expect(readBytes).toBeLessThan(others.length * 8 * (1 << 20))
  await check(large, { store })
  expect(readBytes).toBeGreaterThan(32 << 20)
})

test('names that are too long to be given to tar are counted, and the rest is compared', async () => {
  const deep = Array.from({ length: 21 }, () => 'd'.repeat(200))
  execFileSync('sh', ['-c', 'for name; do mkdir "$name" && cd "$name"; done; true', 'sh', ...deep], {
    cwd: root,
    stdio: 'ignore',
  })
  const { entries, check } = await archived()
  const tooLong = entries.filter(({ path }) => path.length > 4093).length
  expect(tooLong).toBeGreaterThan(0)
  let counted = 0
  for (let part = 1; part <= PARTS; part++) {
    const read = await check(part)
    expect(read.found).toEqual([])
    counted += read.tooLong
  }
  expect(counted).toBe(tooLong)
})

test('a part without entries is compared at once', async () => {
  const { entries, check } = await archived()
  const taken = new Set(entries.map((entry) => partOf(entry, 1000)))
  const free = Array.from({ length: 1000 }, (_, i) => i + 1).find((part) => !taken.has(part))!
  expect(await check(free, { parts: 1000 })).toMatchObject({
    entries: 0,
    tooLong: 0,
    found: [],
    warnings: { count: 0 },
  })
})

/** What no comparison of times and sizes sees. */
function replaceKeepingTime(name: string, content: string): void {
  const path = join(root, name)
  execFileSync('touch', ['--reference', path, join(scratch, 'stamp')])
  writeFileSync(path, content)
  execFileSync('touch', ['--reference', join(scratch, 'stamp'), path])
}
