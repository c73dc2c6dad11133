/** What restores on trial came to, as recorded beside the runs. */
import { z } from 'zod'
import { CLASS_PATTERN, RUN_PATTERN, type RunKey } from '../contract'
import { printableLine } from '../lib/printable'
import { parseStrictJson } from '../lib/strict-json'
import { bytes, seconds } from '../lib/untrusted'

/** More says nothing that the first ones do not; a reader refuses more than the second of these. */
export const DRILL_PROBLEMS_MAX = 20
/** A record is not longer: whoever reads it may refuse a larger one. */
export const DRILL_BYTES_MAX = 64 * 1024
/** Of all problems together, where one line tells them. */
const PROBLEM_CHARACTERS_MAX = 500

const schema = z.object({
  drill: z.literal(1),
  class: z.string().regex(new RegExp(CLASS_PATTERN)),
  host: z.string(),
  run: z.string().regex(new RegExp(RUN_PATTERN)),
  ok: z.boolean(),
  restoreSeconds: seconds,
  restoredBytes: bytes,
  entries: bytes,
  share: z.string().max(40).optional(),
  problems: z.array(z.string()).max(DRILL_PROBLEMS_MAX + 1),
})

/** What one drill came to. */
export interface Drill {
  readonly class: string
  readonly run: string
  /** By S3's clock, in seconds since 1970. */
  readonly at: number
  readonly ok: boolean
  /** From the command to the last byte in place. */
  readonly restoreSeconds: number
  readonly restoredBytes: number
  readonly entries: number
  /** What went wrong, for people: one line, cut; empty where nothing did. */
  readonly problem: string
  /** Where not all of the run was restored: which part, such as `3/7`, or `part`. */
  readonly share?: string
}

/**
 * What a recorded drill came to, or undefined where it proves nothing: it cannot be read, or is not of the run beside which
 * it lies. Names of files are in its text, which hosts choose: it is cut and made printable.
 *
 * @param writtenAt - by S3's clock
 * @param runKey - as its key says (`parseDrillKey`)
 */
export function parseDrill(json: string, writtenAt: Date, runKey: RunKey): Drill | undefined {
  const at = writtenAt.getTime() / 1000
  const record = parse(json)
  if (!record || Number.isNaN(at)) return undefined
  if (record.class !== runKey.class || record.host !== runKey.host || record.run !== runKey.run) return undefined
  const problems = [...record.problems, ...(record.entries === 0 ? ['nothing was restored'] : [])]
  const ok = record.ok && problems.length === 0
  const { restoreSeconds, restoredBytes, entries, share } = record
  return {
    ...{ class: record.class, run: record.run, at, ok, restoreSeconds, restoredBytes, entries },
    problem: ok ? '' : cut(problems.length === 0 ? 'the record does not say what went wrong' : problems.join('; ')),
    ...(share !== undefined && { share: printableLine(share) }),
  }
}

function parse(json: string): z.infer<typeof schema> | undefined {
  if (json.length > DRILL_BYTES_MAX) return undefined
  try {
    return schema.parse(parseStrictJson(json))
  } catch {
    return undefined
  }
}

function cut(text: string): string {
  const line = printableLine(text)
  return line.length > PROBLEM_CHARACTERS_MAX ? `${line.slice(0, PROBLEM_CHARACTERS_MAX)}…` : line
}
