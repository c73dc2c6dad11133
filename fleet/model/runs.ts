/** What a run counts for. */
import type { RunRecord } from './records'

/** Somebody looked, and it does not read back; or what it is made of, or hangs on, is not there. */
export function isDamaged({ state, verdict }: RunRecord): boolean {
  return state === 'objects-missing' || state === 'base-missing' || verdict?.ok === false
}

/** More than sizes was confirmed: by S3 as it was stored, or by whoever read it later. */
export function isVerified(run: RunRecord): boolean {
  if (isDamaged(run)) return false
  if (run.verdict?.ok && !run.verdict.sizesOnly) return true
  return run.verified !== 'none' && !run.sizesOnly
}

/** The whole host comes back from it. */
export function isGood(run: RunRecord): boolean {
  return run.state === 'complete' && isVerified(run)
}
