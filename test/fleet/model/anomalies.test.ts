/** The newest run is held against those before it: a disk that was emptied, files that were encrypted, times that were forged. */
import { findSuspicions } from '../../../fleet/model/anomalies'
import { planSuperseded } from '../../../fleet/model/supersede'
import type { RunRecord } from '../../../fleet/model/records'
import { aRun, DAY, HOUR, nights, NOW } from '../../support/fleet'

const GIB = 1024 ** 3
const before = nights(10, NOW - 26 * HOUR)
const suspicionsOf = (changes: Partial<RunRecord>, earlier: readonly RunRecord[] = before) =>
  findSuspicions([aRun(NOW - 2 * HOUR, changes), ...earlier], NOW)

test('a night like all others is not odd, nor is one a third larger or smaller', () => {
  expect(suspicionsOf({})).toEqual([])
  expect(suspicionsOf({ storedBytes: 22 * GIB, rawBytes: 55 * GIB, entries: 140_000 })).toEqual([])
  expect(suspicionsOf({ storedBytes: 10 * GIB, rawBytes: 25 * GIB, entries: 70_000 })).toEqual([])
})

test.each<[string, Partial<RunRecord>, string]>([
  ['emptied', { storedBytes: GIB, rawBytes: 2 * GIB }, 'stores 1 GiB, usually 16 GiB'],
  ['filled', { storedBytes: 60 * GIB, rawBytes: 150 * GIB }, 'stores 60 GiB, usually 16 GiB'],
  ['without its files', { entries: 900 }, 'has 900 entries, usually 100000'],
  [
    'encrypted',
    { storedBytes: 40 * GIB },
    'compresses to 100 % of its size, usually to 40 %: encrypted files do not compress',
  ],
])('a host that is suddenly %s is odd', (_, changes, suspicion) => {
  expect(suspicionsOf(changes)).toEqual([suspicion])
})

test('everything changed at once, on a host where little does', () => {
  const usual = nights(10, NOW - 26 * HOUR, { recentEntries: 2000 })
  expect(suspicionsOf({ recentEntries: 99_000 }, usual)).toEqual([
    '99 % of its entries were modified within a day, usually 2 %',
  ])
  expect(suspicionsOf({ recentEntries: 40_000 }, usual)).toEqual([])
  const busy = nights(10, NOW - 26 * HOUR, { recentEntries: 60_000 })
  expect(suspicionsOf({ recentEntries: 99_000 }, busy)).toEqual([])
  // Runs of before this was recorded say nothing.
  expect(suspicionsOf({ recentEntries: 99_000 })).toEqual([])
})

test('a new host is not odd: there is too little to compare with', () => {
  expect(suspicionsOf({ storedBytes: GIB }, before.slice(0, 4))).toEqual([])
  expect(suspicionsOf({ storedBytes: GIB }, before.slice(0, 5))).toHaveLength(1)
})

test('of a small host, nothing is odd', () => {
  const small = { storedBytes: 1024, rawBytes: 4096, entries: 10, recentEntries: 0 }
  expect(
    suspicionsOf(
      { ...small, storedBytes: 9_000_000, entries: 900, recentEntries: 900 },
      nights(9, NOW - 26 * HOUR, small),
    ),
  ).toEqual([])
})

test('one odd night long ago does not make tonight odd, and ten new nights are the new measure', () => {
  const dip = before.map((run, night) => (night === 3 ? { ...run, storedBytes: GIB } : run))
  expect(suspicionsOf({}, dip)).toEqual([])
  expect(suspicionsOf({ storedBytes: GIB }, nights(10, NOW - 26 * HOUR, { storedBytes: GIB }))).toEqual([])
})

test('an intruder who writes a dozen runs within the hour makes nothing usual by it, nor older runs dispensable', () => {
  const flood = Array.from({ length: 12 }, (_, minute) =>
    aRun(NOW - 2 * HOUR - 60 * minute, { storedBytes: GIB, presentAt: NOW }),
  )
  const runs = [...flood, ...before]
  expect(findSuspicions(runs, NOW)).toEqual(['stores 1 GiB, usually 16 GiB'])
  const policy = { keepAtLeast: 3, expireAfterDays: 35, fullEveryDays: 0 }
  expect(planSuperseded({ history: { class: 'daily', runs }, policy, now: NOW })).toEqual([])
})

test('a run that was written at another time than its name says is told of for a week', () => {
  const forged = (days: number) => aRun(NOW - days * DAY, { state: 'misdated', run: '20200101T000000Z-abc123' })
  expect(findSuspicions([...before, forged(6)], NOW)).toEqual([
    'run 20200101T000000Z-abc123 was not written at the time in its name',
  ])
  expect(findSuspicions([...before, forged(6), forged(5)], NOW)[0]).toMatch(/\(and 1 more run\)$/)
  expect(findSuspicions([...before, forged(8)], NOW)).toEqual([])
})

describe('where full runs are a week apart', () => {
  /** Four weeks of which the nights between store little, the newest first. */
  const weeks = (of: Partial<RunRecord> = {}) =>
    nights(28, NOW - 26 * HOUR).map((run, night) =>
      night % 7 === 6 ? run : { ...run, bases: ['20260201T000000Z-full00'], storedBytes: GIB, entries: 9000, ...of },
    )
  const hanging = { bases: ['20260228T000000Z-full00'], storedBytes: 2 * GIB, rawBytes: 4 * GIB, entries: 12_000 }

  test('a night that stores little is as it should be, and so is a full run after it', () => {
    expect(suspicionsOf(hanging, weeks())).toEqual([])
    expect(suspicionsOf({ ...hanging, recentEntries: 11_000 }, weeks({ recentEntries: 10 }))).toEqual([])
    expect(suspicionsOf({}, weeks())).toEqual([])
  })

  test('a night that stores nearly as much as a full run is odd', () => {
    expect(suspicionsOf({ ...hanging, storedBytes: 14 * GIB }, weeks())).toEqual([
      'stores 14 GiB of changes, and full runs store 16 GiB',
    ])
  })

  test('a full run is held against the full ones', () => {
    expect(suspicionsOf({ storedBytes: GIB, rawBytes: 2 * GIB }, weeks())).toEqual(['stores 1 GiB, usually 16 GiB'])
    expect(suspicionsOf({ storedBytes: 40 * GIB }, weeks())).toHaveLength(1)
    expect(suspicionsOf({ storedBytes: GIB, rawBytes: 2 * GIB }, weeks().slice(0, 14))).toEqual([])
  })
})
