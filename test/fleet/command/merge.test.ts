import fc from 'fast-check'
import type { EntryFacts } from '../../../fleet/command/entry-facts'
import { findChanges, mergeSorted, type Change } from '../../../fleet/command/merge'

const facts = (path: string, size = 0): EntryFacts => ({
  ...{ path, size, type: 'file', mode: 0, uid: 0, gid: 0, mtime: '1', leadsTo: '', hasXattrs: false },
  isUndescribed: false,
})
async function* source(entries: readonly EntryFacts[]): AsyncGenerator<EntryFacts> {
  yield* entries
}
async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

const tree = fc
  .dictionary(fc.string({ maxLength: 2 }), fc.nat(3))
  .map((sizes) => new Map(Object.entries(sizes).sort(([a], [b]) => (a < b ? -1 : 1))))
const sorted = (sizes: ReadonlyMap<string, number>) => source(Array.from(sizes, ([path, size]) => facts(path, size)))

test('what differs is what a comparison by name finds, in the order of names', async () => {
  await fc.assert(
    fc.asyncProperty(tree, tree, async (before, after) => {
      let same = 0
      const changes = await collect(findChanges(sorted(before), sorted(after), () => same++))
      const told = changes.map((change) => [change.change, pathOf(change)])
      const names = [...new Set([...before.keys(), ...after.keys()])].sort((a, b) => (a < b ? -1 : 1))
      const expected = names.flatMap((name) => {
        if (!after.has(name)) return [['gone', name]]
        if (!before.has(name)) return [['new', name]]
        return before.get(name) === after.get(name) ? [] : [['changed', name]]
      })
      expect(told).toEqual(expected)
      expect(same).toBe(names.length - expected.length)
    }),
  )
})

function pathOf(change: Change): string {
  return change.change === 'gone' ? change.before.path : change.after.path
}

test('an entry that a catalog does not describe is neither changed nor the same', async () => {
  const unknown = { ...facts('a'), isUndescribed: true }
  const changes = await collect(findChanges(source([facts('a')]), source([unknown]), () => fail('the same')))
  expect(changes).toMatchObject([{ change: 'unknown' }])
})

test('of a name that is there several times, the last one counts, as for tar', async () => {
  const merged = await collect(
    mergeSorted([source([facts('a', 1), facts('b', 1)]), source([facts('a', 2), facts('a', 3)]), source([])]),
  )
  expect(merged.map(({ path, size }) => [path, size])).toEqual([
    ['a', 3],
    ['b', 1],
  ])
})
