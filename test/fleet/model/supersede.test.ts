import {
  findDoubtful,
  findStandIns,
  forgottenUntil,
  isOverdue,
  isSwept,
  planReprieves,
  planSuperseded,
  type SupersedeCase,
} from '../../../fleet/model/supersede'
import type { RunRecord } from '../../../fleet/model/records'
import { arnOf, aRun, DAY, HOUR, nights, NOW, runName } from '../../support/fleet'

/** Runs whose objects have just been seen. */
const seen = (runs: readonly RunRecord[]) => runs.map((run) => ({ presentAt: NOW, ...run }))
const given = (runs: readonly RunRecord[], changes: Partial<SupersedeCase> = {}): SupersedeCase => ({
  history: { class: 'daily', runs },
  policy: { keepAtLeast: 3, expireAfterDays: 35, fullEveryDays: 0 },
  now: NOW,
  ...changes,
})
/** How many nights ago the planned runs were, the oldest first. */
const planned = (runs: readonly RunRecord[], changes: Partial<SupersedeCase> = {}) =>
  planSuperseded(given(runs, changes)).map(({ writtenAt }) => Math.round((NOW - 2 * HOUR - writtenAt) / DAY))
/** Six nights, of which one or more are otherwise. */
const sixNights = (...changes: readonly (readonly [night: number, changes: Partial<RunRecord>])[]) =>
  seen(nights(6)).map((run, night) => ({ ...run, ...changes.find(([of]) => of === night)?.[1] }))

describe('a run is superseded once three newer good ones are there', () => {
  test('so of six good nights the three oldest are, the oldest first', () => {
    expect(planned(sixNights())).toEqual([5, 4, 3])
  })

  test('and of three none is', () => {
    expect(planned(seen(nights(3)))).toEqual([])
  })

  test('a class may keep more, or only one', () => {
    expect(planned(sixNights(), { policy: { keepAtLeast: 5, expireAfterDays: 35, fullEveryDays: 0 } })).toEqual([5])
    expect(planned(sixNights(), { policy: { keepAtLeast: 6, expireAfterDays: 35, fullEveryDays: 0 } })).toEqual([])
    expect(planned(sixNights(), { policy: { keepAtLeast: 1, expireAfterDays: 35, fullEveryDays: 0 } })).toEqual([
      5, 4, 3, 2, 1,
    ])
  })

  test.each<[string, Partial<RunRecord>]>([
    ['lacks filesystems', { state: 'incomplete' }],
    ['is not from the time in its name', { state: 'misdated' }],
    ['has a manifest that is none', { state: 'unreadable' }],
    ['was made by a later version', { state: 'unsupported' }],
    ['has lost objects', { state: 'objects-missing' }],
    ['nothing verified', { verified: 'none' }],
    ['was confirmed by sizes only', { sizesOnly: true }],
    ['an operator found damaged', { verdict: { by: 'operator', depth: 'stream', ok: false, at: NOW } }],
    ['was last seen to be there two days ago', { presentAt: NOW - 2 * DAY }],
    ['is far smaller than those before it', { storedBytes: 1000, entries: 3 }],
  ])('one that %s does not count', (_, changes) => {
    const runs = seen(nights(20)).map((run, night) => (night === 1 ? { ...run, ...changes } : run))
    expect(planned(runs)).toEqual(Array.from({ length: 16 }, (_each, index) => 19 - index))
    expect(planned(runs).at(-1)).toBe(4)
  })

  test('one whose objects nobody has seen yet does not count', () => {
    expect(planned(nights(6))).toEqual([])
  })

  test("an operator's word makes an unverified one count", () => {
    const verdict = { by: 'operator', depth: 'stream', ok: true, at: NOW } as const
    expect(planned(sixNights([0, { verified: 'none', verdict }]))).toEqual([5, 4, 3])
  })

  test('failed ones expire with the good ones that are as old', () => {
    expect(planned(sixNights([4, { state: 'incomplete' }], [5, { state: 'unreadable' }]))).toEqual([5, 4, 3])
  })

  test('failed ones that are newer than the three are kept: they are all there is of their nights', () => {
    expect(planned(sixNights([1, { state: 'incomplete' }], [2, { state: 'incomplete' }]))).toEqual([5])
  })

  test('one of the same second as the last that counts is kept', () => {
    const [first, second, third] = seen(nights(3))
    const twin = { ...third!, run: runName(third!.writtenAt - HOUR, 'zzzzzz') }
    expect(planned([first!, second!, third!, twin])).toEqual([])
  })

  test('what bears the tag already is not planned again', () => {
    expect(planned(sixNights([5, { superseded: true }]))).toEqual([4, 3])
  })

  test('an intruder who encrypts a host supersedes nothing until the nights have become usual', () => {
    const good = seen(nights(20, NOW - 2 * HOUR - 3 * DAY))
    const encrypted = seen(nights(3)).map((run) => ({ ...run, storedBytes: run.rawBytes }))
    expect([...findStandIns(given([...encrypted, ...good]))][0]).toBe(good[0])
  })
})

describe('a run that bears the tag is needed again', () => {
  test('where those that stood in for it are found damaged', () => {
    const verdict = { by: 'operator', depth: 'stream', ok: false, at: NOW } as const
    const runs = seen(nights(6)).map((run, night) => ({
      ...run,
      ...(night > 2 && { superseded: true as const }),
      ...(night < 2 && { verdict }),
    }))
    expect(planReprieves(given(runs))).toEqual([runs[3], runs[4]])
    expect(planSuperseded(given(runs))).toEqual([])
  })

  test('and not where all is as it was', () => {
    expect(planReprieves(given(sixNights([4, { superseded: true }], [5, { superseded: true }])))).toEqual([])
  })
})

test('whether a run bears the tag is looked up where it is needed and half as old as it may get', () => {
  expect(findDoubtful(given(seen(nights(3, NOW - 10 * DAY))))).toEqual([])
  const old = seen(nights(3, NOW - 16 * DAY))
  expect(findDoubtful(given(old))).toEqual([old[2]])
  expect(findDoubtful(given(old.map((run) => ({ ...run, superseded: true }))))).toEqual([])
})

describe('a host that is gone', () => {
  const old = seen(nights(3, NOW - 40 * DAY))
  const goneSince = NOW - 39 * DAY

  test('keeps its last runs for ever by default', () => {
    expect(planned(old, { goneSince })).toEqual([])
  })

  test('keeps them for as long as it is configured', () => {
    expect(planned(old, { goneSince, forgetAfterDays: 40 })).toEqual([])
    expect(planned(old, { goneSince, forgetAfterDays: 39 })).toHaveLength(3)
  })

  test('and longer where it wrote something since: then it is not gone', () => {
    const recent = seen(nights(3, NOW - 10 * DAY))
    expect(planned(recent, { goneSince, forgetAfterDays: 39 })).toEqual([])
    expect(planned(recent, { goneSince, forgetAfterDays: 10 })).toHaveLength(3)
  })

  test('has no backup any more once an operator has said that it may be forgotten', () => {
    expect(planned(old, { forgottenAt: NOW - HOUR })).toHaveLength(3)
    expect(forgottenUntil(given(old, { forgottenAt: NOW - HOUR }))).toBe(NOW - HOUR)
  })

  test('is remembered again where it has written a run since', () => {
    const back = seen([aRun(NOW - HOUR), ...old.slice(1)])
    expect(planned(back, { forgottenAt: NOW - DAY })).toEqual([])
    expect(forgottenUntil(given(back, { forgottenAt: NOW - DAY }))).toBeUndefined()
  })
})

test('in the last day before its expiry, a run would go at once', () => {
  const policy = { expireAfterDays: 35 }
  expect(isOverdue(aRun(NOW - 33 * DAY), policy, NOW)).toBe(false)
  expect(isOverdue(aRun(NOW - 34 * DAY), policy, NOW)).toBe(true)
})

test("each host's turn comes once in a week of hourly passes, and no hour has too many", () => {
  const hours = Array.from({ length: 168 }, (_, hour) => NOW + hour * HOUR)
  const hosts = Array.from({ length: 5000 }, (_, index) => arnOf(`i-${index.toString(16).padStart(17, '0')}`))
  const perHour = hours.map((hour) => hosts.filter((host) => isSwept(host, hour)))
  expect(perHour.flat().sort()).toEqual([...hosts].sort())
  expect(Math.max(...perHour.map(({ length }) => length))).toBeLessThan(100)
})

describe('a full run that others hang on', () => {
  const policy = { keepAtLeast: 3, expireAfterDays: 35, fullEveryDays: 7 }
  /** A full run, and behind it a differential one each night. */
  const week = (count: number, changes: (night: number) => Partial<RunRecord> = () => ({})) => {
    const runs = seen(nights(count))
    const base = runs.at(-1)!
    const little = { bases: [base.run], storedBytes: 1024 ** 3, rawBytes: 3 * 1024 ** 3 }
    return runs.map((run, night) => ({ ...run, ...(run !== base && little), ...changes(night) }))
  }
  const superseded = (since: number) => (night: number) => (night >= since ? { superseded: true as const } : {})

  test('stays as long as any of these is needed', () => {
    expect(planned(week(6), { policy })).toEqual([4, 3])
    expect(planned(week(6, superseded(3)), { policy })).toEqual([])
    expect(findDoubtful(given(week(6), { policy, now: NOW + 30 * DAY })).map(({ run }) => run)).toContain(
      week(6).at(-1)!.run,
    )
  })

  test('is tagged once all of these are', () => {
    const older = week(6).slice(3)
    const later = seen(nights(3))
    expect(planned([...later, ...older], { policy })).toEqual([4, 3])
    const tagged = older.map((run) => (run.bases ? { ...run, superseded: true as const } : run))
    expect(planned([...later, ...tagged], { policy })).toEqual([5])
  })

  test('stays, too, where the rules would have it go before the manifest of one that is much younger', () => {
    const [base, ...rest] = seen([aRun(NOW - 60 * DAY), ...nights(3)])
    const apart = (days: number) =>
      aRun(NOW - 60 * DAY + days * DAY, { bases: [base!.run], superseded: true, presentAt: NOW })
    expect(planSuperseded(given([...rest, apart(7.5), base!], { policy }))).toEqual([base])
    expect(planSuperseded(given([...rest, apart(9), base!], { policy }))).toEqual([])
  })

  test('loses its tag where one that hangs on it is needed', () => {
    const runs = week(6, superseded(5))
    expect(planReprieves(given(runs, { policy }))).toEqual([runs.at(-1)])
  })

  test('is dispensable with all others of a host that may be forgotten', () => {
    expect(planned(week(6), { policy, forgottenAt: NOW })).toEqual([5, 4, 3, 2, 1, 0])
  })

  test.each<[string, Partial<RunRecord>]>([
    ['is not verified', { verified: 'none' }],
    ['was confirmed by sizes only', { sizesOnly: true }],
  ])('and %s, leaves these worth nothing: they stand in for none', (_, changes) => {
    const runs = week(6, (night) => (night === 5 ? changes : {}))
    expect([...findStandIns(given(runs, { policy }))]).toEqual([])
  })

  test('whose base is gone stands in for none', () => {
    expect(
      planned(
        week(9, (night) => (night === 0 ? { state: 'base-missing' } : {})),
        { policy },
      ),
    ).toEqual([7, 6, 5, 4])
  })
})
