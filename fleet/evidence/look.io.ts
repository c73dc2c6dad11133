/** Looks whether the objects of a host's newest runs are there. */
import { Prefix, type RunKey } from '../../agent/contract'
import type { ObjectInfo } from '../../agent/context'
import type { FleetDeps } from '../vault'
import type { RunRecord, RunState } from '../model/records'
import { findDue, findMissing, findMissingBase } from './present'
import type { StoredVolume } from './summarize'
import { without } from './without'

/** Of a host and class that has lost many runs: the rest is looked for in the next pass. */
const ROUNDS_MAX = 3

/** Many times those of the largest runs: a host may put any number of objects beside its own, and what is not seen is missing. */
const LISTED_MAX = 100_000

export interface LookOptions {
  readonly keepAtLeast: number
  /** In seconds. */
  readonly now: number
  /** What the manifest of a run says of its objects; undefined where it has gone, or cannot be read any more. */
  readonly storedOf: (run: RunRecord) => Promise<readonly StoredVolume[] | undefined>
}

/**
 * @param runs - newest first
 * @returns the same runs, those that were looked for with what was seen
 */
export async function lookForObjects(
  deps: FleetDeps,
  place: Pick<RunKey, 'class' | 'host'>,
  runs: readonly RunRecord[],
  { keepAtLeast, now, storedOf }: LookOptions,
): Promise<readonly RunRecord[]> {
  let seen = runs
  const looked = new Set<string>()
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const missing = seen.filter(({ run, state }) => looked.has(run) && state !== 'complete').length
    const due = findDue(seen, keepAtLeast + missing, now).filter(({ run }) => !looked.has(run))
    if (due.length === 0) break
    const listed = await listObjects(deps, place, due)
    const changed = new Map<string, RunRecord>()
    for (const run of due) {
      looked.add(run.run)
      const stored = await storedOf(run)
      if (!stored) continue
      const given = [{ ...place, run: run.run }, stored, listed, new Date(run.writtenAt * 1000)] as const
      const own = findMissing(...given)
      const base = findMissingBase(...given)
      const what = own ?? base?.what
      if (what !== undefined) deps.log.debug(`run ${run.run} of ${place.host}: ${what}`)
      const state = own !== undefined ? 'objects-missing' : base ? 'base-missing' : 'complete'
      changed.set(run.run, withSight(run, state, now))
      // The other runs that hang on it are told by its own record.
      const lost = base && seen.find((each) => each.run === base.run && each.state === 'complete')
      if (lost) changed.set(lost.run, withSight(lost, 'objects-missing', now))
    }
    seen = seen.map((run) => changed.get(run.run) ?? run)
  }
  return seen
}

function withSight(run: RunRecord, state: RunState, now: number): RunRecord {
  return { ...without(run, 'presentAt'), state, ...(state === 'complete' && { presentAt: now }) }
}

/** Those of the runs and of their bases, and what lies between them: one request for each kind where the runs are the newest ones. */
async function listObjects(
  { vault, signal, log }: FleetDeps,
  { class: className, host }: Pick<RunKey, 'class' | 'host'>,
  runs: readonly RunRecord[],
): Promise<ReadonlyMap<string, ObjectInfo>> {
  const names = runs.flatMap(({ run, bases = [] }) => [run, ...bases]).sort()
  const [first = '', last = ''] = [names[0], names.at(-1)]
  const wanted = new Set(names)
  const listed = new Map<string, ObjectInfo>()
  const list = async (kind: string) => {
    const prefix = `${kind}/${className}/${host}/`
    // Not the run's whole name: where "folders" are real, as with SeaweedFS, all that is in one comes with it, and not after it.
    const startAfter = `${prefix}${first.slice(0, -1)}`
    let count = 0
    for await (const object of vault.store.list(prefix, signal, { startAfter })) {
      if (++count > LISTED_MAX) {
        log.warn(`below ${prefix} are too many objects to be looked at: find out who wrote them`)
        return
      }
      const run = object.key.slice(prefix.length, object.key.indexOf('/', prefix.length))
      if (run > last) return
      if (wanted.has(run)) listed.set(object.key, object)
    }
  }
  await Promise.all([list(Prefix.data), list(Prefix.catalogs)])
  return listed
}
