/** An archive is held against what was planned of it: whatever else it holds must not pass for that. */
import { plannedEntries } from '../../agent/restore/planned-entries.io'
import type { CatalogEntry } from '../../agent/tar/entry'
import { catalogOf, dir, file, link } from './plan-fixture'

const [root, conf, other] = catalogOf(dir('.'), file('app/conf'), link('other', 'app/conf')) as [
  CatalogEntry,
  CatalogEntry,
  CatalogEntry,
]

function planned(...entries: readonly CatalogEntry[]) {
  const plan = plannedEntries()
  for (const entry of entries) plan.add(entry)
  return plan
}

test('entries are taken in the order that they were planned in, as often as they are read', () => {
  const plan = planned(root, conf, other)
  for (let pass = 0; pass < 2; pass++) {
    const cursor = plan.start()
    expect(cursor.isDone()).toBe(false)
    expect([root, conf, other].map((entry) => cursor.take(entry))).toEqual([true, true, true])
    expect(cursor.isDone()).toBe(true)
  }
})

test('one that is left out, comes twice, or too early is not the one that comes next', () => {
  expect(planned(root, conf).start().take(conf)).toBe(false)
  const twice = planned(root, conf).start()
  expect([twice.take(root), twice.take(root)]).toEqual([true, false])
})

test('nothing comes after the last, and nothing at all where nothing is planned', () => {
  const cursor = planned(root).start()
  expect([cursor.take(root), cursor.take(root), cursor.isDone()]).toEqual([true, false, true])
  const empty = plannedEntries().start()
  expect([empty.isDone(), empty.take(root)]).toEqual([true, false])
})

test.each<[string, Partial<CatalogEntry>]>([
  ['path', { path: 'app/cnf' }],
  ['bytes of its path', { path64: '/w==' }],
  ['type', { type: 'symlink' }],
  ['size', { size: 101 }],
  ['mode', { mode: 0o4755 }],
  ['owner', { uid: 1 }],
  ['group', { gid: 1 }],
  ['time', { mtime: '1700000000.000000001' }],
  ['place', { offset: 0 }],
  ['length', { bytes: 512 }],
  ['link', { link: '/etc/shadow' }],
  ['attributes', { xattrs: true }],
  ['device', { device: [8, 0] }],
])('one with another %s is another', (_, changes) => {
  expect(
    planned(conf)
      .start()
      .take({ ...conf, ...changes }),
  ).toBe(false)
})

test('a sparse file is known before its map is read, and then by how much data that has', () => {
  const sparse = { ...conf, sparseBytes: 4096 }
  const cursor = planned(sparse, other).start()
  expect(cursor.takeMapStart({ ...sparse, sparseBytes: 1 })).toBe(true)
  expect(cursor.isDone()).toBe(false)
  expect([cursor.take(sparse), cursor.take(other), cursor.isDone()]).toEqual([true, true, true])

  const changed = planned(sparse).start()
  expect([changed.takeMapStart(sparse), changed.take({ ...sparse, sparseBytes: 1 })]).toEqual([true, false])
  expect(
    planned(sparse)
      .start()
      .takeMapStart({ ...sparse, size: 1 }),
  ).toBe(false)
})

test('what comes under another name is known by its place, and takes no part in the order', () => {
  const plan = planned(root)
  plan.addRenamed(other)
  const cursor = plan.start()
  expect([cursor.isRenamed(other), cursor.isRenamed({ ...other, uid: 1 }), cursor.isRenamed(conf)]).toEqual([
    ...[true, false, false],
  ])
  expect([cursor.take(root), cursor.isDone()]).toEqual([true, true])
})

test('tens of thousands are told apart as the first are', () => {
  const count = 33_000 // more than are kept in one piece
  const entries = Array.from({ length: count }, (_, index) => ({ ...conf, path: `f${index}`, offset: index * 1024 }))
  const cursor = planned(...entries).start()
  expect(entries.every((entry) => cursor.take(entry))).toBe(true)
  expect(cursor.isDone()).toBe(true)
})
