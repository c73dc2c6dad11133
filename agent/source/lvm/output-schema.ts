/** What only volumes, snapshots and leftovers of LVM have. */
import { z } from 'zod'

export const lvmVolumeFields = {
  group: z.string().exactOptional().describe('Of LVM: the volume group.'),
  name: z.string().exactOptional().describe('Of LVM: the logical volume.'),
  thinPool: z.string().exactOptional().describe('Of LVM: the thin pool that it takes its space from.'),
}

export const lvmPlanFields = {
  name: z.string().exactOptional().describe('Of LVM: its name.'),
  device: z.string().exactOptional().describe('Of LVM: its device.'),
  create: z.array(z.string()).exactOptional().describe('Of LVM: the command that would take it.'),
  mount: z.array(z.string()).exactOptional().describe('Of LVM: the command that would mount it.'),
}

export const lvmLeftoverFields = {
  group: z.string().exactOptional().describe('Of LVM: its volume group.'),
  snapshot: z.string().exactOptional().describe('Of LVM: its name in that.'),
}
