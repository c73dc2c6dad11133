/** What a manifest says of volumes on LVM, and of the LVM of their host. */
import { z } from 'zod'
import { bytes, fileName, lines, recordOf, toolOutput, word } from '../../lib/untrusted'

export const lvmSourceSchema = z.object({
  kind: z.literal('lvm'),
  group: fileName,
  /** Of the logical volume. */
  name: fileName,
  snapshot: z.object({
    type: z.enum(['thin', 'thick']),
    /** Of a thick snapshot: space reserved for changes. 0 for a thin one. */
    sizeBytes: bytes,
  }),
})

/** Reports are as the tools printed them, in JSON. */
export const lvmLayoutSchema = z.object({
  lvs: toolOutput,
  vgs: toolOutput,
  pvs: toolOutput,
  /** Of thin pools: what a pool made anew must not leave to defaults. */
  thinPools: toolOutput.optional(),
  /** `vgcfgbackup` text by volume group. */
  groupConfigurations: recordOf(word, lines),
})

export type LvmSource = Readonly<z.infer<typeof lvmSourceSchema>>
/** What a rebuild of the host's LVM on empty disks needs. */
export type LvmLayout = Readonly<z.infer<typeof lvmLayoutSchema>>

/** `vg0-home`: the device mapper doubles hyphens within names (libdm's `dm_build_dm_name`). */
export function deviceMapperName({ group, name }: Pick<LvmSource, 'group' | 'name'>): string {
  return `${group.replaceAll('-', '--')}-${name.replaceAll('-', '--')}`
}
