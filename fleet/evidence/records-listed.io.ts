/** What was recorded beside runs, as listings have it: operators' and hosts' verifications, and drills. */
import { crc32 } from 'node:zlib'
import {
  CLASS_PATTERN,
  HOST_PATTERN,
  parseDrillKey,
  Prefix,
  RUN_PATTERN,
  withoutAnchors,
  type RunKey,
} from '../../agent/contract'
import type { ObjectInfo } from '../../agent/context'
import type { Take } from './list-all.io'

/** A record that may be read. */
export interface ListedRecord {
  readonly key: string
  readonly sizeBytes: number
  readonly lastModified: Date
}

/** What there is of a run, or of a host. */
export interface ListedRecords {
  /** Of all their names and times: another one says that there are others. Nobody overwrites an object here. */
  checksum: number
  /** The newest ones, newest first. */
  newest: ListedRecord[]
}

/** Of more, the newest prove nothing, and the older ones less (design limit, as that of the agent). */
const TRIED_MAX = 10
/** The findings of a verification are few, however many there were; likewise those of a drill. */
export const RECORD_BYTES_MAX = 64 * 1024

/** Of a host and class: twice as many as are kept of runs. Whoever may write here may make up any number of them. */
const RUNS_MAX = 10_000
const PLACE = new RegExp(
  `^(?<host>${withoutAnchors(CLASS_PATTERN)}/${withoutAnchors(HOST_PATTERN)})/(?<run>${withoutAnchors(RUN_PATTERN)})$`,
)

/**
 * Gathers verifications by run: `class/host/run`.
 *
 * @param counts - whether what was written then counts for the run
 */
export function verdictCollector(
  prefix: typeof Prefix.verdicts | typeof Prefix.verifications,
  counts: (run: string, object: ObjectInfo) => boolean = () => true,
) {
  const found = new Map<string, ListedRecords>()
  const runsByHost = new Map<string, number>()
  const begin = (): Take => (object) => {
    const place = object.key.slice(prefix.length + 1, object.key.lastIndexOf('/'))
    const { host, run = '' } = PLACE.exec(place)?.groups ?? {}
    if (host === undefined || object.sizeBytes > RECORD_BYTES_MAX || !counts(run, object)) return
    if (!found.has(place)) {
      const runs = runsByHost.get(host) ?? 0
      if (runs === RUNS_MAX) return
      runsByHost.set(Buffer.from(host).toString(), runs + 1)
    }
    enter(found, place, object)
  }
  return { found: found as ReadonlyMap<string, ListedRecords>, begin }
}

/** Gathers drills by host. */
export function drillCollector() {
  const found = new Map<string, ListedRecords>()
  const begin = (): Take => (object) => {
    const runKey = parseDrillKey(object.key)
    if (runKey && object.sizeBytes <= RECORD_BYTES_MAX) enter(found, runKey.host, object)
  }
  return { found: found as ReadonlyMap<string, ListedRecords>, begin }
}

function enter(found: Map<string, ListedRecords>, place: string, object: ObjectInfo): void {
  // Copied: a piece of a text keeps the whole page of the listing in memory.
  const key = Buffer.from(object.key).toString()
  const { sizeBytes, lastModified } = object
  const id = Buffer.from(place).toString()
  const records = found.get(id) ?? { checksum: 0, newest: [] }
  records.checksum = crc32(`${key} ${lastModified.getTime()} ${sizeBytes}\n`, records.checksum)
  const { newest } = records
  newest.push({ key, sizeBytes, lastModified })
  newest.sort((a, b) => b.lastModified.getTime() - a.lastModified.getTime())
  if (newest.length > TRIED_MAX) newest.pop()
  found.set(id, records)
}

export function idOf({ class: className, host, run }: RunKey): string {
  return `${className}/${host}/${run}`
}
