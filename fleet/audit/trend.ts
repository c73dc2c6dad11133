/** Whether a bucket grows as it always did, by S3's own measure: what manifests say of sizes is their hosts' word. */

/** The bucket on one day, with all versions and unfinished uploads. */
export interface DaySize {
  /** Days since 1970. */
  readonly day: number
  readonly bytes: number
}

export interface Trend {
  readonly outOfTrend: boolean
  /** Of the last day. */
  readonly grownBytes: number
  /** The largest of the days before. */
  readonly usualBytes: number
  readonly bytes: number
}

/** With this many days before the last one, each weekly backup has come twice. */
const DAYS_MIN = 14
/** With these, each monthly one once. */
export const TREND_DAYS = 36
/** A growth beyond this much of the largest one of the days before … (design limit) */
const TIMES_USUAL = 2
/** … and beyond this part of the bucket: a fleet whose backups expire again after 35 days stores a 35th of it each day (design limit). */
const PART_OF_BUCKET = 0.01

/** @returns undefined where there are too few days to say */
export function judgeTrend(sizes: readonly DaySize[]): Trend | undefined {
  const days = [...sizes].sort((a, b) => a.day - b.day).slice(-TREND_DAYS)
  const growths = days.slice(1).map(({ day, bytes }, index) => {
    const before = days[index]
    // Where S3 has left days out, all grew alike.
    return before ? (bytes - before.bytes) / (day - before.day) : 0
  })
  const last = days.at(-1)
  const grownBytes = growths.at(-1)
  if (!last || grownBytes === undefined || growths.length <= DAYS_MIN) return undefined
  const usualBytes = Math.max(0, ...growths.slice(0, -1))
  const outOfTrend = grownBytes > usualBytes * TIMES_USUAL && grownBytes > last.bytes * PART_OF_BUCKET
  return { outOfTrend, grownBytes, usualBytes, bytes: last.bytes }
}
