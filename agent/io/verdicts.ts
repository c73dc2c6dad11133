/** Reads what verifications of a run found, as far as it counts. */
import { Prefix, type RunPlace } from '../contract'
import { asLoss, hasCode } from '../errors'
import { parseVerdict, type Verdict, type Verdicts } from '../plan/run-list'
import { isWithinRun } from '../plan/run-time'
import type { ReaderDeps } from './reader'
import type { ObjectInfo } from './store'

/** The findings of a verification are few, however many there were. */
const VERDICT_BYTES_MAX = 64 * 1024
/** A host may write as many as it likes, an operator does not. */
const LISTED_MAX = 1000
/** What cannot be read proves nothing: then the one before it counts. */
const TRIED_MAX = 3

/**
 * The latest word of operators, and that of the host itself: of the time of the run alone, since a host that is somebody
 * else's by now has no say about its past. Both are dated by S3's clock.
 */
export async function readVerdicts(deps: ReaderDeps, place: RunPlace): Promise<Verdicts> {
  const operator = await readLatest(deps, Prefix.verdicts, place, () => true)
  const host = await readLatest(deps, Prefix.verifications, place, ({ lastModified }) =>
    isWithinRun(place.run, lastModified),
  )
  return { ...(operator && { operator }), ...(host && { host }) }
}

async function readLatest(
  { store, signal }: ReaderDeps,
  prefix: string,
  place: RunPlace,
  counts: (object: ObjectInfo) => boolean,
): Promise<Verdict | undefined> {
  const found: ObjectInfo[] = []
  try {
    for await (const object of store.list(`${prefix}/${place.class}/${place.host}/${place.run}/`, signal)) {
      if (object.sizeBytes <= VERDICT_BYTES_MAX && counts(object)) found.push(object)
      if (found.length === LISTED_MAX) break
    }
  } catch (error) {
    if (!hasCode(error, 'ACCESS_DENIED')) throw error
  }
  found.sort((a, b) => b.lastModified.getTime() - a.lastModified.getTime())
  for (const { key } of found.slice(0, TRIED_MAX)) {
    try {
      const { body, lastModified } = await store.get(key, VERDICT_BYTES_MAX, signal)
      const verdict = parseVerdict(body.toString(), lastModified)
      if (verdict) return verdict
    } catch (error) {
      asLoss(error)
    }
  }
  return undefined
}
