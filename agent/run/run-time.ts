/**
 * When a run was made. Its name is the word of its host, which may lie; when S3 wrote its manifest is the one time that no
 * host can choose. S3 dates a multipart object by the start of its upload, so that an archive is older than its manifest.
 */
import { onPage } from '../pages'
import { AgentError } from '../errors'
import { parseRunTime } from './run-id'
import { RUN_SECONDS_MAX, type RunKey } from '../contract'

/** Hosts' clocks differ, and S3 refuses requests that are further off than 15 minutes. */
const EARLY_SECONDS_MAX = 3600
/** As long as a run can take, and an hour more for the last requests. */
export const LATE_SECONDS_MAX = RUN_SECONDS_MAX + 3600

/** What speaks against the time in a run's name. */
export interface Misdating {
  /** The name is of a time after the writing, which no copy of an object explains: it would be the newest for ever. */
  readonly isFuture: boolean
  readonly what: string
}

/**
 * What speaks against the time in a run's name; undefined where nothing does.
 *
 * @param writtenAt - when its manifest was written, by S3's clock
 */
export function findMisdating(run: string, writtenAt: Date): Misdating | undefined {
  const started = parseRunTime(run)
  if (!started) return { isFuture: true, what: 'its name is not a time' }
  const seconds = (writtenAt.getTime() - started.getTime()) / 1000
  if (Number.isNaN(seconds)) return { isFuture: false, what: 'the server does not say when its manifest was written' }
  if (seconds >= -EARLY_SECONDS_MAX && seconds <= LATE_SECONDS_MAX) return undefined
  const isFuture = seconds < 0
  const what = `its manifest was written at ${toSeconds(writtenAt)}, ${isFuture ? 'before' : 'long after'} the time in its name`
  return { isFuture, what }
}

/** What a host says within its run's own time counts for something; see `findMisdating`. */
export function isWithinRun(run: string, writtenAt: Date): boolean {
  return findMisdating(run, writtenAt) === undefined
}

export const TRUST_TIMES_HINT =
  'Someone may have put it there to pass for an older backup. If the bucket was copied, which gives every object a new time, ' +
  `add --trust-times: see ${onPage('runbook', 'The bucket is a copy')}.`

export function misdated(run: string, { what }: Misdating): AgentError {
  return new AgentError('MISDATED', `run ${run} is not what its name says: ${what}`, {
    hint: TRUST_TIMES_HINT,
  })
}

/**
 * What speaks against an object of a run that is younger than the run's manifest, which is written last. S3's times have
 * whole seconds.
 */
export function findYounger(key: string, lastModified: Date, writtenAt: Date | undefined): string | undefined {
  if (writtenAt === undefined) return undefined
  const isOlder = Math.floor(lastModified.getTime() / 1000) <= Math.floor(writtenAt.getTime() / 1000)
  return isOlder ? undefined : `${key} was written at ${toSeconds(lastModified)}, after its manifest`
}

/** @throws AgentError MISDATED where the object is younger than its manifest */
export function assertNotYounger(key: string, lastModified: Date, writtenAt: Date | undefined): void {
  const what = findYounger(key, lastModified, writtenAt)
  if (what !== undefined) throw new AgentError('MISDATED', what, { hint: TRUST_TIMES_HINT })
}

function toSeconds(time: Date): string {
  return Number.isNaN(time.getTime()) ? 'a time that the server does not say' : `${time.toISOString().slice(0, 19)}Z`
}

/** A run that the bucket has. */
export interface FoundRun extends RunKey {
  /** Its manifest was deleted, and is found only where that is asked for. */
  readonly deleted?: true
  /** Why it is not taken for what its name says. */
  readonly misdating?: Misdating
}
