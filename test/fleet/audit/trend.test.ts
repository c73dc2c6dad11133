import { judgeTrend, type DaySize } from '../../../fleet/audit/trend'

const GIB = 1024 ** 3
/** A bucket that begins with 1,000 GiB and grows by so many in each of the days. */
function grown(...growths: readonly number[]): DaySize[] {
  let bytes = 1000 * GIB
  return [
    { day: 20_000, bytes },
    ...growths.map((growth, index) => ({ day: 20_001 + index, bytes: (bytes += growth * GIB) })),
  ]
}
const days = (count: number, growth: number) => Array.from({ length: count }, () => growth)
const weeks = (count: number) => Array.from({ length: count }, () => [...days(6, 2), 60]).flat()

test.each<[string, readonly DaySize[], boolean | undefined]>([
  ['there are no sizes yet', [], undefined],
  ['there are two weeks', grown(...days(14, 5)), undefined],
  ['it grows as ever', grown(...days(30, 5)), false],
  ['it stays as it is', grown(...days(30, 0)), false],
  ['it shrinks', grown(...days(29, 5), -300), false],
  ['it grows ten times as much as ever', grown(...days(29, 5), 50), true],
  ['it grows a little more than ever', grown(...days(29, 5), 8), false],
  ['what grew a lot is nothing beside the bucket', grown(...days(29, 0.1), 5), false],
  ['it grows on Sundays, and today is one', grown(...weeks(5)), false],
  ['it grows on Sundays, and today is a Monday of thrice a Sunday', grown(...weeks(4), 180), true],
  ['nothing expires any more: each day adds a 35th', grown(...days(30, 1), 30), true],
  ['it grew so every month', grown(...days(4, 1), 100, ...days(29, 1), 120), false],
])('%s: %s', (_, sizes, expected) => {
  expect(judgeTrend(sizes)?.outOfTrend).toBe(expected)
})

test('it says by how much', () => {
  expect(judgeTrend(grown(...days(29, 5), 50))).toEqual({
    outOfTrend: true,
    grownBytes: 50 * GIB,
    usualBytes: 5 * GIB,
    bytes: (1000 + 29 * 5 + 50) * GIB,
  })
})

test('days that S3 left out are no jump', () => {
  const sizes = grown(...days(30, 30)).filter(({ day }) => day < 20_020 || day > 20_026)
  expect(judgeTrend(sizes)?.outOfTrend).toBe(false)
})

test('the order in which CloudWatch tells of days is of no matter', () => {
  expect(judgeTrend(grown(...days(29, 5), 50).reverse())?.outOfTrend).toBe(true)
})
