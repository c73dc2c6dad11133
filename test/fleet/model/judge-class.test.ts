/** One class of one host: what a night's run counts for. */
import { judgeClass, type ClassCase } from '../../../fleet/model/judge-class'
import type { Explanation, RunRecord } from '../../../fleet/model/records'
import { aRun, DAY, HOUR, nights, NOW } from '../../support/fleet'

function judge(runs: readonly RunRecord[], changes: Partial<ClassCase> = {}) {
  return judgeClass({
    class: 'daily',
    history: { class: 'daily', runs },
    policy: { maxAgeHours: 36 },
    expectedSince: NOW - 100 * DAY,
    explanations: [],
    failingAfter: 3,
    now: NOW,
    ...changes,
  })
}

const lastNight = (changes: Partial<RunRecord>) => [aRun(NOW - 2 * HOUR, changes)]

test.each([
  ['unverified', { verified: 'none' }, 'is complete, and nothing has verified more than sizes'],
  ['unverified', { sizesOnly: true }, 'is complete, and nothing has verified more than sizes'],
  ['incomplete', { state: 'incomplete' }, 'lacks filesystems, or files of one'],
  ['unknown', { state: 'unsupported' }, 'was made by a later version of Snapstream than this one'],
  ['unknown', { state: 'unreadable', unread: true }, 'has a manifest that these credentials could not read'],
  ['suspicious', { state: 'unreadable' }, 'has a manifest that is none'],
  ['suspicious', { state: 'misdated' }, 'was not written at the time in its name'],
] as const)('is %s where its only run is %p', (state, changes, what) => {
  const view = judge(lastNight(changes))
  // Expected for long, it never had a verified backup.
  expect(view).toMatchObject({ state, overdue: true })
  expect(view.lastGoodAt).toBeUndefined()
  expect(view.reason).toBe(`run ${lastNight({})[0]!.run}, 2 h old, ${what}`)
})

test('what an operator verified counts, where the host itself had confirmed nothing', () => {
  const verdict = { by: 'operator', depth: 'stream', ok: true, at: NOW - HOUR } as const
  expect(judge(lastNight({ verified: 'none', verdict })).state).toBe('protected')
  expect(judge(lastNight({ verified: 'none', verdict: { ...verdict, sizesOnly: true } })).state).toBe('unverified')
})

test('a newest run that did not read back is failing, however good it was said to be', () => {
  const verdict = { by: 'operator', depth: 'stream', ok: false, at: NOW - HOUR } as const
  const runs = [...lastNight({ verified: 'source', verdict }), ...nights(5, NOW - 26 * HOUR)]
  const view = judge(runs)
  expect(view).toMatchObject({ state: 'failing', lastGoodAt: NOW - 26 * HOUR, overdue: false })
  expect(view.reason).toMatch(/did not read back when an operator verified it 60 min ago$/)
})

test('a run of which objects are gone is none', () => {
  const runs = [...lastNight({ state: 'objects-missing' }), ...nights(5, NOW - 3 * DAY)]
  expect(judge(runs)).toMatchObject({ state: 'failing', lastGoodAt: NOW - 3 * DAY, overdue: true })
})

test('one incomplete night does not take away the protection that the night before gives', () => {
  const runs = [...lastNight({ state: 'incomplete' }), ...nights(5, NOW - 26 * HOUR)]
  expect(judge(runs)).toMatchObject({ state: 'protected', failuresInARow: 1 })
})

test('bad runs and failed commands are counted once, and only since the last good run', () => {
  const failed = (hours: number): Explanation => ({ host: 'h', at: NOW - hours * HOUR, what: 'failed', detail: '' })
  const runs = [
    ...nights(2, NOW - 2 * HOUR, { state: 'incomplete' }),
    ...nights(1, NOW - 50 * HOUR),
    ...nights(4, NOW - 74 * HOUR, { state: 'incomplete' }),
  ]
  const explanations = [failed(2), failed(26), failed(60), failed(80)]
  expect(judge(runs, { explanations })).toMatchObject({ failuresInARow: 2, state: 'incomplete' })
  expect(judge(runs, { explanations, failingAfter: 2 }).state).toBe('failing')
})

test('runs that nobody could read are not counted as failures: nothing is known of them', () => {
  const unread = nights(4, NOW - 2 * HOUR, { state: 'unreadable', unread: true })
  expect(judge([...unread, ...nights(3, NOW - 5 * DAY)])).toMatchObject({ state: 'unknown', failuresInARow: 0 })
})

test('a command that failed before the newest run explains nothing any more', () => {
  const explanations: Explanation[] = [{ host: 'h', at: NOW - 3 * HOUR, what: 'timed-out', detail: 'x' }]
  expect(judge(lastNight({}), { explanations }).reason).toBe('verified backup, 2 h old')
})

test('a class that nobody configured is held to a day and a half', () => {
  expect(judge(nights(1, NOW - 35 * HOUR), { policy: undefined }).state).toBe('protected')
  expect(judge(nights(1, NOW - 37 * HOUR), { policy: undefined })).toMatchObject({ state: 'stale', maxAgeHours: 36 })
})

test('never verified, it is overdue from its first run on', () => {
  const runs = nights(3, NOW - 2 * HOUR, { verified: 'none' })
  expect(judge(runs, { expectedSince: NOW })).toMatchObject({ state: 'unverified', overdue: true })
})

test('what is odd about a fresh run makes it suspicious', () => {
  const runs = [aRun(NOW - 2 * HOUR, { storedBytes: 1024 ** 3 }), ...nights(8, NOW - 26 * HOUR)]
  expect(judge(runs)).toMatchObject({ state: 'suspicious', reason: 'stores 1 GiB, usually 16 GiB', overdue: false })
})
