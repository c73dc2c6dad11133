/** What verifications of a run came to, as recorded beside it. */
import { z } from 'zod'
import type { Told } from '../outcome'
import { parseStrictJson } from '../lib/strict-json'
import type { verifiedSchema } from './output-schema'

const verdictSchema = z.object({
  depth: z.enum(['checksum', 'stream', 'source']),
  ok: z.boolean(),
  sizesOnly: z.literal(true).optional(),
  volumes: z.array(z.object({ volume: z.string(), withoutChecksum: z.int().min(0).optional() })).optional(),
})

/** How far a run was verified: the latest word of an operator, or without one that of the host. */
export type Verified = Told<typeof verifiedSchema>

/** What one verification came to. */
export interface Verdict extends Omit<Verified, 'by' | 'hostSays'> {
  /** By S3's clock. */
  readonly at: string
}

export interface Verdicts {
  readonly operator?: Verdict
  readonly host?: Verdict
}

/**
 * What a recorded verification came to, or undefined where it proves nothing of the run: it cannot be read, or has found
 * good what is not all of it.
 *
 * @param writtenAt - by S3's clock
 * @param runVolumes - those of the run, by their names
 */
export function parseVerdict(json: string, writtenAt: Date, runVolumes: readonly string[]): Verdict | undefined {
  try {
    const { depth, ok, volumes, ...record } = verdictSchema.parse(parseStrictJson(json))
    const isPartial = volumes && runVolumes.some((name) => !volumes.some(({ volume }) => volume === name))
    if (ok && isPartial) return undefined
    // Whether the one who recorded it has drawn the conclusion or not.
    const sizesOnly = record.sizesOnly ?? (depth === 'checksum' && volumes?.some((volume) => volume.withoutChecksum))
    return { depth, ok, at: writtenAt.toISOString(), ...(sizesOnly && { sizesOnly: true }) }
  } catch {
    return undefined
  }
}
