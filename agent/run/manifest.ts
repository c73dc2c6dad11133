import { z } from 'zod'
import { CLASS_PATTERN, DEPTHS, RUN_PATTERN } from '../contract'
import type { Archive } from '../archive/archive'
import type { ErrorCode } from '../errors'
import {
  bytes,
  crc32,
  fileName,
  line,
  lines,
  listOf,
  mountPoint,
  recordOf,
  toolOutput,
  seconds,
  sha256,
  size,
  time,
  word,
} from '../lib/untrusted'
import { layoutsSchema, sourceSchema } from '../source/record'

/** Raised when an older agent could not read what a newer one writes. Every agent reads every earlier format. */
export const MANIFEST_FORMAT = 2

const storedObject = z.object({ key: word, sizeBytes: size, crc32, sha256 })

export const archiveSchema = z.object({
  compression: z.enum(['zstd', 'none']),
  frameBytes: size,
  segments: listOf(storedObject.extend({ rawOffset: bytes, rawBytes: size }), 1),
  catalog: storedObject,
  rawBytes: size,
  storedBytes: size,
  entries: size,
  frames: size,
})

/** What an archive holds of its volume: everything. */
export const LEVELS = ['full'] as const

export const volumeSchema = z.object({
  /** Its name in keys and on the command line: of a logical volume its device-mapper name, for example `vg0-home`. */
  volume: fileName,
  source: sourceSchema,
  level: z.enum(LEVELS),
  mountPoint,
  filesystem: z.string().regex(/^\w+$/),
  uuid: word,
  label: word,
  mountOptions: word,
  sizeBytes: bytes,
  usedBytes: bytes,
  snapshot: z.object({ takenAt: time, livedSeconds: seconds }),
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

/** What a rebuild of the host on empty disks needs. */
export const systemSchema = z.object({
  hostname: line,
  kernel: line,
  architecture: line,
  osRelease: lines,
  fstab: lines,
  /** As lsblk printed it, in JSON. */
  blockDevices: toolOutput,
  /** What `blkid -o export` says of the devices of the sources: swap and filesystems that were not backed up too. */
  signatures: lines.optional(),
  /** What `dumpe2fs -h` or `xfs_info` says of each volume, by its name. */
  filesystems: recordOf(word, lines).optional(),
  ...layoutsSchema.shape,
})

export const manifestSchema = z.object({
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
  verified: z.enum(DEPTHS),
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
  system: systemSchema,
})

/**
 * The record of a run, written last: a run without one does not exist. Sizes in bytes, times in ISO 8601 UTC,
 * durations in seconds.
 */
export type Manifest = Readonly<Omit<z.infer<typeof manifestSchema>, 'format' | 'volumes'>> & {
  /** In which it was written; in memory, all are as the latest has it. */
  readonly format: 1 | typeof MANIFEST_FORMAT
  readonly volumes: readonly VolumeBackup[]
}
export type VolumeBackup = Readonly<Omit<z.infer<typeof volumeSchema>, 'archive'>> & { readonly archive: Archive }
export type Verified = Manifest['verified']
export type SampleRecord = Readonly<NonNullable<VolumeBackup['sampled']>>
export type VolumeFailure = Readonly<z.infer<typeof failureSchema>>
export type HookRecord = Readonly<z.infer<typeof hookSchema>>
export type SystemRecord = Manifest['system']

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
