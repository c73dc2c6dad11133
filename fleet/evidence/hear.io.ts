/** Reads what was recorded beside runs, as far as it counts. */
import { parseDrillKey, type RunKey } from '../../agent/contract'
import { asLoss, isDataLoss } from '../../agent/errors'
import { parseDrill } from '../../agent/run/drill-record'
import { parseVerdict, type Verdict } from '../../agent/run/verdict'
import type { FleetDeps } from '../vault'
import type { DrillRecord, RunRecord, RunVerdict } from '../model/records'
import type { ListedRecord, ListedRecords } from './records-listed.io'
import { without } from './without'

/** What is recorded of a run. */
export interface RunRecords {
  readonly operator: ListedRecords | undefined
  readonly host: ListedRecords | undefined
}

/** Whether all that was recorded of the run has been read. */
export function isHeard(run: RunRecord, { operator, host }: RunRecords): boolean {
  return run.heardOperator === operator?.checksum && run.heardHost === host?.checksum
}

/**
 * The run with the latest word of operators, or without one that of the host.
 *
 * @param volumes - those of the run, by their names: what has found good only some of them proves nothing
 */
export async function hear(
  deps: FleetDeps,
  run: RunRecord,
  records: RunRecords,
  volumes: readonly string[],
): Promise<RunRecord> {
  const parse = (json: string, { lastModified }: ListedRecord) => parseVerdict(json, lastModified, volumes)
  const operator = await readLatest(deps, records.operator, parse)
  const host = operator.found ? NOTHING : await readLatest(deps, records.host, parse)
  // The word that could not be read may say the contrary: it is asked for again, and nothing is concluded from the others.
  if (operator.isUnsure || host.isUnsure) return run
  const verdict = operator.found ? toVerdict('operator', operator.found) : toVerdict('host', host.found)
  return {
    ...without(run, 'verdict', 'heardOperator', 'heardHost'),
    ...(verdict && { verdict }),
    ...(records.operator && { heardOperator: records.operator.checksum }),
    ...(records.host && { heardHost: records.host.checksum }),
  }
}

function toVerdict(by: RunVerdict['by'], verdict: Verdict | undefined): RunVerdict | undefined {
  const { depth = 'none', ok = false, sizesOnly, at = '' } = verdict ?? {}
  if (depth === 'none') return undefined
  return { by, depth, ok, ...(sizesOnly && { sizesOnly: true }), at: Math.floor(Date.parse(at) / 1000) }
}

/** The newest drill of a host that can be read; the one that is known where none of them can. */
export async function readDrill(
  deps: FleetDeps,
  host: string,
  records: ListedRecords,
  known: DrillRecord | undefined,
): Promise<DrillRecord | undefined> {
  const [newest] = records.newest
  if (known && newest && Math.floor(newest.lastModified.getTime() / 1000) === known.at) return known
  const read = await readLatest(deps, records, (json, { key, lastModified }) => {
    const runKey: RunKey | undefined = parseDrillKey(key)
    return runKey?.host === host ? parseDrill(json, lastModified, runKey) : undefined
  })
  return read.found ? { ...read.found, at: Math.floor(read.found.at) } : known
}

interface Latest<T> {
  readonly found?: T
  /** A newer one may be good: something kept it from being read. */
  readonly isUnsure: boolean
}

const NOTHING = { found: undefined, isUnsure: false } as const

/** One after the other, newest first, until one can be understood. */
async function readLatest<T>(
  { vault, signal, log }: FleetDeps,
  records: ListedRecords | undefined,
  parse: (json: string, record: ListedRecord) => T | undefined,
): Promise<Latest<T>> {
  let isUnsure = false
  for (const record of records?.newest ?? []) {
    const { key, sizeBytes } = record
    try {
      if (sizeBytes === 0) continue
      const found = parse((await vault.store.getRange(key, 0, sizeBytes, signal)).toString(), record)
      if (found) return { found, isUnsure }
    } catch (error) {
      const loss = asLoss(error)
      isUnsure ||= !isDataLoss(loss)
      log.debug(`${key} cannot be read: ${loss.message}`)
    }
  }
  return { isUnsure }
}
