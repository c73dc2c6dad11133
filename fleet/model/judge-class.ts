/** A host in one retention class: is its backup as young, as whole and as proven as it has to be? */
import { findSuspicions } from './anomalies'
import { DAILY_MAX_AGE_HOURS, type ClassPolicy } from './config'
import type { ClassHistory, ClassView, Explanation, HostState, RunRecord } from './records'
import { isDamaged, isGood } from './runs'
import { ageOf, describeExplanation } from './wording'

/** What a class of a host is judged by. */
export interface ClassCase {
  readonly class: string
  readonly history: ClassHistory | undefined
  /** Absent where nobody configured the class. */
  readonly policy: Pick<ClassPolicy, 'maxAgeHours'> | undefined
  /** Since when it has been expected, in seconds. */
  readonly expectedSince: number
  /** Those that concern the class. */
  readonly explanations: readonly Explanation[]
  readonly failingAfter: number
  readonly now: number
}

type Finding = Pick<ClassView, 'state' | 'reason'>

export function judgeClass(given: ClassCase): ClassView {
  const { history, policy, now } = given
  const runs = history?.runs ?? []
  const maxAgeHours = policy?.maxAgeHours ?? DAILY_MAX_AGE_HOURS
  const lastGood = runs.find(isGood)
  const lastGoodAt = lastGood?.writtenAt
  const isFresh = lastGoodAt !== undefined && now - lastGoodAt <= maxAgeHours * 3600
  const since = Math.min(given.expectedSince, ...runs.map(({ writtenAt }) => writtenAt))
  const failuresInARow = countFailures(given, runs, lastGoodAt)
  const suspicions = findSuspicions(runs, now)
  const base = { runs, lastGoodAt, isFresh, failuresInARow, suspicions, maxAgeHours }
  return {
    class: given.class,
    ...find(given, base),
    maxAgeHours,
    overdue: !isFresh && now - (lastGoodAt ?? since) > maxAgeHours * 3600,
    runs: runs.length,
    ...(runs[0] && { lastRunAt: runs[0].writtenAt }),
    ...(lastGood && { lastGoodAt: lastGood.writtenAt, lastGoodRun: lastGood.run }),
    failuresInARow,
    ...(runs[0] && isDamaged(runs[0]) && { damaged: true }),
    storedBytes: runs.reduce((sum, run) => sum + run.storedBytes + run.catalogBytes, 0),
    suspicions,
  }
}

interface Facts {
  readonly runs: readonly RunRecord[]
  readonly lastGoodAt: number | undefined
  readonly isFresh: boolean
  readonly failuresInARow: number
  readonly suspicions: readonly string[]
  readonly maxAgeHours: number
}

function find(given: ClassCase, facts: Facts): Finding {
  const { now, failingAfter, explanations } = given
  const { runs, lastGoodAt, isFresh, failuresInARow, suspicions } = facts
  const [newest] = runs
  const latest = explanations.reduce<Explanation | undefined>((a, b) => (a && a.at >= b.at ? a : b), undefined)
  const isLater = latest && latest.at > (newest?.writtenAt ?? 0)
  const why = isLater ? `; ${describeExplanation(latest, now)}` : ''

  if (!newest) return { state: failuresInARow >= failingAfter ? 'failing' : 'never', reason: `has no backup${why}` }
  if (isDamaged(newest)) return { state: 'failing', reason: describeDamage(newest, now) }
  if (failuresInARow >= failingAfter) {
    const good = lastGoodAt === undefined ? 'none was ever good' : `the last good one is ${ageOf(lastGoodAt, now)} old`
    return { state: 'failing', reason: `${failuresInARow} failures in a row; ${good}${why}` }
  }
  if (isFresh) {
    const { length } = suspicions
    if (length > 0) return { state: 'suspicious', reason: suspicions.join('; ') }
    return { state: 'protected', reason: `verified backup, ${ageOf(lastGoodAt ?? now, now)} old${why}` }
  }
  const unfit = describeRecent(facts, now)
  if (unfit) return { ...unfit, reason: `${unfit.reason}${why}` }
  const age = lastGoodAt === undefined ? ageOf(newest.writtenAt, now) : ageOf(lastGoodAt, now)
  const what = lastGoodAt === undefined ? 'newest backup, which is not verified,' : 'newest verified backup'
  return { state: 'stale', reason: `${what} is ${age} old${why}` }
}

/** Where there is a run that is young enough, but is not what it should be. */
function describeRecent({ runs, maxAgeHours }: Facts, now: number): Finding | undefined {
  const recent = runs.filter(({ writtenAt }) => now - writtenAt <= maxAgeHours * 3600)
  const states: readonly (readonly [(run: RunRecord) => boolean, HostState, string])[] = [
    [({ state }) => state === 'unsupported', 'unknown', 'was made by a later version of Snapstream than this one'],
    [({ unread }) => unread === true, 'unknown', 'has a manifest that these credentials could not read'],
    [({ state }) => state === 'unreadable', 'suspicious', 'has a manifest that is none'],
    [({ state }) => state === 'misdated', 'suspicious', 'was not written at the time in its name'],
    [({ state }) => state === 'complete', 'unverified', 'is complete, and nothing has verified more than sizes'],
    [({ state }) => state === 'incomplete', 'incomplete', 'lacks filesystems, or files of one'],
  ]
  for (const [matches, state, what] of states) {
    const run = recent.find(matches)
    if (run) return { state, reason: `run ${run.run}, ${ageOf(run.writtenAt, now)} old, ${what}` }
  }
  return undefined
}

function describeDamage({ run, state, verdict }: RunRecord, now: number): string {
  if (state === 'base-missing') return `the base of its newest run ${run} is gone, or does not read back`
  if (state === 'objects-missing') return `objects of its newest run ${run} are gone, or of another size`
  const age = verdict ? ` ${ageOf(verdict.at, now)} ago` : ''
  return `its newest run ${run} did not read back when ${verdict?.by === 'host' ? 'the host' : 'an operator'} verified it${age}`
}

/** Since the last good run: runs that are not good, or commands that made none, whichever are more. */
function countFailures(
  { explanations }: ClassCase,
  runs: readonly RunRecord[],
  lastGoodAt: number | undefined,
): number {
  const since = lastGoodAt ?? 0
  const bad = runs.filter(
    (run) =>
      run.writtenAt > since &&
      (run.state !== 'complete' || isDamaged(run)) &&
      run.state !== 'unsupported' &&
      !run.unread,
  )
  const failed = explanations.filter(({ at }) => at > since)
  return Math.max(bad.length, failed.length)
}
