/** What a manifest says of volumes on LVM, and of the LVM of their host. */
import { z } from 'zod'
import { bytes, fileName, lines, recordOf, toolOutput, word } from '../../lib/untrusted'

export const lvmSourceSchema = z.object({
  kind: z.literal('lvm').describe('A snapshot of a logical volume.'),
  group: fileName.describe('Volume group.'),
  name: fileName.describe('Name of the logical volume.'),
  snapshot: z
    .object({
      type: z.enum(['thin', 'thick']).describe('Of a thin pool, or with space of its own.'),
      sizeBytes: bytes.describe('Space reserved for changes; 0 for a thin one.'),
    })
    .describe('What was made of it for the backup.'),
})

/** Reports are as the tools printed them, in JSON. */
export const lvmLayoutSchema = z.object({
  lvs: toolOutput.describe('What `lvs` printed, in JSON.'),
  vgs: toolOutput.describe('What `vgs` printed, in JSON.'),
  pvs: toolOutput.describe('What `pvs` printed, in JSON.'),
  thinPools: toolOutput
    .optional()
    .describe('What `lvs` printed of thin pools, in JSON: what a pool made anew must not leave to defaults.'),
  hasDevicesFile: z.boolean().optional().describe('Whether LVM of the host takes only the devices that a file lists.'),
  groupConfigurations: recordOf(word, lines).describe('The text of `vgcfgbackup`, by volume group.'),
})

export type LvmSource = Readonly<z.infer<typeof lvmSourceSchema>>
/** What a rebuild of the host's LVM on empty disks needs. */
export type LvmLayout = Readonly<z.infer<typeof lvmLayoutSchema>>

/** Where it is there, LVM takes no other devices than those that it lists (lvmdevices(8)). */
export const DEVICES_FILE = '/etc/lvm/devices/system.devices'

/** `vg0-home`: the device mapper doubles hyphens within names (libdm's `dm_build_dm_name`). */
export function deviceMapperName({ group, name }: Pick<LvmSource, 'group' | 'name'>): string {
  return `${group.replaceAll('-', '--')}-${name.replaceAll('-', '--')}`
}
