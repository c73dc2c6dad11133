/** What a volume's restore takes: requests, bytes, room. */
import type { Archive } from '../../agent/archive/archive'
import { placeFrames } from '../../agent/archive/frame-reads'
import { fetchCost, goesOn, rootOf, spaceNeed, type RestoreTask } from '../../agent/restore/restore-task'
import { requestOf } from '../support/request'

const MIB = 1024 * 1024

/** Four frames of 2 MiB in two segments, stored as 1 MiB each. */
const archive: Archive = {
  ...{ compression: 'zstd', frameBytes: 2 * MIB, rawBytes: 8 * MIB, storedBytes: 4 * MIB + 66, entries: 1, frames: 4 },
  segments: [0, 1].map((index) => ({
    ...{ key: `a.tar.zst.${index}`, sizeBytes: 2 * MIB + 33, crc32: '00000000' },
    ...{ rawOffset: index * 4 * MIB, rawBytes: 4 * MIB },
  })),
  catalog: { key: 'a.jsonl.zst', sizeBytes: 1, crc32: '00000000' },
}
const table = placeFrames(archive, [MIB, MIB, MIB, MIB])

test.each([
  ['nothing', [], { requests: 0, bytes: 0, segments: [] }],
  ['a byte', [{ offset: 5, bytes: 1 }], { requests: 1, bytes: MIB, segments: [0] }],
  ['neighbours, together', [{ offset: 2 * MIB - 1, bytes: 2 }], { requests: 1, bytes: 2 * MIB, segments: [0] }],
  ['a frame once, however many pieces of it', [{ offset: 0, bytes: 1 }, { offset: 9, bytes: 1 }], { requests: 1, bytes: MIB, segments: [0] }], // prettier-ignore
  ['the later segment alone', [{ offset: 7 * MIB, bytes: 1 }], { requests: 1, bytes: MIB, segments: [1] }],
  ['all of it, each segment by itself', [{ offset: 0, bytes: 8 * MIB }], { requests: 2, bytes: 4 * MIB, segments: [0, 1] }], // prettier-ignore
  ['a gap, twice', [{ offset: 0, bytes: 1 }, { offset: 6 * MIB, bytes: 1 }], { requests: 2, bytes: 2 * MIB, segments: [0, 1] }], // prettier-ignore
])('fetching %s', (_, pieces, cost) => expect(fetchCost(archive, table, pieces)).toEqual(cost))

test.each([
  [true, 300],
  [false, 100],
])('the old and the new need room together where the new is moved into place: %s', (staged, sizeBytes) => {
  const task = { plan: { entries: 7, sizeBytes: 100, stagedBytes: 300 }, target: { directory: '/srv' }, staged }
  expect(spaceNeed(task as RestoreTask)).toEqual({ directory: '/srv', entries: 7, sizeBytes })
})

test.each([
  [['--target', '/mnt'], { root: '/mnt', isInPlace: false }],
  [['--target', '/'], { root: '/', isInPlace: true }],
  [['--in-place'], { root: '/', isInPlace: true }],
])('%j goes below %j', (options, expected) =>
  expect(rootOf(requestOf('restore', 'db-1', ...options))).toEqual(expected),
)

test.each([
  [['--target', '/mnt', '--resume'], true],
  [['--target', '/mnt'], false],
  [['--in-place', '--resume'], false],
  [['--target', '/', '--resume'], false],
])('%j goes on with a target that is closed to others: %s', (options, expected) => {
  expect(goesOn(requestOf('restore', 'db-1', ...options))).toBe(expected)
})
