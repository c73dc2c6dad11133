/** Sizes over time, of hosts and of the fleet. */
import type { PageRun } from '../packed-runs'
import type { Host, HostClass } from './fleet'

/** Runs that a newest one is held against (design limit). */
const COMPARED_MAX = 10

export interface HostSizes {
  readonly host: Host
  readonly class: string
  readonly newest: PageRun
  /** Oldest first. */
  readonly stored: readonly number[]
  /** How many bytes of the host make one that is stored; absent where nothing was. */
  readonly ratio: number | undefined
  /** Of the newest against the median of up to ten before it: 0.1 is a tenth more. */
  readonly change: number | undefined
}

/** Of each class that has runs with sizes; what could not be read has none. */
export function sizesOf(host: Host, className: string): HostSizes[] {
  return host.classes
    .filter((of) => className === '' || of.class === className)
    .flatMap((of) => {
      const runs = measured(of)
      const [newest, ...earlier] = runs
      if (!newest) return []
      const usual = median(earlier.slice(0, COMPARED_MAX).map(({ storedBytes }) => storedBytes))
      return [
        {
          ...{ host, class: of.class, newest, ratio: ratioOf(newest.rawBytes, newest.storedBytes) },
          stored: runs.map(({ storedBytes }) => storedBytes).reverse(),
          change: usual === undefined || usual === 0 ? undefined : newest.storedBytes / usual - 1,
        },
      ]
    })
}

export interface FleetDay {
  readonly day: number
  /** By class, in the order of `classes`. */
  readonly stored: readonly number[]
  readonly total: number
  readonly ratio: number | undefined
  readonly runs: number
}

/** What all these hosts have stored, day by day. */
export function fleetDays(hosts: readonly Host[], classes: readonly string[], days: readonly number[]): FleetDay[] {
  const first = days[0] ?? 0
  const sums = days.map(() => ({ stored: classes.map(() => 0), raw: 0, runs: 0 }))
  for (const host of hosts) {
    for (const of of host.classes) {
      const place = classes.indexOf(of.class)
      if (place < 0) continue
      for (const run of measured(of)) {
        const sum = sums[Math.floor(run.writtenAt / 86_400) - first]
        if (!sum) continue
        sum.stored[place] = (sum.stored[place] ?? 0) + run.storedBytes
        sum.raw += run.rawBytes
        sum.runs++
      }
    }
  }
  return sums.map(({ stored, raw, runs }, index) => {
    const total = stored.reduce((a, b) => a + b, 0)
    return { day: first + index, stored, total, ratio: ratioOf(raw, total), runs }
  })
}

export function ratioOf(rawBytes: number, storedBytes: number): number | undefined {
  return storedBytes === 0 ? undefined : rawBytes / storedBytes
}

function measured(of: HostClass): readonly PageRun[] {
  return of.runs().filter(({ state, rawBytes }) => state !== 'unreadable' && state !== 'unsupported' && rawBytes > 0)
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle]
  if (upper === undefined || sorted.length % 2 === 1) return upper
  return (upper + (sorted[middle - 1] ?? upper)) / 2
}
