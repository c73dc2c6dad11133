/** Reads manifests of every format. */
import { onPage } from '../pages'
import { z } from 'zod'
import { manifestKey, type RunKey } from '../contract'
import { AgentError } from '../errors'
import { findContradiction } from './manifest-claims'
import { manifestSchema1, upgrade, type Manifest1 } from './manifest-format-1'
import { DIFFERENTIAL_MANIFEST_FORMAT, LEVELS, manifestSchema, type Manifest } from './manifest'
import { SOURCE_KINDS } from '../source/record'
import { parseStrictJson } from '../lib/strict-json'
import { printableLine } from '../lib/printable'

/**
 * Reads a manifest and believes nothing of it that can be checked: it must be of the run that lies there, name no object but
 * that run's own, and agree with itself and with the format.
 *
 * @param runKey - where it lies
 * @throws AgentError FORMAT_UNSUPPORTED where a newer agent wrote it, ARCHIVE_DAMAGED where it is not that run's manifest
 */
export function parseManifest(json: string, runKey: RunKey): Manifest {
  const key = manifestKey(runKey)
  const value = parseJson(json, key)
  const later = findLater(value)
  if (later !== undefined) {
    throw new AgentError('FORMAT_UNSUPPORTED', `${key} has ${later}`, {
      hint: 'Install the version of Snapstream that made the backup, or a later one.',
    })
  }
  const parsed = anyFormat.safeParse(value)
  if (!parsed.success) throw damaged(key, z.prettifyError(parsed.error), parsed.error)
  const contradiction = findContradiction(parsed.data, runKey)
  if (contradiction !== undefined) throw damaged(key, contradiction)
  return parsed.data
}

const anyFormat = z.discriminatedUnion('format', [manifestSchema, manifestSchema1]).transform(toLatest)

function toLatest(read: z.infer<typeof manifestSchema> | Manifest1): Manifest {
  return read.format === 1 ? upgrade(read) : read
}

/** Just enough of a manifest to see who wrote it. */
const writtenBy = z.object({ format: z.number() })
const volumesOf = z.object({ volumes: z.array(z.unknown()) })
const madeAs = z.object({ level: z.string().optional(), source: z.object({ kind: z.string() }).optional() })

/** What only a later agent can have written; undefined where there is nothing. */
function findLater(value: unknown): string | undefined {
  const { format } = writtenBy.safeParse(value).data ?? {}
  if (format !== undefined && format > DIFFERENTIAL_MANIFEST_FORMAT) {
    return `format ${format}, this agent reads up to ${DIFFERENTIAL_MANIFEST_FORMAT}`
  }
  for (const volume of volumesOf.safeParse(value).data?.volumes ?? []) {
    const read = madeAs.safeParse(volume)
    if (!read.success) return undefined // `listOf` tells of the first that is wrong: of a million, all would take gigabytes
    const { level, source } = read.data
    if (level !== undefined && !(LEVELS as readonly string[]).includes(level)) return unknown('level', level, LEVELS)
    if (source && !SOURCE_KINDS.includes(source.kind)) return unknown('source', source.kind, SOURCE_KINDS)
  }
  return undefined
}

function unknown(field: string, value: string, known: readonly string[]): string {
  return `a volume of ${field} '${printableLine(value.slice(0, PROBLEM_CHARACTERS_MAX))}', this agent knows ${known.join(', ')}`
}

/** A host with two thousand volumes has half as many (design limit). Memory goes by them, some 100 bytes each. */
const VALUES_MAX = 400_000
/** Of what is wrong with it. */
const PROBLEM_CHARACTERS_MAX = 1000

function parseJson(json: string, source: string): unknown {
  try {
    return parseStrictJson(json, VALUES_MAX)
  } catch (cause) {
    throw damaged(source, `is not JSON as it should be: ${(cause as Error).message}`, cause)
  }
}

function damaged(source: string, what: string, cause?: unknown): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', `${source} is not a manifest: ${what.slice(0, PROBLEM_CHARACTERS_MAX)}`, {
    hint: `Look for an earlier version of the object, or restore by hand from the archive: ${onPage('restore-by-hand')}.`,
    cause,
  })
}
