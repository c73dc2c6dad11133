import { z } from 'zod'
import { CLASS_PATTERN, RUN_PATTERN } from '../contract'
import { AgentError, type ErrorCode } from '../errors'

/** Raised when an older agent could not read what a newer one writes. Every agent reads every earlier format. */
export const MANIFEST_FORMAT = 1

const bytes = z.int().min(0)
const seconds = z.number().min(0)
const time = z.iso.datetime()
const crc32 = z.string().regex(/^[0-9a-f]{8}$/)
const key = z.string().min(1)
/** Names and paths become words of commands and targets of restores: none may lead anywhere else. */
const lvmName = z.string().regex(/^[\w+.][\w+.-]*$/)
const mountPoint = z
  .string()
  .startsWith('/')
  .refine((path) => !path.split('/').includes('..'), 'must not lead upwards')

const archiveSchema = z.object({
  compression: z.enum(['zstd', 'none']),
  frameBytes: bytes,
  segments: z
    .array(z.object({ key, sizeBytes: bytes, crc32, rawOffset: bytes, rawBytes: bytes }))
    .min(1)
    .readonly(),
  catalog: z.object({ key, sizeBytes: bytes, crc32 }),
  rawBytes: bytes,
  storedBytes: bytes,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  entries: bytes,
  frames: bytes,
})

const volumeSchema = z.object({
  /** Device-mapper name, for example `vg0-home`: the volume's name in keys and on the command line. */
  volume: lvmName,
  group: lvmName,
  name: lvmName,
  mountPoint,
  filesystem: z.string().regex(/^\w+$/),
  uuid: z.string(),
  label: z.string(),
  mountOptions: z.string(),
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
  tarCommand: z.array(z.string()).min(1).readonly(),
  archive: archiveSchema,
  archiveSeconds: seconds,
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
})

const failureSchema = z.object({
  volume: z.string(),
  mountPoint: z.string(),
  code: z.custom<ErrorCode>((value) => typeof value === 'string'),
  message: z.string(),
  hint: z.string(),
})

const notBackedUpSchema = z.object({
  mountPoint: z.string(),
  device: z.string(),
  filesystem: z.string(),
  reason: z.string(),
})

const hookSchema = z.object({
  path: z.string(),
  stage: z.enum(['pre', 'post']),
  ok: z.boolean(),
  seconds,
  message: z.string().optional(),
})

const manifestSchema = z.object({
  format: z.literal(MANIFEST_FORMAT),
  run: z.string().regex(new RegExp(RUN_PATTERN)),
  class: z.string().regex(new RegExp(CLASS_PATTERN)),
  host: z.string().min(1),
  startedAt: time,
  finishedAt: time,
  /** `incomplete`: some of the chosen volumes failed; those in `volumes` are good. */
  status: z.enum(['complete', 'incomplete']),
  /**
   * How far the archives were read back before this manifest was written: `checksum` is S3's own confirmation of each
   * object's CRC32 and size, `stream` read everything back from S3, `source` also compared it with the snapshot. What was
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
    hooks: z.array(hookSchema).readonly(),
  }),
  volumes: z.array(volumeSchema).readonly(),
  failures: z.array(failureSchema).readonly(),
  notBackedUp: z.array(notBackedUpSchema).readonly(),
  agent: z.object({ version: z.string(), node: z.string(), tar: z.string() }),
  /** What a rebuild of the host on empty disks needs. */
  system: z.object({
    hostname: z.string(),
    kernel: z.string(),
    architecture: z.string(),
    osRelease: z.string(),
    fstab: z.string(),
    /** Reports as the tools printed them, in JSON. */
    lvs: z.unknown(),
    vgs: z.unknown(),
    pvs: z.unknown(),
    blockDevices: z.unknown(),
    /** Of thin pools: what a pool made anew must not leave to defaults. */
    thinPools: z.unknown().optional(),
    /** What `blkid -o export` says of the logical volumes: swap and filesystems that were not backed up too. */
    signatures: z.string().optional(),
    /** What `dumpe2fs -h` or `xfs_info` says of each volume, by its name. */
    filesystems: z.record(z.string(), z.string()).optional(),
    /** `vgcfgbackup` text by volume group. */
    groupConfigurations: z.record(z.string(), z.string()),
  }),
})

/**
 * The record of a run, written last: a run without one does not exist. Sizes in bytes, times in ISO 8601 UTC,
 * durations in seconds.
 */
export type Manifest = Readonly<z.infer<typeof manifestSchema>>
export type VolumeBackup = Readonly<z.infer<typeof volumeSchema>>
export type SampleRecord = Readonly<NonNullable<VolumeBackup['sampled']>>
export type VolumeFailure = Readonly<z.infer<typeof failureSchema>>
export type HookRecord = Readonly<z.infer<typeof hookSchema>>
export type SystemRecord = Manifest['system']

export function formatManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`
}

/**
 * @param source - what is being read, for messages: its key
 * @throws AgentError FORMAT_UNSUPPORTED where a newer agent wrote it, ARCHIVE_DAMAGED where it is not a manifest
 */
export function parseManifest(json: string, source: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw damaged(source, 'is not JSON', cause)
  }
  const format = (value as { format?: unknown } | null)?.format
  if (typeof format === 'number' && format > MANIFEST_FORMAT) {
    throw new AgentError(
      'FORMAT_UNSUPPORTED',
      `${source} has format ${format}, this agent reads up to ${MANIFEST_FORMAT}`,
      {
        hint: 'Install the version of Snapstream that made the backup, or a later one.',
      },
    )
  }
  const parsed = manifestSchema.safeParse(value)
  if (!parsed.success) throw damaged(source, z.prettifyError(parsed.error), parsed.error)
  return parsed.data
}

function damaged(source: string, what: string, cause: unknown): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', `${source} is not a manifest: ${what}`, {
    hint: 'Look for an earlier version of the object, or restore by hand from the archive: docs/restore-by-hand.md.',
    cause,
  })
}
