/** Runs in the state: there are hundreds of thousands, so each is a list of values, without names. */
import { DEPTHS, RUN_PATTERN } from '../../agent/contract'
import type { RunRecord, RunState, RunVerdict } from '../model/records'

/** Their places are what is written: new ones come at the end. */
const STATES: readonly RunState[] = [
  'complete',
  'incomplete',
  'misdated',
  'unreadable',
  'unsupported',
  'objects-missing',
  'base-missing',
]
const SPEAKERS: readonly RunVerdict['by'][] = ['operator', 'host']
const RUN = new RegExp(RUN_PATTERN)
const FLAG = { sizesOnly: 1, superseded: 2, unread: 4 } as const
/** In the place of what a run does not have. */
const NONE = -1
const FIELDS = 16
/** Behind them: the verdict, and the runs that have the bases. */
const FIELDS_MAX = FIELDS + 2

export function formatRun(run: RunRecord): readonly unknown[] {
  const { verdict } = run
  const { operator, host } = { operator: run.heardOperator, host: run.heardHost }
  return [
    run.run,
    run.writtenAt,
    STATES.indexOf(run.state),
    DEPTHS.indexOf(run.verified),
    (run.sizesOnly ? FLAG.sizesOnly : 0) | (run.superseded ? FLAG.superseded : 0) | (run.unread ? FLAG.unread : 0),
    run.volumes,
    run.objects,
    run.entries,
    run.rawBytes,
    run.storedBytes,
    run.catalogBytes,
    run.seconds,
    run.recentEntries ?? NONE,
    run.presentAt ?? NONE,
    operator ?? NONE,
    host ?? NONE,
    ...(verdict ? [formatVerdict(verdict)] : run.bases ? [NONE] : []),
    ...(run.bases ? [run.bases] : []),
  ]
}

function formatVerdict({ by, depth, ok, at: saidAt, sizesOnly }: RunVerdict): readonly number[] {
  return [SPEAKERS.indexOf(by), DEPTHS.indexOf(depth), Number(ok), saidAt, Number(sizesOnly ?? false)]
}

/** @throws Error where one is none */
export function parseRuns(values: readonly unknown[]): readonly RunRecord[] {
  return values.map(parseRun)
}

function parseRun(value: unknown): RunRecord {
  if (!Array.isArray(value) || value.length < FIELDS || value.length > FIELDS_MAX) throw new Error('a run is none')
  const run: unknown = value[0]
  if (typeof run !== 'string' || !RUN.test(run)) throw new Error('a run has no name')
  for (let field = 1; field < FIELDS; field++) {
    if (!isNumber(value[field])) throw new Error(`run ${run} has what is no number`)
  }
  const numbers = value as number[]
  const numberAt = (field: number): number => numbers[field] ?? NONE
  const flags = numberAt(4)
  const [recentEntries, presentAt, heardOperator, heardHost] = [12, 13, 14, 15].map(numberAt) as [
    ...[number, number, number, number],
  ]
  const verdict = value.length > FIELDS && value[FIELDS] !== NONE ? parseVerdict(value[FIELDS]) : undefined
  // In one piece, and what few runs have behind it: spread together, a record takes twice the memory.
  const record: Writable<RunRecord> = {
    run,
    writtenAt: numberAt(1),
    state: at(STATES, numberAt(2)),
    verified: at(DEPTHS, numberAt(3)),
    volumes: numberAt(5),
    objects: numberAt(6),
    entries: numberAt(7),
    rawBytes: numberAt(8),
    storedBytes: numberAt(9),
    catalogBytes: numberAt(10),
    seconds: numberAt(11),
  }
  if (presentAt !== NONE) record.presentAt = presentAt
  if (recentEntries !== NONE) record.recentEntries = recentEntries
  if (heardOperator !== NONE) record.heardOperator = heardOperator
  if (heardHost !== NONE) record.heardHost = heardHost
  if (verdict) record.verdict = verdict
  if (value.length === FIELDS_MAX) record.bases = parseBases(value[FIELDS + 1])
  if (flags & FLAG.sizesOnly) record.sizesOnly = true
  if (flags & FLAG.superseded) record.superseded = true
  if (flags & FLAG.unread) record.unread = true
  return record
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

function parseVerdict(value: unknown): RunVerdict {
  if (!Array.isArray(value) || value.length !== 5 || !value.every(isNumber)) throw new Error('a verdict is none')
  const [by = NONE, depth = NONE, ok, writtenAt = 0, sizesOnly] = value
  const deep = at(DEPTHS, depth)
  if (deep === 'none') throw new Error('a verdict has no depth')
  return { by: at(SPEAKERS, by), depth: deep, ok: ok === 1, at: writtenAt, ...(sizesOnly === 1 && { sizesOnly: true }) }
}

function parseBases(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length === 0) throw new Error('bases are none')
  return value.map((run: unknown) => {
    if (typeof run !== 'string' || !RUN.test(run)) throw new Error('a base has no name')
    return run
  })
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && value >= NONE
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index]
  if (found === undefined) throw new Error(`${index} is none of its list`)
  return found
}
