/** What listings show: which runs there are, and what was said of them. No object is read for it. */
import { HOST_PATTERN, parseManifestKey, Prefix, RUN_PATTERN, type RunKey } from '../../agent/contract'
import { findMisdating } from '../../agent/run/run-time'
import type { ObjectInfo } from '../../agent/context'
import type { RunRecord } from '../model/records'

/** A manifest, as the listing has it. */
export interface ListedRun {
  readonly run: string
  /** By S3's clock, in seconds; 0 where the server does not say. */
  readonly writtenAt: number
  readonly sizeBytes: number
}

/** The runs of a host in a class. */
export interface ListedClass {
  readonly host: string
  readonly class: string
  readonly runs: ListedRun[]
}

const HOST = new RegExp(HOST_PATTERN)
const RUN = new RegExp(RUN_PATTERN)
const EXTENSION = '.json'

/** Of a host and class, whatever it writes: the newest, and more of them than are ever read. */
const REMEMBERED_MAX = 20_000

/** Gathers manifests by host and class. Whatever is none is passed over: anybody may have put it there. */
export function manifestCollector() {
  const found = new Map<string, ListedClass>()
  /** @returns what takes objects of one range, in which those of a host follow each other */
  const begin = () => {
    let place = ''
    let current: ListedClass | undefined
    return ({ key, sizeBytes, lastModified }: ObjectInfo): void => {
      const slash = key.lastIndexOf('/') + 1
      const run = key.slice(slash, -EXTENSION.length)
      // First of all: what is no manifest must not decide whose place it is, or it would hide those that follow it there.
      if (!key.endsWith(EXTENSION) || !RUN.test(run)) return
      if (place.length !== slash || !key.startsWith(place)) {
        place = copyOf(key.slice(0, slash))
        current = enter(found, key, place)
      }
      if (!current) return
      const seconds = Math.floor(lastModified.getTime() / 1000)
      current.runs.push({ run: copyOf(run), writtenAt: Number.isNaN(seconds) ? 0 : seconds, sizeBytes })
      if (current.runs.length >= 2 * REMEMBERED_MAX) {
        current.runs.sort((a, b) => b.writtenAt - a.writtenAt).length = REMEMBERED_MAX
      }
    }
  }
  return { found: found as ReadonlyMap<string, ListedClass>, begin }
}

function enter(found: Map<string, ListedClass>, key: string, place: string): ListedClass | undefined {
  const runKey = parseManifestKey(key)
  if (!runKey || !HOST.test(runKey.host)) return undefined
  const known = found.get(place)
  if (known) return known
  const listed = { host: copyOf(runKey.host), class: copyOf(runKey.class), runs: [] }
  found.set(place, listed)
  return listed
}

/** A piece of a text keeps the whole of it in memory, which here is a page of a thousand keys. */
function copyOf(text: string): string {
  return Buffer.from(text).toString()
}

/** Where the manifests of a host and class lie. */
export function placeOf({ class: className, host }: Pick<RunKey, 'class' | 'host'>): string {
  return `${Prefix.manifests}/${className}/${host}/`
}

/** More than any retention keeps: whoever may write runs may write any number of them. */
const RUNS_MAX = 5000
/** Each is a sign that something is wrong; a hundred of them say no more. */
const MISDATED_MAX = 100
/** As the agent has it: nothing larger is read as a manifest. */
export const MANIFEST_BYTES_MAX = 16 * 1024 ** 2
/** What a host's manifests of one class may take in one pass; the rest waits for the next. Thousands of volumes have 5 MiB. */
const READ_BYTES_MAX = 64 * 1024 ** 2
/** Manifests that are none may have been misread; what cannot be read may be some time. Of both, the newest are asked for again. */
const RETRIED_MAX = { unreadable: 3, unread: 50 }

/** What a listing comes to for a host and class. */
export interface Comparison {
  /** As they are known. */
  readonly kept: readonly RunRecord[]
  /** To be read, newest first. */
  readonly fresh: readonly ListedRun[]
  /** How many are left out: too many, or too large. */
  readonly leftOut: number
}

/**
 * What is new. A manifest that S3 has from another time than it had is another one.
 *
 * @param readerChanged - whether what has been read before was read by another version of the program
 */
export function compareRuns(
  known: readonly RunRecord[],
  listed: readonly ListedRun[],
  readerChanged: boolean,
): Comparison {
  const records = new Map(known.map((record) => [record.run, record]))
  const chosen = chooseRuns(listed)
  const kept: RunRecord[] = []
  const fresh: ListedRun[] = []
  let bytes = 0
  let doubtful = 0
  for (const run of chosen) {
    const record = records.get(run.run)
    const isSame = record?.writtenAt === run.writtenAt
    const isRetried = isSame && isWorthAnotherLook(record, readerChanged, doubtful)
    if (record && (record.unread || record.state === 'unreadable')) doubtful++
    // What is too large for a manifest is none, unread: it takes nothing from the others.
    const readBytes = run.sizeBytes > MANIFEST_BYTES_MAX ? 0 : run.sizeBytes
    if (isSame && !isRetried) kept.push(record)
    else if ((bytes += readBytes) <= READ_BYTES_MAX) fresh.push(run)
    else if (record) kept.push(record)
  }
  return { kept, fresh, leftOut: listed.length - kept.length - fresh.length }
}

function isWorthAnotherLook({ state, unread }: RunRecord, readerChanged: boolean, before: number): boolean {
  if (unread) return before < RETRIED_MAX.unread
  if (state === 'unreadable') return before < RETRIED_MAX.unreadable
  return state === 'unsupported' && readerChanged
}

/** Newest first by S3's clock; of those that are not of the time in their names, the few that fit behind the others. */
function chooseRuns(listed: readonly ListedRun[]): readonly ListedRun[] {
  const sorted = listed.toSorted((a, b) => b.writtenAt - a.writtenAt || (a.run < b.run ? 1 : -1))
  if (sorted.length <= MISDATED_MAX) return sorted
  const misdated = new Set(sorted.filter(isMisdated))
  const good = sorted.filter((run) => !misdated.has(run)).slice(0, RUNS_MAX)
  const few = new Set([...good, ...[...misdated].slice(0, MISDATED_MAX)])
  return sorted.filter((run) => few.has(run))
}

/** Whether S3 has it from another time than its name says. */
export function isMisdated({ run, writtenAt }: Pick<ListedRun, 'run' | 'writtenAt'>): boolean {
  return findMisdating(run, new Date(writtenAt === 0 ? NaN : writtenAt * 1000)) !== undefined
}
