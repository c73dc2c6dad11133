import { z } from 'zod'
import { CLASS_PATTERN, manifestKey, RUN_PATTERN, type RunPlace } from '../contract'
import { AgentError, type ErrorCode } from '../errors'
import { findContradiction } from './manifest-claims'
import { line, lines, listOf, lvmName, mountPoint, recordOf, report, word } from './manifest-fields'
import { parseStrictJson } from '../lib/strict-json'

/** Raised when an older agent could not read what a newer one writes. Every agent reads every earlier format. */
export const MANIFEST_FORMAT = 1

const bytes = z.int().min(0)
const seconds = z.number().min(0)
const time = z.iso.datetime()
const crc32 = z.string().regex(/^[0-9a-f]{8}$/)
const size = z.int().min(1)

const archiveSchema = z.object({
  compression: z.enum(['zstd', 'none']),
  frameBytes: size,
  segments: listOf(z.object({ key: word, sizeBytes: size, crc32, rawOffset: bytes, rawBytes: size }), 1),
  catalog: z.object({ key: word, sizeBytes: size, crc32 }),
  rawBytes: size,
  storedBytes: size,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  entries: size,
  frames: size,
})

const volumeSchema = z.object({
  /** Device-mapper name, for example `vg0-home`: the volume's name in keys and on the command line. */
  volume: lvmName,
  group: lvmName,
  name: lvmName,
  mountPoint,
  filesystem: z.string().regex(/^\w+$/),
  uuid: word,
  label: word,
  mountOptions: word,
  sizeBytes: bytes,
  usedBytes: bytes,
  snapshot: z.object({
    kind: z.enum(['thin', 'thick']),
    /** Of a thick snapshot: space reserved for changes. 0 for a thin one. */
    sizeBytes: bytes,
    takenAt: time,
    livedSeconds: seconds,
  }),
  /** The exact command that made the tar stream. */
  tarCommand: listOf(line, 1),
  archive: archiveSchema,
  archiveSeconds: seconds,
  /**
   * What tar could not read though it ended well, such as extended attributes, and entries that the catalog does not
   * describe: how many, and the first messages. The run is then `incomplete`.
   */
  warnings: z.object({ count: z.int().min(1), lines: listOf(z.string()) }).optional(),
  /** Entries whose paths are longer than the kernel takes at a time (4,096 bytes). */
  longPaths: z.int().min(1).optional(),
  /**
   * Entries that were compared with the snapshot, where not all of them were: those of parts `part` and following, `count`
   * of `parts`. No difference was found.
   */
  sampled: z
    .object({
      depth: z.literal('source'),
      part: z.int().min(1),
      count: z.int().min(1),
      parts: z.int().min(2),
      entries: bytes,
    })
    .optional(),
  /** The server confirmed the sizes of the objects, and of at least one of them no checksum. */
  unconfirmed: z.literal(true).optional(),
})

const failureSchema = z.object({
  volume: line,
  mountPoint: line,
  /** One of an agent's, perhaps a later one's. */
  code: line.transform((code) => code as ErrorCode),
  message: line,
  hint: line,
})

const notBackedUpSchema = z.object({
  mountPoint: line,
  device: line,
  filesystem: line,
  reason: line,
})

const hookSchema = z.object({
  path: line,
  stage: z.enum(['pre', 'post']),
  ok: z.boolean(),
  seconds,
  message: line.optional(),
})

const manifestSchema = z.object({
  format: z.literal(MANIFEST_FORMAT),
  run: z.string().regex(new RegExp(RUN_PATTERN)),
  class: z.string().regex(new RegExp(CLASS_PATTERN)),
  host: word.min(1),
  startedAt: time,
  finishedAt: time,
  /**
   * `incomplete`: some of the chosen volumes failed, or something of those in `volumes` could not be read: their `warnings`
   * say what. All else in `volumes` is good.
   */
  status: z.enum(['complete', 'incomplete']),
  /**
   * How far the archives were read back before this manifest was written: `checksum` is S3's own confirmation of each
   * object's CRC32 and size, never of sizes alone, `stream` read everything back from S3, `source` also compared it with the snapshot. What was
   * done with a part of the entries only is in `sampled` of the volumes, and counts for nothing here.
   */
  verified: z.enum(['none', 'checksum', 'stream', 'source']),
  consistency: z.object({
    /** `application`: every hook succeeded and at least one ran; `crash`: as after a power cut. */
    level: z.enum(['application', 'crash']),
    /** From the first snapshot to the last. */
    snapshotSpreadSeconds: seconds,
    /** How long applications were held by the hooks. */
    heldSeconds: seconds,
    hooks: listOf(hookSchema),
  }),
  volumes: listOf(volumeSchema),
  failures: listOf(failureSchema),
  notBackedUp: listOf(notBackedUpSchema),
  agent: z.object({ version: line, node: line, tar: line }),
  /** What a rebuild of the host on empty disks needs. */
  system: z.object({
    hostname: line,
    kernel: line,
    architecture: line,
    osRelease: lines,
    fstab: lines,
    /** Reports as the tools printed them, in JSON. */
    lvs: report,
    vgs: report,
    pvs: report,
    blockDevices: report,
    /** Of thin pools: what a pool made anew must not leave to defaults. */
    thinPools: report.optional(),
    /** What `blkid -o export` says of the logical volumes: swap and filesystems that were not backed up too. */
    signatures: lines.optional(),
    /** What `dumpe2fs -h` or `xfs_info` says of each volume, by its name. */
    filesystems: recordOf(word, lines).optional(),
    /** `vgcfgbackup` text by volume group. */
    groupConfigurations: recordOf(word, lines),
  }),
})

/**
 * The record of a run, written last: a run without one does not exist. Sizes in bytes, times in ISO 8601 UTC,
 * durations in seconds.
 */
export type Manifest = Readonly<z.infer<typeof manifestSchema>>
export type VolumeBackup = Readonly<z.infer<typeof volumeSchema>>
export type Verified = Manifest['verified']
export type SampleRecord = Readonly<NonNullable<VolumeBackup['sampled']>>
export type VolumeFailure = Readonly<z.infer<typeof failureSchema>>
export type HookRecord = Readonly<z.infer<typeof hookSchema>>
export type SystemRecord = Manifest['system']

/** From least to most: each proves what the ones before it prove. */
export const DEPTHS: readonly Verified[] = ['none', 'checksum', 'stream', 'source']

/** How far a run is verified: as far as the least of its volumes. */
export function leastVerified(depths: readonly Verified[]): Verified {
  return DEPTHS.find((depth) => depths.includes(depth)) ?? 'none'
}

/** Whether nothing but the sizes of what was stored counts, although more was asked for. */
export function isSizesOnly({ verified, volumes }: Pick<Manifest, 'verified' | 'volumes'>): boolean {
  return verified === 'none' && volumes.some(({ unconfirmed, sampled }) => unconfirmed && sampled)
}

/** A run is complete where every volume is, in all that it has. */
export function completenessOf({ volumes, failures }: Pick<Manifest, 'volumes' | 'failures'>): Manifest['status'] {
  return failures.length === 0 && volumes.every(({ warnings }) => !warnings) ? 'complete' : 'incomplete'
}

export function formatManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`
}

/**
 * Reads a manifest and believes nothing of it that can be checked: it must be of the run that lies there, name no object but
 * that run's own, and agree with itself and with the format.
 *
 * @param place - where it lies
 * @throws AgentError FORMAT_UNSUPPORTED where a newer agent wrote it, ARCHIVE_DAMAGED where it is not that run's manifest
 */
export function parseManifest(json: string, place: RunPlace): Manifest {
  const key = manifestKey(place)
  const value = parseJson(json, key)
  const format = (value as { format?: unknown } | null)?.format
  if (typeof format === 'number' && format > MANIFEST_FORMAT) {
    throw new AgentError(
      'FORMAT_UNSUPPORTED',
      `${key} has format ${format}, this agent reads up to ${MANIFEST_FORMAT}`,
      {
        hint: 'Install the version of Snapstream that made the backup, or a later one.',
      },
    )
  }
  const parsed = manifestSchema.safeParse(value)
  if (!parsed.success) throw damaged(key, z.prettifyError(parsed.error), parsed.error)
  const contradiction = findContradiction(parsed.data, place)
  if (contradiction !== undefined) throw damaged(key, contradiction)
  return parsed.data
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
    hint: 'Look for an earlier version of the object, or restore by hand from the archive: docs/restore-by-hand.md.',
    cause,
  })
}
