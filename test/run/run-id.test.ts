import { formatRun, formatTime, parseRunTime } from '../../agent/run/run-id'
import { RUN_PATTERN } from '../../agent/contract'

const time = new Date('2026-01-31T04:05:06.789Z')

test('a run is named by its second and by chance', () => {
  expect(formatRun(time, Uint8Array.of(0, 1, 25, 26, 31, 255))).toBe('20260131T040506Z-abz277')
  expect(formatRun(time, Uint8Array.of(0, 1, 25, 26, 31, 255))).toMatch(new RegExp(RUN_PATTERN))
  expect(formatTime(time)).toBe('20260131T040506Z')
})

test.each([
  ['20260131T040506Z-abz277', '2026-01-31T04:05:06.000Z'],
  ['20260131T040506Z-ABZ277', undefined],
  ['20261331T040506Z-abz277', undefined],
  ['20260231T040506Z-abz277', undefined],
  ['20260131T240000Z-abz277', undefined],
  ['latest', undefined],
])('the time of run %s is %s', (run, expected) => {
  expect(parseRunTime(run)?.toISOString()).toBe(expected)
})
