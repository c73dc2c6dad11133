import { fullBucket, takeFromBucket } from '../../agent/bucket/token-bucket'

const RATE = 1000

/** Takes at the given times, and says how long each had to wait. */
function waits(takes: readonly (readonly [bytes: number, nowMs: number])[]): number[] {
  let bucket = fullBucket(RATE, 0)
  return takes.map(([bytes, nowMs]) => {
    const taken = takeFromBucket(bucket, RATE, bytes, nowMs)
    bucket = taken.bucket
    return taken.waitMs
  })
}

test.each<[string, [number, number][], number[]]>([
  ["a second's worth goes at once", [[600, 0], [400, 0]], [0, 0]], // prettier-ignore
  ['what is beyond it waits', [[1000, 0], [500, 0], [500, 0]], [0, 0, 500]], // prettier-ignore
  ['a part larger than the bucket is sent, and the next one waits for all of it', [[8000, 0], [1, 0]], [0, 7000]], // prettier-ignore
  ['time fills it again', [[2000, 0], [500, 1500], [1, 1500]], [0, 0, 0]], // prettier-ignore
  ['but not beyond one second', [[1000, 60_000], [500, 60_000], [1, 60_000]], [0, 0, 500]], // prettier-ignore
])('%s', (_, takes, expected) => {
  expect(waits(takes)).toEqual(expected)
})

test('over time no more is sent than the rate', () => {
  let bucket = fullBucket(RATE, 0)
  let now = 0
  for (let part = 0; part < 100; part++) {
    const taken = takeFromBucket(bucket, RATE, 700, now)
    bucket = taken.bucket
    now += taken.waitMs
  }
  expect((100 * 700) / (now / 1000)).toBeCloseTo(RATE, -2)
})
