/**
 * Comparing a volume with its source part by part, another part in each run. Entries belong to a part by the directory
 * that they are in, or by the one above it that is not too deep: what is below that lies side by side in the archive, so
 * few frames are read. A path stays in its part, whatever else changes.
 */
import { z } from 'zod'
import type { BackupRequest } from '../options/commands'
import type { Fraction } from '../options/types'
import { type CatalogEntry, linkBytes, pathBytes } from '../tar/entry'

/** The parts that one run compares: from `part` on, counted from 1, `count` of `parts`; after the last comes the first. */
export interface Sample extends Fraction {
  readonly part: number
}

/** By volume: the part whose turn it is. */
export type Rotation = z.infer<typeof rotationSchema>

const rotationSchema = z.record(z.string(), z.object({ next: z.int().min(1), parts: z.int().min(1) })).readonly()

/** Undefined where the text is not what `formatRotation` writes. */
export function parseRotation(json: string): Rotation | undefined {
  try {
    return rotationSchema.parse(JSON.parse(json))
  } catch {
    return undefined
  }
}

export function formatRotation(rotation: Rotation): string {
  return `${JSON.stringify(rotation, null, 2)}\n`
}

/** The share that is compared of each volume, or undefined where nothing is, or everything. */
export function chooseShare({ verify, sample }: Pick<BackupRequest, 'verify' | 'sample'>): Fraction | undefined {
  return verify === 'source' && sample && sample.count < sample.parts ? sample : undefined
}

/** What is to be compared this time. A volume that is new, or was divided otherwise before, starts with its first part. */
export function planSamples(
  rotation: Rotation,
  volumes: readonly string[],
  fraction: Fraction,
): ReadonlyMap<string, Sample> {
  return new Map(
    volumes.map((volume) => {
      const turn = rotation[volume]
      return [volume, { ...fraction, part: turn?.parts === fraction.parts ? Math.min(turn.next, turn.parts) : 1 }]
    }),
  )
}

/** A volume that was backed up, and what was compared of it without finding a difference. */
export interface SampledVolume {
  readonly volume: string
  readonly sampled?: Sample | undefined
}

export function advanceRotation(rotation: Rotation, backedUp: readonly SampledVolume[]): Rotation {
  const turns = backedUp.flatMap(({ volume, sampled }) => {
    if (!sampled) return []
    const { part, count, parts } = sampled
    return [[volume, { next: ((part - 1 + count) % parts) + 1, parts }] as const]
  })
  return { ...rotation, ...Object.fromEntries(turns) }
}

/** `3/7`, `3-4/7` */
export function formatSample({ part, count, parts }: Sample): string {
  const last = ((part + count - 2) % parts) + 1
  return `${part}${count > 1 ? `-${last}` : ''}/${parts}`
}

/** `source 3/7`, with each that differs; empty where nothing was sampled. */
export function describeSamples(samples: readonly (Sample | undefined)[]): string {
  const texts = new Set(samples.flatMap((sample) => (sample ? [formatSample(sample)] : [])))
  return texts.size === 0 ? '' : `source ${[...texts].join(', ')}`
}

/**
 * Longer paths can be archived together with the directories that they are in, but not named to tar by themselves: the
 * kernel takes 4,096 bytes (PATH_MAX), `./` in front and a zero behind among them.
 */
const PATH_BYTES_MAX = 4093

/** Chooses what a sample compares. */
export interface SampleChooser {
  /** To be given every entry of the archive once, before any is chosen. */
  learn(entry: CatalogEntry): void
  /** True for entries of the sample, and for those that its hard links are linked to. */
  isChosen(entry: CatalogEntry): boolean
  /** Entries of the sample that cannot be compared by themselves, as their names are too long. */
  tooLong(): number
}

export function chooseSample(sample: Sample): SampleChooser {
  /** Tar writes a hard link as one only where it has come across the file under its first name before. */
  const linked = new Set<string>()
  let tooLong = 0
  return {
    learn(entry) {
      if (!isInSample(entry, sample)) return
      if (!canBeNamed(entry)) tooLong++
      else if (entry.type === 'hardlink') linked.add(linkBytes(entry).toString('latin1'))
    },
    isChosen: (entry) =>
      canBeNamed(entry) &&
      (isInSample(entry, sample) || (linked.size > 0 && linked.has(pathBytes(entry).toString('latin1')))),
    tooLong: () => tooLong,
  }
}

export function isInSample(entry: CatalogEntry, { part, count, parts }: Sample): boolean {
  return (partOf(entry, parts) - part + parts) % parts < count
}

/**
 * Directories below this level are not parted. With fewer levels parts differ more in size; with more, every frame holds
 * something of many parts (measured in docs/decisions/0011-samples-by-directory.md).
 */
const LEVELS = 4

/** @returns 1 to `parts` */
export function partOf(entry: Pick<CatalogEntry, 'path' | 'path64'>, parts: number): number {
  const path = pathBytes(entry)
  let end = 0
  for (let level = 0, slash = path.indexOf('/'); level < LEVELS && slash >= 0; level++) {
    end = slash
    slash = path.indexOf('/', end + 1)
  }
  return (hashOf(path.subarray(0, end)) % parts) + 1
}

function canBeNamed(entry: CatalogEntry): boolean {
  if (pathBytes(entry).length > PATH_BYTES_MAX) return false
  return entry.type !== 'hardlink' || linkBytes(entry).length <= PATH_BYTES_MAX
}

/** FNV-1a with MurmurHash3's last steps, as its own lowest bits are badly mixed. Must never change: it makes the parts. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
