/** Each name of a base is archived again, gone, or as it was: which are as they were follows from the rest. */
import fc from 'fast-check'
import { leftInBase } from '../../agent/archive/left-in-base'
import type { CatalogEntry } from '../../agent/tar/entry'
import { orderKeyOf, type Named } from '../../agent/tar/order'

function entry(path: string, more: Partial<CatalogEntry> = {}): CatalogEntry {
  return { path, type: 'file', size: 0, mode: 0, uid: 0, gid: 0, mtime: '0', offset: 0, bytes: 512, ...more }
}

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item, void, undefined> {
  for (const item of items) yield await Promise.resolve(item)
}

/** In batches of two, and empty ones between. */
async function* inBatches<Item>(items: readonly Item[]): AsyncGenerator<readonly Item[], void, undefined> {
  for (let at = 0; at < items.length; at += 2) yield* each([[], items.slice(at, at + 2)])
}

async function left(
  base: readonly CatalogEntry[],
  own: readonly CatalogEntry[],
  gone: readonly Named[],
): Promise<string[]> {
  const paths: string[] = []
  const parts = { base: each(base), own: each(own), gone: inBatches(gone) }
  for await (const { path } of leftInBase(parts)) paths.push(path)
  return paths
}

const entries = (...paths: readonly string[]) => paths.map((path) => entry(path))
const directory = (path: string) => entry(path, { type: 'directory' })
const names = (...paths: readonly string[]): Named[] => paths.map((path) => ({ path }))

test('what is neither archived again nor gone is as it was', async () => {
  const base = [directory('.'), directory('a'), ...entries('a/1', 'a/2', 'a-b', 'b')]
  const own = [directory('.'), directory('a'), ...entries('a/2', 'a/3', 'c')]
  expect(await left(base, own, names('a-b'))).toEqual(['a/1', 'b'])
  expect(await left([], [], [])).toEqual([])
})

test('any partition: it is what was left out of the others', async () => {
  const byOrder = (a: Named, b: Named): number => (orderKeyOf(a) < orderKeyOf(b) ? -1 : 1)
  const path = fc.array(fc.constantFrom('a', 'a-', 'b', 'é', 'z z'), { minLength: 1, maxLength: 3 })
  const places = fc.record({
    path: path.map((components) => components.join('/')),
    place: fc.constantFrom('kept', 'archived', 'gone', 'new'),
  })
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(places, { selector: (each) => each.path }), async (all) => {
      const of = (...wanted: readonly string[]) =>
        entries(...all.filter(({ place }) => wanted.includes(place)).map((each) => each.path)).toSorted(byOrder)
      const kept = await left(of('kept', 'archived', 'gone'), of('archived', 'new'), of('gone'))
      expect(kept).toEqual(of('kept').map((each) => each.path))
    }),
  )
})

test.each<[string, readonly [CatalogEntry[], CatalogEntry[], Named[]], string]>([
  [
    'lists what the base never had',
    [entries('a'), [], names('b')],
    "'b' is listed as gone, and the base has no such name",
  ],
  [
    'lists it amid the others',
    [entries('a', 'c'), [], names('b')],
    "'b' is listed as gone, and the base has no such name",
  ],
  ['has a name in two places', [entries('a'), entries('a'), names('a')], "'a' is archived, and listed as gone"],
  [
    'leaves a directory out',
    [[directory('a')], [], []],
    "'a' is a directory of the base that is neither archived nor gone",
  ],
  ['is out of order itself', [entries('a', 'b'), entries('b', 'a'), []], "'a' is out of order in the archive"],
  ['has a base out of order', [entries('b', 'a'), [], []], "'a' is out of order in the base"],
  [
    'lists names out of order',
    [entries('a', 'b'), [], names('b', 'a')],
    "'a' is out of order in the list of what is gone",
  ],
  ['has a name twice', [entries('a'), entries('b', 'b'), []], "'b' is out of order in the archive"],
  [
    'has an entry of which nobody knows the name',
    [entries('a', 'c'), [entry('b…', { undescribed: 'it is odd' })], []],
    "'b…' cannot be described, and may have any name",
  ],
  [
    'has one behind all of the base',
    [entries('a'), [entry('b…', { undescribed: 'it is odd' })], []],
    "'b…' cannot be described, and may have any name",
  ],
])('nothing is said of a differential archive that %s', async (_, parts, message) => {
  await expect(left(...parts)).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED', message })
})
