/** Whether the objects of a run are there: the bucket's own listing is held against the manifest. */
import { catalogKey, dataKey, removedKey, type RunKey } from '../../agent/contract'
import { findYounger } from '../../agent/run/run-time'
import type { ObjectInfo } from '../../agent/context'
import type { RunRecord } from '../model/records'
import { isGood } from '../model/runs'
import type { StoredVolume } from './summarize'

/** The newest run of each class is looked at again after so long: backups do not vanish by the hour, and lists cost. */
export const LOOK_AGAIN_SECONDS = 24 * 3600

/** Of these runs, objects may be there or not; of others it does not matter. */
export function isWorthLooking({ state }: RunRecord): boolean {
  return state === 'complete' || state === 'objects-missing' || state === 'base-missing'
}

/**
 * Runs whose objects are to be looked for: of the newest that would be restored from, those that nobody has looked for yet; once a
 * day the very newest, and the last good one, by which the host is judged; and every one whose base has no manifest any more although
 * it is needed: that shows that somebody has deleted the base. Whether lost bases have come back is looked up with those that need them.
 *
 * @param runs - newest first
 * @param keepAtLeast - how many have to be there before older ones may expire
 * @param now - in seconds
 */
export function findDue(runs: readonly RunRecord[], keepAtLeast: number, now: number): readonly RunRecord[] {
  const newest = runs.filter(isWorthLooking).slice(0, keepAtLeast)
  const lastGood = runs.find(isGood)
  const needed = [...newest, ...(lastGood && !newest.includes(lastGood) ? [lastGood] : [])]
  const due = needed.filter((run, index) => {
    const isSeen = run.state === 'complete' && run.presentAt !== undefined
    if (!isSeen) return true
    return (index === 0 || run === lastGood) && isLongAgo(run, now)
  })
  const doubtful = findBaseless(runs).filter((run) => isLongAgo(run, now) && !due.includes(run))
  const bases = new Set(needed.flatMap((run) => run.bases ?? []))
  const lost = runs.filter((run) => run.state === 'objects-missing' && bases.has(run.run) && !due.includes(run))
  return [...due, ...doubtful, ...lost]
}

function isLongAgo({ presentAt = 0 }: RunRecord, now: number): boolean {
  return now - presentAt >= LOOK_AGAIN_SECONDS
}

/** Of what bears the tag, the manifest of the base goes first, and what it names last. */
function findBaseless(runs: readonly RunRecord[]): readonly RunRecord[] {
  const names = new Set(runs.map(({ run }) => run))
  return runs.filter(
    ({ state, superseded, bases }) => state === 'complete' && !superseded && bases?.some((base) => !names.has(base)),
  )
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
  const expected = stored.flatMap(({ removedBytes, ...volume }): Expected[] => [
    ...expectedOf(runKey, volume),
    ...(removedBytes === undefined ? [] : [[removedKey(runKey, volume.volume), removedBytes] as const]),
  ])
  return findOther(expected, listed, writtenAt)
}

/**
 * Likewise of what its differential archives are to be read with. None of it is younger than the run.
 *
 * @returns the run that has the base, and what is not as it was
 */
export function findMissingBase(
  runKey: RunKey,
  stored: readonly StoredVolume[],
  listed: ReadonlyMap<string, ObjectInfo>,
  writtenAt: Date,
): { readonly run: string; readonly what: string } | undefined {
  for (const { volume, compression, base } of stored) {
    if (!base) continue
    const expected = expectedOf({ ...runKey, run: base.run }, { volume, compression, ...base })
    const what = findOther(expected, listed, writtenAt)
    if (what !== undefined) return { run: base.run, what }
  }
  return undefined
}

type Expected = readonly [key: string, bytes: number]

function expectedOf(
  runKey: RunKey,
  { volume, compression, segmentBytes, catalogBytes }: Omit<StoredVolume, 'removedBytes' | 'base'>,
): Expected[] {
  return [
    ...segmentBytes.map((bytes, index) => [dataKey(runKey, volume, compression, index), bytes] as const),
    [catalogKey(runKey, volume), catalogBytes],
  ]
}

function findOther(
  expected: readonly Expected[],
  listed: ReadonlyMap<string, ObjectInfo>,
  writtenAt: Date,
): string | undefined {
  for (const [key, bytes] of expected) {
    const object = listed.get(key)
    if (!object) return `${key} is not there`
    if (object.sizeBytes !== bytes) return `${key} has ${object.sizeBytes} bytes instead of ${bytes}`
    const younger = findYounger(key, object.lastModified, writtenAt)
    if (younger !== undefined) return younger
  }
  return undefined
}
