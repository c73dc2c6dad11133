import { z } from 'zod'
import { CLASS_PATTERN, DEPTHS, RUN_PATTERN, TAG_PATTERN } from '../contract'
import type { Archive, RemovedNames } from '../archive/archive'
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
import { instanceSchema } from '../bucket/instance-record'
import { TAGGED_LISTED_MAX, TAGGED_PATH_MAX } from '../tar/tags'
import { bootSchema } from './boot-record'
import { layoutsSchema, sourceSchema } from '../source/record'

export const MANIFEST_FORMAT = 2
/** Of runs with a differential archive: an agent that knows format 2 alone would take it for all of its volume. */
export const DIFFERENTIAL_MANIFEST_FORMAT = 3

const storedObject = z.object({
  key: word.describe('Its key in the bucket.'),
  sizeBytes: size.describe('Size of the object.'),
  crc32: crc32.describe('CRC32 of the whole object, as S3 confirmed it: eight lower-case hexadecimal digits.'),
  sha256: sha256.describe('SHA-256 of the whole object as it is stored: what `sha256sum` prints of it.'),
})

export const archiveSchema = z.object({
  compression: z.enum(['zstd', 'none']).describe('How the tar stream was compressed.'),
  frameBytes: size.describe('Bytes of the tar stream in each frame, the last one excepted.'),
  segments: listOf(
    storedObject.extend({
      rawOffset: bytes.describe('Where in the tar stream it starts.'),
      rawBytes: size.describe('How much of the tar stream it holds.'),
    }),
    1,
  ).describe('The objects of the archive, in order.'),
  catalog: storedObject.describe('The list of its entries.'),
  rawBytes: size.describe('Length of the tar stream.'),
  storedBytes: size.describe('Sum of the sizes of the segments.'),
  entries: size.describe('Entries in the tar stream.'),
  frames: size.describe('Frames in all segments.'),
})

/** What an archive holds of its volume: everything, or every directory and what is new or changed since its base. */
export const LEVELS = ['full', 'differential'] as const

const baseSchema = z.object({
  run: z
    .string()
    .regex(new RegExp(RUN_PATTERN))
    .describe('The run that has the base: of the same host and class, the volume full.'),
  takenAt: time.describe('The moment that the base shows.'),
  archive: archiveSchema.describe('The base, as its own manifest has it.'),
})

const removedSchema = storedObject.extend({
  names: bytes.describe('How many there are.'),
})

export const warningsSchema = z.object({
  count: z.int().min(1).describe('How many there are.'),
  lines: listOf(z.string()).describe('The first 20, as tar said them.'),
})

export const sampleSchema = z.object({
  depth: z.literal('source').describe('They were compared with the snapshot.'),
  part: z.int().min(1).describe('The first part that was compared, counted from 1.'),
  count: z.int().min(1).describe('How many parts were, the first following the last.'),
  parts: z.int().min(2).describe('How many parts there are.'),
  entries: bytes.describe('How many entries were compared.'),
})

export const volumeSchema = z.object({
  volume: fileName.describe(
    'Its name in keys and on the command line: of a logical volume its device-mapper name, such as `vg0-home`.',
  ),
  source: sourceSchema.describe('What its snapshot was taken of, and how.'),
  level: z
    .enum(LEVELS)
    .describe(
      'What the archive holds of the volume: everything, or every directory and what is new or changed since its base.',
    ),
  base: baseSchema
    .optional()
    .describe('Of a differential archive: what it is to be read with. What it does not hold is there, as it was.'),
  removed: removedSchema
    .optional()
    .describe('Of a differential archive: the object with the names that the base has and the volume no longer had.'),
  fullBecause: line.optional().describe('Why the archive is full where it might have been differential.'),
  device: word
    .optional()
    .describe('What was mounted, such as `/dev/nvme0n1p1`: where to make it again, unless it was on LVM.'),
  mountPoint: mountPoint.describe('Where it was mounted.'),
  filesystem: z.string().regex(/^\w+$/).describe('Type of its filesystem.'),
  uuid: word.describe('UUID of the filesystem; empty where it has none.'),
  label: word.describe('Label of the filesystem; empty where it has none.'),
  mountOptions: word.describe('As in the mount table.'),
  sizeBytes: bytes.describe('Size of its device.'),
  usedBytes: bytes.describe('What the filesystem said was used.'),
  snapshot: z
    .object({
      takenAt: time.describe('The moment that the archive shows.'),
      livedSeconds: seconds.describe('How long it was there.'),
    })
    .describe('The snapshot that was read.'),
  tarCommand: listOf(line, 1).describe('The exact command that made the tar stream.'),
  archive: archiveSchema.describe('What is stored of it.'),
  archiveSeconds: seconds.describe('How long archiving took.'),
  warnings: warningsSchema
    .optional()
    .describe(
      'What tar could not read though it ended well, such as extended attributes, and entries that the catalog does not describe. ' +
        'The run is then `incomplete`.',
    ),
  leftOut: z
    .object({
      count: z.int().min(1).describe('How many there are.'),
      first: z
        .array(
          z.object({
            path: z.string().min(1).max(TAGGED_PATH_MAX).describe('As in the catalog.'),
            path64: z.string().optional().describe('The same in base64, where it is not UTF-8.'),
            tag: z.string().regex(new RegExp(TAG_PATTERN)).describe('The name in it that says so.'),
          }),
        )
        .max(TAGGED_LISTED_MAX)
        .readonly()
        .describe(`The first of them, at most ${TAGGED_LISTED_MAX}.`),
    })
    .optional()
    .describe('Directories that `--exclude-caches` or `--exclude-if-present` archived without what is in them.'),
  longPaths: z
    .int()
    .min(1)
    .optional()
    .describe('Entries whose paths are longer than the kernel takes at a time (4,096 bytes).'),
  recentEntries: bytes
    .optional()
    .describe('Entries that were modified within the 24 hours before the snapshot, by their own times.'),
  sampled: sampleSchema
    .optional()
    .describe('Entries that were compared with the snapshot, where not all of them were. No difference was found.'),
  unconfirmed: z
    .literal(true)
    .optional()
    .describe('The server confirmed the sizes of the objects, and of at least one of them no checksum.'),
})

const failureSchema = z.object({
  volume: line.describe('Its name.'),
  mountPoint: line.describe('Where it is mounted.'),
  code: line
    .transform((code) => code as ErrorCode)
    .describe('One of the [error codes](errors.md), perhaps one of a later version.'),
  message: line.describe('What happened, for people.'),
  hint: line.describe('What to do about it, for people.'),
})

const notBackedUpSchema = z.object({
  mountPoint: line.describe('Where it is mounted.'),
  device: line.describe('What is mounted.'),
  filesystem: line.describe('Type of its filesystem.'),
  reason: line.describe('Why it was not backed up.'),
})

const hookSchema = z.object({
  path: line.describe('The executable.'),
  stage: z.enum(['pre', 'post']).describe('Before the snapshots, or after them.'),
  ok: z.boolean().describe('Whether it ended well.'),
  seconds: seconds.describe('How long it ran.'),
  message: line.optional().describe('What went wrong.'),
})

export const systemSchema = z.object({
  hostname: line.describe('As the kernel has it.'),
  kernel: line.describe('Its release.'),
  architecture: line.describe('As Node calls it, such as `x64`.'),
  osRelease: lines.describe('Text of `/etc/os-release`.'),
  fstab: lines.describe('Text of `/etc/fstab`.'),
  blockDevices: toolOutput.describe('What `lsblk` printed, in JSON.'),
  signatures: lines
    .optional()
    .describe(
      'What `blkid -o export` says of the devices of the sources, of partitions and of disks: swap and filesystems that were not backed up too.',
    ),
  filesystems: recordOf(word, lines)
    .optional()
    .describe('What `dumpe2fs -h`, `xfs_info` or, of FAT, `blkid -p` says of each volume, by its name.'),
  boot: bootSchema.optional().describe('How the host starts.'),
  instance: instanceSchema.optional().describe('The EC2 instance that the host was.'),
  ...layoutsSchema.shape,
})

const consistencySchema = z.object({
  level: z
    .enum(['application', 'crash'])
    .describe('`application`: every hook succeeded and at least one ran; `crash`: as after a power cut.'),
  snapshotSpreadSeconds: seconds.describe('From the first snapshot to the last.'),
  heldSeconds: seconds.describe('How long applications were held by the hooks.'),
  hooks: listOf(hookSchema).describe('Those that ran, in order.'),
})

export const manifestSchema = z.object({
  format: z
    .literal([MANIFEST_FORMAT, DIFFERENTIAL_MANIFEST_FORMAT])
    .describe(
      'Of this record: 3 where an archive is differential, else 2; raised when an older agent could not read what a newer one writes. Every agent reads every earlier format.',
    ),
  run: z.string().regex(new RegExp(RUN_PATTERN)).describe('Name of the run.'),
  class: z.string().regex(new RegExp(CLASS_PATTERN)).describe('Retention class.'),
  host: word.min(1).describe('The ARN of the instance, or the name given with `--host`.'),
  startedAt: time.describe('When it started, by the clock of the host.'),
  finishedAt: time.describe('When the last volume was done.'),
  status: z
    .enum(['complete', 'incomplete'])
    .describe(
      '`incomplete`: some of the chosen volumes failed, or something of those in `volumes` could not be read: their `warnings` say what. ' +
        'All else in `volumes` is good.',
    ),
  verified: z
    .enum(DEPTHS)
    .describe(
      "How far the archives were read back before this was written: `checksum` is S3's own confirmation of each object's CRC32 and size, " +
        'never of sizes alone, `stream` read everything back from S3, the base of a differential archive too, `source` also compared it with the snapshot. What was done with a part ' +
        'of the entries only is in `sampled` of the volumes, and counts for nothing here.',
    ),
  consistency: consistencySchema.describe('Which moment the volumes show together, and how still applications were.'),
  volumes: listOf(volumeSchema).describe('What was backed up.'),
  failures: listOf(failureSchema).describe('Volumes that were chosen, and are not in the run.'),
  notBackedUp: listOf(notBackedUpSchema).describe(
    'Filesystems of this host that nobody chose, or that cannot be backed up.',
  ),
  agent: z
    .object({
      version: line.describe('Of Snapstream.'),
      node: line.describe('Of Node.'),
      tar: line.describe('Of GNU tar.'),
    })
    .describe('What made the backup.'),
  system: systemSchema.describe('What a rebuild of the host on empty disks needs.'),
})

/**
 * The record of a run, written last: a run without one does not exist. Sizes in bytes, times in ISO 8601 UTC,
 * durations in seconds.
 */
export type Manifest = Readonly<Omit<z.infer<typeof manifestSchema>, 'format' | 'volumes'>> & {
  /** In which it was written; in memory, all are as the latest has it. */
  readonly format: 1 | typeof MANIFEST_FORMAT | typeof DIFFERENTIAL_MANIFEST_FORMAT
  readonly volumes: readonly VolumeBackup[]
}
export type VolumeBackup = Readonly<Omit<z.infer<typeof volumeSchema>, 'archive' | 'base' | 'removed'>> & {
  readonly archive: Archive
  readonly base?: Base | undefined
  readonly removed?: RemovedNames | undefined
}
export type Base = Readonly<Omit<z.infer<typeof baseSchema>, 'archive'>> & { readonly archive: Archive }
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

/** The format in which a run of these volumes is written. */
export function formatOf(volumes: readonly Pick<VolumeBackup, 'level'>[]): 2 | 3 {
  return volumes.some(({ level }) => level === 'differential') ? DIFFERENTIAL_MANIFEST_FORMAT : MANIFEST_FORMAT
}

/** A run is complete where every volume is, in all that it has. */
export function completenessOf({ volumes, failures }: Pick<Manifest, 'volumes' | 'failures'>): Manifest['status'] {
  return failures.length === 0 && volumes.every(({ warnings }) => !warnings) ? 'complete' : 'incomplete'
}

export function formatManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`
}
