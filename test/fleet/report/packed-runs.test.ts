import { packRuns, unpackRuns } from '../../../fleet/report/packed-runs'
import type { RunRecord } from '../../../fleet/model/records'

const AT = 1_795_831_500
const run: RunRecord = {
  run: '20261128T020500Z-abc123',
  writtenAt: AT - 3600,
  state: 'complete',
  verified: 'checksum',
  volumes: 3,
  objects: 4,
  entries: 182_345,
  rawBytes: 48_318_382_080,
  storedBytes: 17_123_456_789,
  catalogBytes: 9_000_000,
  seconds: 412.3,
}

test('a run comes back with three digits of each figure', () => {
  const [back] = unpackRuns(packRuns([run], AT), AT)
  expect(back).toMatchObject({ state: 'complete', standing: 'verified', verified: 'checksum', sizesOnly: false })
  expect(Math.abs(back!.writtenAt - run.writtenAt)).toBeLessThan(60)
  expect(back!.rawBytes / run.rawBytes).toBeCloseTo(1, 3)
  expect(back!.storedBytes / run.storedBytes).toBeCloseTo(1, 3)
  expect(Math.abs(back!.entries / run.entries - 1)).toBeLessThan(0.01)
  expect(Math.abs(back!.seconds / run.seconds - 1)).toBeLessThan(0.01)
})

test.each(['complete', 'incomplete', 'misdated', 'unreadable', 'unsupported', 'objects-missing'] as const)(
  'a run that is %s comes back as that',
  (state) => expect(unpackRuns(packRuns([{ ...run, state }], AT), AT)[0]!.state).toBe(state),
)

test('what was found later comes back: deeper, damaged, or no more than sizes', () => {
  const verdict = { by: 'operator', depth: 'stream', ok: true, at: AT } as const
  const runs = [
    { ...run, verdict },
    { ...run, verdict: { ...verdict, ok: false } },
    { ...run, sizesOnly: true as const },
  ]
  expect(unpackRuns(packRuns(runs, AT), AT)).toMatchObject([
    { standing: 'verified', verified: 'stream' },
    { standing: 'damaged' },
    { standing: 'unverified', sizesOnly: true },
  ])
})

test('each night has its own time, and nothing is younger than the page', () => {
  const nights = [-500, 1, 2, 40, 3000].map((hours) => ({ ...run, writtenAt: AT - hours * 3600 }))
  const times = unpackRuns(packRuns(nights, AT), AT).map(({ writtenAt }) => Math.round((AT - writtenAt) / 3600))
  expect(times).toEqual([0, 1, 2, 40, 3000])
})

test('nothing and a petabyte are as good as any other size', () => {
  const [nothing, much] = unpackRuns(
    packRuns(
      [
        { ...run, rawBytes: 0, storedBytes: 0, entries: 0, seconds: 0 },
        { ...run, rawBytes: 2 ** 50 },
      ],
      AT,
    ),
    AT,
  )
  expect(nothing).toMatchObject({ rawBytes: 0, storedBytes: 0, entries: 0, seconds: 0 })
  expect(much!.rawBytes / 2 ** 50).toBeCloseTo(1, 3)
})

test('what is larger than the page can say does not spoil its neighbours', () => {
  const [huge, next] = unpackRuns(packRuns([{ ...run, rawBytes: 2 ** 60, seconds: 2 ** 50 }, run], AT), AT)
  expect(huge!.rawBytes).toBeGreaterThan(2 ** 49)
  expect(next!.verified).toBe('checksum')
  expect(next!.storedBytes / run.storedBytes).toBeCloseTo(1, 3)
})
