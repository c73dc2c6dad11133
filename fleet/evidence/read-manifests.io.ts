/** Reads manifests, hundreds at a time. */
import { manifestKey, type RunKey } from '../../agent/contract'
import { asLoss, hasCode, isDataLoss } from '../../agent/errors'
import { createPool, type Pool } from '../../agent/lib/pool'
import type { FleetDeps } from '../vault'
import { isMisdated, MANIFEST_BYTES_MAX, type ListedRun } from './listed'
import { openParser, type Parsed, type Parser } from './parser.io'
import type { Summary, Wanted } from './summarize'
import type { RunRecord } from '../model/records'

/** What is larger takes its turn: a few such at a time, so that memory is bounded whatever hosts write. */
const SMALL_BYTES = 512 * 1024
const LARGE_AT_A_TIME = 2
/** With the 20 to 30 ms that S3 takes for a small object, this many bring 4,000 a second. */
const READS_IN_FLIGHT = 128

/** A run, and what its manifest said besides. */
export interface ReadRun extends Omit<Summary, 'record'> {
  readonly record: RunRecord
}

export interface ManifestReader extends AsyncDisposable {
  /**
   * @returns undefined where the manifest has gone meanwhile
   * @throws AgentError for what keeps everything from being read
   */
  read(place: Pick<RunKey, 'class' | 'host'>, listed: ListedRun, wanted: Wanted): Promise<ReadRun | undefined>
}

/** @param manifests - how many there will be */
export async function openReader(deps: FleetDeps, manifests: number): Promise<ManifestReader> {
  const parser = await openParser(manifests, deps.log)
  const turns = {
    small: createPool(READS_IN_FLIGHT, () => ({}), deps.signal),
    large: createPool(LARGE_AT_A_TIME, () => ({}), deps.signal),
  }
  return {
    async read({ class: className, host }, listed, wanted) {
      const runKey = { class: className, host, run: listed.run }
      const parsed = await readOne(deps, { parser, turns }, runKey, listed, wanted)
      return parsed && toRecord(listed, parsed)
    },
    [Symbol.asyncDispose]: () => parser[Symbol.asyncDispose](),
  }
}

interface Parsing {
  readonly parser: Parser
  readonly turns: Readonly<Record<'small' | 'large', Pool<object>>>
}

/** Undefined where it is gone. */
async function readOne(
  deps: FleetDeps,
  { parser, turns }: Parsing,
  runKey: RunKey,
  { sizeBytes }: ListedRun,
  wanted: Wanted,
): Promise<Parsed | undefined> {
  if (sizeBytes === 0 || sizeBytes > MANIFEST_BYTES_MAX) return { state: 'unreadable', problem: 'its size' }
  const { store } = deps.vault
  const attempt = async (freshConnection: boolean): Promise<Parsed> => {
    const options = { ...(freshConnection && { freshConnection }) }
    const body = await store.getRange(manifestKey(runKey), 0, sizeBytes, deps.signal, options)
    return parser.parse(body, runKey, wanted)
  }
  const pool = sizeBytes > SMALL_BYTES ? turns.large : turns.small
  const turn = await pool.take()
  try {
    const first = await attempt(false)
    // A byte may have changed on its way: what is not right is asked for once more, over another connection.
    return 'problem' in first && first.state === 'unreadable' ? await attempt(true) : first
  } catch (error) {
    if (hasCode(error, 'OBJECT_MISSING')) return undefined
    const loss = asLoss(error)
    deps.log.debug(`${manifestKey(runKey)} cannot be read: ${loss.message}`)
    return { state: 'unreadable', problem: loss.message, ...(!isDataLoss(loss) && { unread: true }) }
  } finally {
    pool.give(turn)
  }
}

const NOTHING: Omit<Summary['record'], 'state'> = {
  ...{ verified: 'none', volumes: 0, objects: 0, entries: 0 },
  ...{ rawBytes: 0, storedBytes: 0, catalogBytes: 0, seconds: 0 },
}

/** What counts of a run whose manifest S3 has from another time is that it is there, and what it takes. */
function toRecord(listed: ListedRun, parsed: Parsed): ReadRun {
  const { run, writtenAt } = listed
  if ('problem' in parsed) {
    const { state, unread } = parsed
    return { record: { run, writtenAt, state, ...NOTHING, ...(unread && { unread }) } }
  }
  const { record, ...more } = parsed
  return { ...more, record: { run, writtenAt, ...record, ...(isMisdated(listed) && { state: 'misdated' }) } }
}
