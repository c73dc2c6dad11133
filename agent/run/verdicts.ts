/** Reads what verifications of a run found, as far as it counts. */
import { Prefix, type RunKey } from '../contract'
import { asLoss, hasCode } from '../errors'
import { isWithinRun } from './run-time'
import type { ReaderDeps } from '../archive/read.io'
import type { ObjectInfo } from '../context'
import { parseVerdict, type Verdict, type Verdicts } from './verdict'

/** The findings of a verification are few, however many there were. */
const VERDICT_BYTES_MAX = 64 * 1024
/** A host may write as many as it likes, an operator does not. */
const LISTED_MAX = 1000
/** What cannot be read, or is of some of the volumes, proves nothing of the run: then the one before it counts (design limit). */
const TRIED_MAX = 10

/**
 * The latest word of operators, and that of the host itself: of the time of the run alone, since a host that is somebody
 * else's by now has no say about its past. Both are dated by S3's clock.
 *
 * @param runVolumes - those of the run, by their names
 */
export async function readVerdicts(deps: ReaderDeps, runKey: RunKey, runVolumes: readonly string[]): Promise<Verdicts> {
  const parse = (json: string, writtenAt: Date) => parseVerdict(json, writtenAt, runVolumes)
  const operator = await readLatest(deps, Prefix.verdicts, runKey, parse)
  const host = await readLatest(deps, Prefix.verifications, runKey, parse, ({ lastModified }) =>
    isWithinRun(runKey.run, lastModified),
  )
  return { ...(operator && { operator }), ...(host && { host }) }
}

async function readLatest(
  { store, signal }: ReaderDeps,
  prefix: string,
  runKey: RunKey,
  parse: (json: string, writtenAt: Date) => Verdict | undefined,
  counts: (object: ObjectInfo) => boolean = () => true,
): Promise<Verdict | undefined> {
  const found: ObjectInfo[] = []
  try {
    for await (const object of store.list(`${prefix}/${runKey.class}/${runKey.host}/${runKey.run}/`, signal)) {
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
      const verdict = parse(body.toString(), lastModified)
      if (verdict) return verdict
    } catch (error) {
      asLoss(error)
    }
  }
  return undefined
}
