import { selectAbandoned } from '../../agent/source/abandoned'

const NOW = Date.parse('2026-01-31T04:00:00Z')
const HOUR = 3_600_000
const upload = (uploadId: string, initiated?: number) => ({
  key: 'data/daily/db1/run/vg0-srv.tar.zst',
  uploadId,
  ...(initiated !== undefined && { initiated: new Date(initiated) }),
})

test('an upload is abandoned once no run can be at work on it any more', () => {
  const uploads = [
    upload('of this moment', NOW),
    upload('as old as a run can be', NOW - 48 * HOUR),
    upload('older', NOW - 48 * HOUR - 1),
    upload('ancient', 0),
  ]
  expect(selectAbandoned(uploads, NOW).map(({ uploadId }) => uploadId)).toEqual(['older', 'ancient'])
})

test.each([
  ['that nobody dates', upload('x')],
  ['of the future', upload('x', NOW + 1000 * HOUR)],
  ['whose date is none', upload('x', NaN)],
])('an upload %s is left alone', (_, one) => {
  expect(selectAbandoned([one], NOW)).toEqual([])
})
