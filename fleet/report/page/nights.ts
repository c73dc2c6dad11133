/** A host's runs night by night: a day is one by UTC and S3's clock. */
import type { PageRun } from '../packed-runs'
import type { Host, HostClass } from './fleet'
import { describeRun, formatClock, formatDay, kindOf, type RunKind } from './words'

/** `none`: no run that day; `late`: and no verified backup was as young as it had to be; `before`: the host had none yet. */
export type NightKind = RunKind | 'none' | 'late' | 'before'

export interface Night {
  /** Days since 1970. */
  readonly day: number
  readonly kind: NightKind
  readonly text: string
}

const DAY_SECONDS = 86_400
/** From the worst on. */
const KINDS: readonly NightKind[] = ['bad', 'odd', 'incomplete', 'unverified', 'late', 'good', 'none', 'before']

/** Days since 1970 that the calendar shows, oldest first. */
export function daysUntil(at: number, count: number): number[] {
  const last = Math.floor(at / DAY_SECONDS)
  return Array.from({ length: count }, (_, index) => last - count + 1 + index)
}

/** @param className - of one class, or of all that the host has */
export function nightsOf(host: Host, className: string, days: readonly number[], at: number): Night[] {
  const classes = host.classes.filter((of) => className === '' || of.class === className)
  const timelines = classes.map((of) => ({ of, byDay: Map.groupBy(of.runs(), dayOf) }))
  return days.map((day) => {
    const kinds = timelines.map(({ of, byDay }) =>
      kindOfDay(of, byDay.get(day), Math.min(at, (day + 1) * DAY_SECONDS), host.since),
    )
    const kind = KINDS.find((each) => kinds.includes(each)) ?? 'before'
    const told = timelines.flatMap(({ of, byDay }) =>
      (byDay.get(day) ?? []).map(
        (run) => `${classes.length > 1 ? `${of.class}, ` : ''}${formatClock(run.writtenAt)} UTC: ${describeRun(run)}`,
      ),
    )
    return {
      day,
      kind,
      text: `${host.label}, ${formatDay(day)}. ${told.length > 0 ? told.join('. ') : (NOTHING[kind] ?? '')}`,
    }
  })
}

const NOTHING: Partial<Record<NightKind, string>> = {
  none: 'No run; the last verified backup was young enough.',
  late: 'No run, and no verified backup as young as it had to be.',
  before: 'No run, and none before.',
}

function dayOf({ writtenAt }: PageRun): number {
  return Math.floor(writtenAt / DAY_SECONDS)
}

/**
 * The best of a day's runs counts: what failed and was made good has done no harm.
 *
 * @param end - of the day, in seconds
 * @param since - when the host came into its state
 */
function kindOfDay(of: HostClass, runs: readonly PageRun[] | undefined, end: number, since: number): NightKind {
  if (runs) return runs.map(kindOf).reduce((a, b) => (KINDS.indexOf(b) > KINDS.indexOf(a) ? b : a))
  const earlier = of.runs().filter(({ writtenAt }) => writtenAt < end)
  const [first] = earlier.slice(-1)
  if (!first) return of.count === 0 && of.overdue && end > since ? 'late' : 'before'
  const good = earlier.find((run) => kindOf(run) === 'good')
  return end - (good ?? first).writtenAt > of.maxAgeHours * 3600 ? 'late' : 'none'
}
