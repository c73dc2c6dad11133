import { longestGapHours } from '../../infra/cron'

const DAY = 24

test.each<[string, readonly string[], number | undefined]>([
  ['every night', ['cron(0 1 ? * * *)'], DAY],
  ['every night, without a year', ['cron(0 1 ? * *)'], DAY],
  ['every hour', ['cron(0 * * * ? *)'], 1],
  ['every quarter of an hour', ['cron(0/15 * * * ? *)'], 0.25],
  ['by a rate', ['rate(12 hours)'], 12],
  ['by a rate of days', ['rate(1 day)'], DAY],
  ['twice a day', ['cron(30 1,13 ? * * *)'], 12],
  ['by day only: the night lies between', ['cron(0 8-18/2 ? * * *)'], 14],
  ['on workdays: the weekend lies between', ['cron(0 1 ? * MON-FRI *)'], 3 * DAY],
  ['on Sundays', ['cron(0 4 ? * SUN *)'], 7 * DAY],
  ['on Sundays, by number', ['cron(0 4 ? * 1 *)'], 7 * DAY],
  ['every month: July and August have 31 days', ['cron(0 7 1 * ? *)'], 31 * DAY],
  ['on the 31st, which not every month has', ['cron(0 7 31 * ? *)'], 61 * DAY],
  ['on the last day of the month', ['cron(0 7 L * ? *)'], 31 * DAY],
  ['on the last workday of the month', ['cron(0 7 LW * ? *)'], 33 * DAY],
  ['on the workday nearest to the 1st', ['cron(0 7 1W * ? *)'], 33 * DAY],
  ['on the second Tuesday', ['cron(0 7 ? * TUE#2 *)'], 35 * DAY],
  ['on the last Friday', ['cron(0 7 ? * FRIL *)'], 35 * DAY],
  ['once a quarter', ['cron(0 7 1 JAN,APR,JUL,OCT ? *)'], 92 * DAY],
  ['on the 29th of February', ['cron(0 7 29 2 ? *)'], 1461 * DAY],
  ['every night, and at noon', ['cron(0 0 ? * * *)', 'cron(0 12 ? * * *)'], 12],
  ['every night, and weekly', ['cron(0 1 ? * * *)', 'cron(0 4 ? * SUN *)'], DAY],
  ['by a rate, and weekly', ['cron(0 4 ? * SUN *)', 'rate(2 days)'], 48],
  ['on a day that never comes', ['cron(0 7 30 2 ? *)'], undefined],
  ['in words that are not known', ['cron(0 7 L-3 * ? *)'], undefined],
  ['at an hour that there is not', ['cron(0 25 ? * * *)'], undefined],
  ['not at all', [], undefined],
])('%s', (_, expressions, hours) => {
  expect(longestGapHours(expressions)).toBe(hours)
})
