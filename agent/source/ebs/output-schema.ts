/** What only volumes, snapshots and leftovers of EBS have. */
import { z } from 'zod'

export const ebsVolumeFields = {
  volumeId: z.string().exactOptional().describe('Of EBS: the disk that it is on.'),
  partition: z
    .int()
    .exactOptional()
    .describe('Of EBS: the number of its partition; absent where it has the whole disk.'),
}

export const ebsPlanFields = {
  run: z.string().exactOptional().describe('Of EBS: the run that its tags would name.'),
  request: z
    .object({
      withoutRoot: z.boolean().describe('Whether the root disk is left out.'),
      without: z.array(z.string()).describe('Other disks that are left out.'),
      tags: z.record(z.string(), z.string()).describe('What all that is made would be tagged with.'),
    })
    .exactOptional()
    .describe('Of EBS: what EC2 would be asked for, once for all disks.'),
  freeze: z.boolean().exactOptional().describe('Of EBS: whether filesystems of data would be frozen.'),
  keepLast: z.boolean().exactOptional().describe('Of EBS: whether it would be kept until the next one.'),
  disksPerWave: z.int().exactOptional().describe('Of EBS: how many copies would be attached at a time.'),
}

export const ebsLeftoverFields = {
  run: z.string().exactOptional().describe('Of EBS: the run that made it.'),
  resource: z
    .object({
      volumeId: z.string().exactOptional().describe('A copy of a disk.'),
      snapshotId: z.string().exactOptional().describe('A snapshot of a disk.'),
      remembered: z.string().exactOptional().describe('The volume whose unfinished uploads a file remembers.'),
    })
    .exactOptional()
    .describe('Of EBS: what is left.'),
}
