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
]
const SPEAKERS: readonly RunVerdict['by'][] = ['operator', 'host']
const RUN = new RegExp(RUN_PATTERN)
const FLAG = { sizesOnly: 1, superseded: 2, unread: 4 } as const
/** In the place of what a run does not have. */
const NONE = -1
const FIELDS = 16

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
    ...(verdict
      ? [
          [
            SPEAKERS.indexOf(verdict.by),
            DEPTHS.indexOf(verdict.depth),
            Number(verdict.ok),
            verdict.at,
            Number(verdict.sizesOnly ?? false),
          ],
        ]
      : []),
  ]
}

/** @throws Error where one is none */
export function parseRuns(values: readonly unknown[]): readonly RunRecord[] {
  return values.map(parseRun)
}

function parseRun(value: unknown): RunRecord {
  if (!Array.isArray(value) || value.length < FIELDS || value.length > FIELDS + 1) throw new Error('a run is none')
  const [run, ...rest] = value as readonly unknown[]
  if (typeof run !== 'string' || !RUN.test(run)) throw new Error('a run has no name')
  const numbers = rest.slice(0, FIELDS - 1)
  if (!numbers.every(isNumber)) throw new Error(`run ${run} has what is no number`)
  const [writtenAt, state, verified, flags, volumes, objects, entries, rawBytes, storedBytes, catalogBytes, ...more] =
    numbers as [number, number, number, number, number, number, number, number, number, number, ...number[]]
  const [seconds = 0, recentEntries = NONE, presentAt = NONE, heardOperator = NONE, heardHost = NONE] = more
  const verdict = value.length > FIELDS ? parseVerdict(rest.at(-1)) : undefined
  return {
    ...{ run, writtenAt, state: at(STATES, state), verified: at(DEPTHS, verified) },
    ...{ volumes, objects, entries, rawBytes, storedBytes, catalogBytes, seconds },
    ...(flags & FLAG.sizesOnly && { sizesOnly: true }),
    ...(flags & FLAG.superseded && { superseded: true }),
    ...(flags & FLAG.unread && { unread: true }),
    ...(recentEntries !== NONE && { recentEntries }),
    ...(presentAt !== NONE && { presentAt }),
    ...(heardOperator !== NONE && { heardOperator }),
    ...(heardHost !== NONE && { heardHost }),
    ...(verdict && { verdict }),
  }
}

function parseVerdict(value: unknown): RunVerdict {
  if (!Array.isArray(value) || value.length !== 5 || !value.every(isNumber)) throw new Error('a verdict is none')
  const [by = NONE, depth = NONE, ok, writtenAt = 0, sizesOnly] = value
  const deep = at(DEPTHS, depth)
  if (deep === 'none') throw new Error('a verdict has no depth')
  return { by: at(SPEAKERS, by), depth: deep, ok: ok === 1, at: writtenAt, ...(sizesOnly === 1 && { sizesOnly: true }) }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && value >= NONE
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index]
  if (found === undefined) throw new Error(`${index} is none of its list`)
  return found
}
