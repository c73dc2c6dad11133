/** Runs that hang on others: a differential run is worth as much as the runs that have its bases. */
import type { RunRecord } from './records'
import { isDamaged, isVerified } from './runs'

/**
 * The same runs; one whose base is known to be damaged says so, and one whose bases are all there again says that. What nothing is
 * known of is left as it was seen.
 */
export function judgeBases(runs: readonly RunRecord[]): readonly RunRecord[] {
  if (!runs.some(({ bases }) => bases)) return runs
  const byName = new Map(runs.map((run) => [run.run, run]))
  return runs.map((run) => {
    if (!run.bases || (run.state !== 'complete' && run.state !== 'base-missing')) return run
    const bases = run.bases.map((base) => byName.get(base))
    const isBad = bases.some((base) => base && isDamaged(base) && !isCleared(run, base))
    if (isBad) return run.state === 'base-missing' ? run : { ...run, state: 'base-missing' }
    const isBack = run.state === 'base-missing' && bases.every((base) => base?.state === 'complete' && !isDamaged(base))
    return isBack ? { ...run, state: 'complete' } : run
  })
}

/** Whoever verified the differential run has read its base: it may be another volume of the base that was found bad before. */
function isCleared({ verdict }: RunRecord, base: RunRecord): boolean {
  if (base.state === 'objects-missing' || !base.verdict || !verdict) return false
  return verdict.ok && verdict.by === 'operator' && verdict.depth !== 'checksum' && verdict.at > base.verdict.at
}

/** Whether more than sizes was confirmed of its bases, too. Of one that has no manifest any more, nothing else is known. */
export function areBasesVerified({ bases = [] }: RunRecord, runs: readonly RunRecord[]): boolean {
  return bases.every((base) => {
    const found = runs.find(({ run }) => run === base)
    return !found || isVerified(found)
  })
}
