/** What a manifest says of volumes on disks of EBS. */
import { z } from 'zod'

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

export type EbsSource = Readonly<z.infer<typeof ebsSourceSchema>>
