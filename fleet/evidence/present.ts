/** Whether the objects of a run are there: the bucket's own listing is held against the manifest. */
import { catalogKey, dataKey, type RunKey } from '../../agent/contract'
import { findYounger } from '../../agent/run/run-time'
import type { ObjectInfo } from '../../agent/context'
import type { RunRecord } from '../model/records'
import { isGood } from '../model/runs'
import type { StoredVolume } from './summarize'

/** The newest run of each class is looked at again after so long: backups do not vanish by the hour, and lists cost. */
export const LOOK_AGAIN_SECONDS = 24 * 3600

/** Of these runs, objects may be there or not; of others it does not matter. */
export function isWorthLooking({ state }: RunRecord): boolean {
  return state === 'complete' || state === 'objects-missing'
}

/**
 * Runs whose objects are to be looked for: of the newest that would be restored from, those that nobody has looked for yet; once a
 * day the very newest, and the last good one, by which the host is judged.
 *
 * @param runs - newest first
 * @param keepAtLeast - how many have to be there before older ones may expire
 * @param now - in seconds
 */
export function findDue(runs: readonly RunRecord[], keepAtLeast: number, now: number): readonly RunRecord[] {
  const newest = runs.filter(isWorthLooking).slice(0, keepAtLeast)
  const lastGood = runs.find(isGood)
  const needed = lastGood && !newest.includes(lastGood) ? [...newest, lastGood] : newest
  return needed.filter((run, index) => {
    const isSeen = run.state === 'complete' && run.presentAt !== undefined
    if (!isSeen) return true
    return (index === 0 || run === lastGood) && now - (run.presentAt ?? 0) >= LOOK_AGAIN_SECONDS
  })
}

/**
 * The first object that is not as the manifest says; undefined where all are. One that was written after the manifest is none
 * of the run: its host may have put it in the place of one that is gone.
 *
 * @param listed - at least those of the run, by their keys
 */
export function findMissing(
  runKey: RunKey,
  stored: readonly StoredVolume[],
  listed: ReadonlyMap<string, ObjectInfo>,
  writtenAt: Date,
): string | undefined {
  for (const { volume, compression, segmentBytes, catalogBytes } of stored) {
    const expected: (readonly [string, number])[] = [
      ...segmentBytes.map((bytes, index) => [dataKey(runKey, volume, compression, index), bytes] as const),
      [catalogKey(runKey, volume), catalogBytes],
    ]
    for (const [key, bytes] of expected) {
      const object = listed.get(key)
      if (!object) return `${key} is not there`
      if (object.sizeBytes !== bytes) return `${key} has ${object.sizeBytes} bytes instead of ${bytes}`
      const younger = findYounger(key, object.lastModified, writtenAt)
      if (younger !== undefined) return younger
    }
  }
  return undefined
}
