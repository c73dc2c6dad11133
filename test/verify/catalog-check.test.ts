/** The entries of an archive and those of its catalog, in lockstep: whatever one side has alone is told of, once. */
import { entryChecker } from '../../agent/verify/catalog-check'
import type { Rehearsal } from '../../agent/verify/restorable'
import { scanTar } from '../../agent/tar/scanner'
import type { CatalogEntry } from '../../agent/tar/entry'
import { entry, extendedHeader, record, ROOT, tarOf } from '../support/tar-blocks'

const TAR = tarOf(ROOT, { name: './a', data: 'x'.repeat(600) }, { name: './b' }, { name: './c', data: 'y' })

function entriesOf(tar: Buffer): CatalogEntry[] {
  const entries: CatalogEntry[] = []
  const scanner = scanTar((found) => entries.push(found), { isTolerant: true })
  scanner.push(tar)
  scanner.finish()
  return entries
}

async function* catalogOf(entries: readonly CatalogEntry[]): AsyncGenerator<CatalogEntry, void> {
  yield* entries
}

async function checked(
  tar: Buffer,
  { catalog = entriesOf(TAR), pieceBytes = 700, rehearsal }: { catalog?: CatalogEntry[]; pieceBytes?: number; rehearsal?: Rehearsal } = {}, // prettier-ignore
) {
  const found: string[] = []
  await using checker = entryChecker(catalogOf(catalog), (what) => void found.push(what), rehearsal)
  for (let at = 0; at < tar.length; at += pieceBytes) await checker.push(tar.subarray(at, at + pieceBytes))
  await checker.finish()
  return { found, count: checker.count(), undescribed: checker.undescribed() }
}

/** The catalog with one entry changed. */
const edited = (path: string, changes: Partial<CatalogEntry>) =>
  entriesOf(TAR).map((one) => (one.path === path ? { ...one, ...changes } : one))

test.each([1, 511, 512, 700, 1 << 20])('what agrees has no findings, in pieces of %i bytes', async (pieceBytes) => {
  expect(await checked(TAR, { pieceBytes })).toEqual({ found: [], count: 4, undescribed: 0 })
})

test('without a catalog the two readers are held against each other', async () => {
  const found: string[] = []
  await using checker = entryChecker(undefined, (what) => void found.push(what))
  await checker.push(TAR)
  await checker.finish()
  expect([found, checker.count()]).toEqual([[], 4])
})

test.each<[string, CatalogEntry[], (string | RegExp)[]]>([
  ['another mode', edited('b', { mode: 0o600 }), ["'b': mode 0600 is 0644 in the archive"]],
  ['a field that the archive has not', edited('b', { xattrs: true }), ["'b': xattrs true is not set in the archive"]],
  ['another name', edited('b', { path: 'B' }), [`'B': path "B" is "b" in the archive`]],
  ['less than the archive has', entriesOf(TAR).slice(0, -1), [/^'c' is in the archive, .* not in the catalog$/]],
  [
    'more than the archive has',
    [...entriesOf(TAR), { ...entriesOf(TAR)[0]!, path: 'd' }, { ...entriesOf(TAR)[0]!, path: 'e' }],
    [/^'d' is in the catalog, .* not in the archive$/, /^'e' is in the catalog, .* not in the archive$/],
  ],
])('a catalog that has %s: each difference is told of once', async (_, catalog, expected) => {
  const { found } = await checked(TAR, { catalog })
  expect(found).toEqual(
    expected.map((what) => (what instanceof RegExp ? (expect.stringMatching(what) as unknown) : what)),
  )
})

test('behind an entry that ends elsewhere, nothing can be compared: the rest is not called wrong', async () => {
  const [, a] = entriesOf(TAR)
  const { found, count } = await checked(TAR, { catalog: edited('a', { bytes: a!.bytes + 512 }) })
  expect(found).toEqual([
    `'a': bytes ${a!.bytes + 512} is ${a!.bytes} in the archive`,
    expect.stringMatching(/ 'a' the catalog no longer follows the archive$/),
  ])
  expect(count).toBeLessThan(4)
})

test.each([
  ['is no tar', Buffer.alloc(4096, 'x')],
  ['breaks off within a file', TAR.subarray(0, 1536)],
  ['has no end', TAR.subarray(0, TAR.length - 1024)],
])('an archive that %s is told of, and what the catalog has is not told of entry by entry', async (_, tar) => {
  const { found } = await checked(tar)
  expect(found.length).toBeGreaterThan(0)
  expect(found.filter((what) => what.includes('not in the archive'))).toEqual([])
})

test('what a restore would refuse is told of, whatever the catalog says', async () => {
  const rehearsal = {
    learn: () => undefined,
    take: ({ path }: CatalogEntry) => (path === 'b' ? 'it is odd' : undefined),
  }
  expect((await checked(TAR, { rehearsal })).found).toEqual(["'b' would not be restored: it is odd"])
})

test('headers that two programs read in two ways are told of, and nothing else of the entry', async () => {
  const twice = extendedHeader(Buffer.concat([record('path', './a'), record('path', './b')]))
  const tar = tarOf(ROOT, twice, entry({ name: './x' }))
  const { found } = await checked(tar, { catalog: entriesOf(tar) })
  expect(found).toContainEqual("'b' would not be restored: its headers can be read in two ways: it has the pax record 'path' twice") // prettier-ignore
})
