/** Which runs newer ones have made dispensable: those alone may expire, once they are old enough. */
import { findSuspicions } from './anomalies'
import { areBasesVerified } from './bases'
import type { ClassPolicy } from './config'
import type { ClassHistory, RunRecord } from './records'
import { isGood } from './runs'

const DAY_SECONDS = 86400
/** How long it counts that a run's objects were there: they do not go by themselves (design limit). */
export const SEEN_SECONDS = DAY_SECONDS
/** Longer than a run can take, from the start of its first upload to its manifest: what is younger may still get one. */
export const UNFINISHED_SECONDS = 3 * DAY_SECONDS
/** By how much more a base may be older: archives have three days more than manifests, of which a run of 49 hours takes most. */
const APART_SECONDS_MAX = 22 * 3600
/** How many hours it takes until every host's leftovers in the bucket have been looked for once. */
const SWEEP_HOURS = 7 * 24

/** A host in one class, with what was decided about it. Times are S3's, in seconds. */
export interface SupersedeCase {
  readonly history: ClassHistory
  readonly policy: Pick<ClassPolicy, 'keepAtLeast' | 'expireAfterDays' | 'fullEveryDays'>
  /** Since when no inventory has shown the host. */
  readonly goneSince?: number | undefined
  /** When an operator said that it may be forgotten. */
  readonly forgottenAt?: number | undefined
  /** Absent: what is gone is kept for ever. */
  readonly forgetAfterDays?: number | undefined
  readonly now: number
}

/**
 * Good runs, the newest first, as far as they may stand in for older ones. One that is odd next to those before it is none:
 * what an intruder makes of a host is complete and verified, too. It becomes usual after some nights, and somebody has been
 * told by then. A differential run counts with its bases, or not at all.
 */
export function* findStandIns({ history, now }: SupersedeCase): Generator<RunRecord> {
  const complete = history.runs.filter(({ state }) => state === 'complete')
  for (const [index, run] of complete.entries()) {
    const isWhole = isGood(run) && areBasesVerified(run, history.runs)
    if (isWhole && findSuspicions(complete.slice(index), now).length === 0) yield run
  }
}

/** Whether its objects have been seen to be there lately. */
export function isSeen({ presentAt }: RunRecord, now: number): boolean {
  return presentAt !== undefined && now - presentAt <= SEEN_SECONDS
}

/**
 * Until when the host wrote, where nobody needs any of it: an operator said so, or it has been gone for long enough. Whoever
 * still writes backups is neither, whatever an inventory shows.
 */
export function forgottenUntil(given: SupersedeCase): number | undefined {
  const { history, forgottenAt, goneSince, forgetAfterDays, now } = given
  const newestAt = Math.max(...history.runs.map(({ writtenAt }) => writtenAt))
  if (forgottenAt !== undefined && newestAt <= forgottenAt) return forgottenAt
  if (goneSince === undefined || forgetAfterDays === undefined) return undefined
  const goneAt = Math.max(goneSince, newestAt)
  return now - goneAt >= forgetAfterDays * DAY_SECONDS ? goneAt : undefined
}

/**
 * The time before which everything of the host is dispensable in that class: what S3 has from this second on is kept.
 * `-Infinity` where nothing is.
 */
export function supersededBefore(given: SupersedeCase): number {
  const forgotten = forgottenUntil(given)
  if (forgotten !== undefined) return forgotten + 1
  let standIns = 0
  for (const run of findStandIns(given)) {
    if (isSeen(run, given.now)) standIns++
    if (standIns === given.policy.keepAtLeast) return run.writtenAt
  }
  return -Infinity
}

/**
 * Names of runs that have bases of others, and so stay: as long as one of these does not bear the tag, or is needed again; or is so
 * much younger that the rules would have the base go before its manifest. Of a host that is forgotten nothing is needed.
 */
export function findNeededBases(given: SupersedeCase): ReadonlySet<string> {
  if (forgottenUntil(given) !== undefined) return new Set()
  const { history, policy } = given
  const before = supersededBefore(given)
  const writtenAt = new Map(history.runs.map((run) => [run.run, run.writtenAt]))
  const isWithin = (base: string, at: number) =>
    at - (writtenAt.get(base) ?? at) <= policy.fullEveryDays * DAY_SECONDS + APART_SECONDS_MAX
  return new Set(
    history.runs.flatMap(({ bases = [], superseded, writtenAt: at }) =>
      superseded && at < before ? bases.filter((base) => !isWithin(base, at)) : bases,
    ),
  )
}

/**
 * The runs to tag, the oldest first. One of the same second as the last that is kept is kept. Bases follow, once all
 * that hangs on them bears the tag.
 */
export function planSuperseded(given: SupersedeCase): readonly RunRecord[] {
  const before = supersededBefore(given)
  const bases = findNeededBases(given)
  return given.history.runs
    .filter(({ run, writtenAt, superseded }) => writtenAt < before && !superseded && !bases.has(run))
    .toSorted((a, b) => a.writtenAt - b.writtenAt)
}

/**
 * Runs that are needed, and do not bear the tag as far as is remembered, but are so old that it is looked for: a pass that was killed
 * may have set it, or one of which nothing is remembered any more.
 */
export function findDoubtful(given: SupersedeCase): readonly RunRecord[] {
  const before = supersededBefore(given)
  const bases = findNeededBases(given)
  const since = given.now - (given.policy.expireAfterDays / 2) * DAY_SECONDS
  const isNeeded = ({ run, writtenAt }: RunRecord) => writtenAt >= before || bases.has(run)
  return given.history.runs.filter((run) => !run.superseded && isNeeded(run) && run.writtenAt <= since)
}

/**
 * The runs that bear the tag and are needed again: one that stood in for them has turned out to be no good, or that hangs
 * on them is needed again.
 */
export function planReprieves(given: SupersedeCase): readonly RunRecord[] {
  const before = supersededBefore(given)
  const bases = findNeededBases(given)
  return given.history.runs.filter(
    ({ run, writtenAt, superseded }) => superseded === true && (writtenAt >= before || bases.has(run)),
  )
}

/**
 * Whether all of a run goes as soon as it has the tag, in any order: then the manifest has to be gone before what it names is
 * tagged. S3 carries rules out once a day, so that the last day counts.
 */
export function isOverdue(
  { writtenAt }: RunRecord,
  policy: Pick<ClassPolicy, 'expireAfterDays'>,
  now: number,
): boolean {
  return now - writtenAt >= (policy.expireAfterDays - 1) * DAY_SECONDS
}

/** Whether it is the host's turn, which comes once in `SWEEP_HOURS` hourly passes; hosts are spread over them. */
export function isSwept(host: string, now: number): boolean {
  let hash = 0
  for (const character of host) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003
  return hash % SWEEP_HOURS === Math.floor(now / 3600) % SWEEP_HOURS
}
