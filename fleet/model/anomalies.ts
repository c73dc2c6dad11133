/** What is odd about the newest run of a host, held against those before it. */
import { counted, formatBytes } from '../../agent/lib/text'
import type { RunRecord } from './records'

/** How many runs, each of another time, the newest is compared with, and how few say nothing yet (design limits). */
const COMPARED_MAX = 10
const COMPARED_MIN = 5
/** Where differential runs lie between the full ones, there are fewer of these, each days apart (design limit). */
const FULL_MIN = 3
/** Less than two nights are, and more than an intruder has before an hourly pass (design limit). */
const APART_SECONDS = 12 * 3600
/** Of what is smaller, nothing is odd: a few files more or less (design limits). */
const BYTES_MIN = 64 * 1024 ** 2
const ENTRIES_MIN = 1000
/** A host loses half of its files, or gets three times as many, seldom by itself (design limits). */
const SHRUNK = 0.5
const GROWN = 3
/** Of what a full run stores, a differential one stores less: the agent makes a full one by then (design limit). */
const DIFFERENTIAL = 0.75
/** What is encrypted does not compress. As a share of the uncompressed size (design limit). */
const RATIO_RISE = 0.25
/** More than half of all files modified within a day, where a tenth is usual (design limits). */
const CHANGED = 0.5
const USUALLY_CHANGED = 0.1
/** How long somebody has to see that a run is dated out of its time. */
const MISDATED_SECONDS = 7 * 86400

/**
 * One line for each thing that is odd; none where all is as usual, or where there is too little to compare with.
 *
 * @param runs - of one class, newest first
 * @param now - S3's clock, in seconds
 */
export function findSuspicions(runs: readonly RunRecord[], now: number): readonly string[] {
  const complete = runs.filter(({ state }) => state === 'complete')
  const [newest, ...others] = complete
  const compared = newest ? compareLikes(newest, others) : []
  const misdated = runs.filter(({ state, writtenAt }) => state === 'misdated' && now - writtenAt < MISDATED_SECONDS)
  const [first] = misdated
  if (!first) return compared
  const more = misdated.length > 1 ? ` (and ${counted(misdated.length - 1, 'more run')})` : ''
  return [...compared, `run ${first.run} was not written at the time in its name${more}`]
}

/** What a differential run holds depends on the age of its base: it is held against what full ones store. */
function compareLikes(newest: RunRecord, others: readonly RunRecord[]): string[] {
  const full = chooseEarlier(
    newest,
    others.filter(({ bases }) => !bases),
  )
  if (newest.bases) return full.length === 0 ? [] : compareDifferential(newest, full)
  const least = others.some(({ bases }) => bases) ? FULL_MIN : COMPARED_MIN
  return full.length >= least ? compare(newest, full, least) : []
}

function compareDifferential({ storedBytes }: RunRecord, full: readonly RunRecord[]): string[] {
  const bytes = median(full.map((run) => run.storedBytes))
  if (storedBytes < BYTES_MIN || storedBytes <= bytes * DIFFERENTIAL) return []
  return [`stores ${formatBytes(storedBytes)} of changes, and full runs store ${formatBytes(bytes)}`]
}

/** Runs by the dozen within an hour are one: whoever may write them would make anything usual before anybody has looked. */
function chooseEarlier(newest: RunRecord, others: readonly RunRecord[]): readonly RunRecord[] {
  const chosen: RunRecord[] = []
  let before = newest.writtenAt - APART_SECONDS
  for (const run of others) {
    if (chosen.length === COMPARED_MAX) break
    if (run.writtenAt > before) continue
    chosen.push(run)
    before = run.writtenAt - APART_SECONDS
  }
  return chosen
}

function compare(newest: RunRecord, earlier: readonly RunRecord[], least: number): string[] {
  const found: string[] = []
  const usual = (of: (run: RunRecord) => number) => median(earlier.map(of))

  const bytes = usual(({ storedBytes }) => storedBytes)
  if (isFarFrom(newest.storedBytes, bytes, BYTES_MIN)) {
    found.push(`stores ${formatBytes(newest.storedBytes)}, usually ${formatBytes(bytes)}`)
  }
  const entries = usual((run) => run.entries)
  if (isFarFrom(newest.entries, entries, ENTRIES_MIN)) {
    found.push(`has ${counted(newest.entries, 'entry', 'entries')}, usually ${entries}`)
  }
  const ratio = usual(ratioOf)
  if (newest.rawBytes >= BYTES_MIN && ratioOf(newest) - ratio > RATIO_RISE) {
    found.push(
      `compresses to ${percent(ratioOf(newest))} of its size, usually to ${percent(ratio)}: encrypted files do not compress`,
    )
  }
  const known = earlier.flatMap((run) => changedShare(run) ?? [])
  const changed = changedShare(newest)
  if (changed !== undefined && changed > CHANGED && known.length >= least && median(known) < USUALLY_CHANGED) {
    found.push(`${percent(changed)} of its entries were modified within a day, usually ${percent(median(known))}`)
  }
  return found
}

function isFarFrom(value: number, usual: number, least: number): boolean {
  if (Math.max(value, usual) < least) return false
  return value < usual * SHRUNK || value > usual * GROWN
}

function ratioOf({ storedBytes, rawBytes }: RunRecord): number {
  return rawBytes === 0 ? 0 : storedBytes / rawBytes
}

function changedShare({ recentEntries, entries }: RunRecord): number | undefined {
  return recentEntries === undefined || entries < ENTRIES_MIN ? undefined : recentEntries / entries
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

/** @param values - at least one */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}
