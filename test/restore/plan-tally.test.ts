/** The sums that an operator, and the check for room, go by. */
import type { ExistingEntry } from '../../agent/restore/conflicts'
import { memberName, planTally } from '../../agent/restore/plan-tally'
import { plannedEntries } from '../../agent/restore/planned-entries.io'
import type { CatalogEntry } from '../../agent/tar/entry'
import { refusal } from '../support/refusal'
import { catalogOf, different, dir, equal, file, link, symlink, THERE, type Line } from './plan-fixture'

const absent = { state: 'absent' } as const
const tally = () => planTally(plannedEntries())
const replaced = (storedBytes: number): ExistingEntry => ({
  ...{ state: 'different', isDirectory: false },
  ...{ ...THERE, storedBytes },
})
const one = (...lines: readonly Line[]) => catalogOf(...lines) as [CatalogEntry, CatalogEntry, CatalogEntry]

test('what comes back is counted by its type, and takes whole blocks; what stays is counted, too', () => {
  const sum = tally()
  for (const entry of catalogOf(dir('.'), file('f', 4097), file('empty', 0), symlink('l', 'f'))) {
    sum.restore(entry, absent)
    sum.asItIs(entry)
  }
  sum.skip()
  expect(sum.plan([])).toMatchObject({
    ...{ entries: 4, kept: 1, types: { directory: 1, file: 2, symlink: 1 } },
    ...{ sizeBytes: 4096 + 8192, stagedBytes: 4096 + 8192, rootBytes: 1024, pieces: [{ offset: 0, bytes: 4096 }] },
    names: { count: 4, first: ['.', 'f', 'empty', 'l'] },
  })
})

test('a sparse file takes what it has, not what it seems to', () => {
  const sum = tally()
  const [sparse] = one({ ...file('disk.img', 2 ** 40), sparseBytes: 5000 })
  sum.restore(sparse, absent)
  expect(sum.plan([])).toMatchObject({ sizeBytes: 8192, stagedBytes: 8192 })
})

test('what it replaces makes room in the end, but not before; nobody gains room by a restore', () => {
  const sum = tally()
  const [small, large] = one(file('small', 1), file('large', 8000))
  sum.restore(large, replaced(4096))
  expect(sum.plan([])).toMatchObject({ sizeBytes: 4096, stagedBytes: 8192 })
  sum.restore(small, replaced(1 << 30))
  expect(sum.plan([])).toMatchObject({ sizeBytes: 0, stagedBytes: 12_288 })
})

test('of directories, those that are there are given their metadata again; the root is, last of all, anyway', () => {
  const sum = tally()
  const [root, there, fresh] = one(dir('.'), dir('there'), dir('new'))
  for (const [entry, existing] of [
    [root, equal(true)],
    [there, different({ isDirectory: true })],
    [fresh, absent],
  ] as const) {
    sum.asItIs(entry, existing)
  }
  sum.asItIs({ ...fresh, path: 'was a file' }, different())
  expect(sum.plan([]).directories.map(String)).toEqual(['there'])
})

test('pieces are in the order of the archive, wherever the data of a link lies', () => {
  const sum = tally()
  const [early, linked, other] = one(file('early', 5000), link('a', 'early'), link('b', 'early'))
  sum.restore(linked, absent)
  sum.linkedTo(other, linked)
  sum.under(early, linked)
  const plan = sum.plan([])
  expect(plan.pieces).toEqual([
    { offset: 0, bytes: 1024, renaming: { offset: 0, path: Buffer.from('./a') } },
    { offset: 2048, bytes: 1024, renaming: { offset: 2048, link: Buffer.from('./a') } },
  ])
  expect(plan).toMatchObject({ entries: 1, sizeBytes: 8192, stagedBytes: 8192 })
})

test('an archive that has the root of the volume later than anything else is none of ours', () => {
  const [, root] = one(file('f'), dir('.'))
  const without = tally()
  without.asItIs(root)
  expect(refusal(() => without.plan([]))).toMatchObject({
    ...{ code: 'ARCHIVE_DAMAGED', message: "the archive does not begin with the volume's root" },
  })
})

test('a member is called as tar calls it, to the byte', () => {
  const [plain, bytes] = one(file('größe'), { ...file('\ufffd'), path64: '/w==' })
  expect(memberName(plain).toString()).toBe('./größe')
  expect([...memberName(bytes)]).toEqual([0x2e, 0x2f, 0xff])
})

test('why something does not come back is told with the first of its names, and how many there are', () => {
  const sum = tally()
  for (let index = 0; index < 25; index++) sum.told.conflicts.add(`f${index}`)
  const lost = [{ offset: 1, bytes: 2 }]
  const plan = sum.plan(lost)
  expect([plan.conflicts.count, plan.conflicts.first.length, plan.conflicts.first[0]]).toEqual([25, 20, 'f0'])
  expect(plan.lostRanges).toBe(lost)
})
