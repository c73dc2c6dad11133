import { timestamp } from '../../agent/options/types'

test.each([
  ['2026-02-28', '2026-02-28T23:59:59.000Z'],
  ['2028-02-29', '2028-02-29T23:59:59.000Z'],
  ['2026-01-31T14:00+01:00', '2026-01-31T13:00:00.000Z'],
  ['2026-01-31 00:30+02:00', '2026-01-30T22:30:00.000Z'],
])('%s is %s', (text, moment) => {
  expect(timestamp.schema.parse(text).toISOString()).toBe(moment)
})

test.each(['2026-02-31', '2026-02-29', '2026-04-31T12:00', '2026-13-01', '2026-01-31T25:00', 'tomorrow'])(
  'a day that is not in the calendar is no other day: %s',
  (text) => {
    expect(timestamp.schema.safeParse(text).success).toBe(false)
  },
)
