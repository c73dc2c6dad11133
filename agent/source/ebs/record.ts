/** What a manifest says of volumes on disks of EBS. */
import { z } from 'zod'
import { arn } from '../../bucket/instance-record'
import { bytes, listOf } from '../../lib/untrusted'

/** Partitions are counted from 1; GPT as Linux reads it has at most 256 (`MAX_PARTS` of the block layer). */
const PARTITION_MAX = 256

export const ebsSourceSchema = z.object({
  kind: z.literal('ebs').describe('A snapshot of a disk of EBS.'),
  volumeId: z
    .string()
    .regex(/^vol-[0-9a-f]{8,17}$/)
    .describe('Of the disk.'),
  partition: z
    .int()
    .min(1)
    .max(PARTITION_MAX)
    .exactOptional()
    .describe('Number of the partition; absent where the filesystem has the whole disk.'),
  snapshotId: z
    .string()
    .regex(/^snap-[0-9a-f]{8,17}$/)
    .exactOptional()
    .describe('Of the snapshot, which need not be there any more; absent where the disk was copied.'),
  engine: z.enum(['snapshot', 'clone']).describe('A snapshot of all disks at one moment, or a copy of this one.'),
  consistency: z
    .enum(['frozen', 'crash'])
    .describe('Held still at that moment, or as after a power cut: its journal was replayed.'),
})

const attachedVolumeSchema = z.object({
  volumeId: z
    .string()
    .regex(/^vol-[0-9a-f]{8,17}$/)
    .describe('Its id.'),
  deviceName: z
    .string()
    .regex(/^[\w/]{2,32}$/)
    .describe('As EC2 calls where it is attached, such as `/dev/xvda`.'),
  sizeGiB: bytes.describe('Its size.'),
  type: z
    .string()
    .regex(/^[a-z0-9]{2,16}$/)
    .describe('Such as `gp3`.'),
  iops: bytes.optional().describe('Those that it was given.'),
  throughputMiB: bytes.optional().describe('What it was given, each second.'),
  encrypted: z.boolean().describe('Whether it is encrypted.'),
  kmsKeyId: arn.optional().describe('The key that it is encrypted with.'),
})

/** They go into a launch template: what volumes are not made of is not passed on. */
export const ebsLayoutSchema = z.object({
  volumes: listOf(attachedVolumeSchema).describe('All that were attached to the instance.'),
})

export type EbsLayout = Readonly<z.infer<typeof ebsLayoutSchema>>
export type AttachedVolume = EbsLayout['volumes'][number]
export type EbsSource = Readonly<z.infer<typeof ebsSourceSchema>>
