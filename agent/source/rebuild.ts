import { AgentError } from '../errors'
import { planLvm } from './lvm/rebuild'
import type { DeviceLayout, ReplacedDisks } from './rebuild-step'
import type { HostLayouts } from './record'

/**
 * What has to be made on empty disks, before filesystems can be made and restored.
 *
 * @throws AgentError OUTPUT_UNREADABLE where what the manifest has of the host's disks is not understood, USAGE where the
 * disks given are not those of the host
 */
export function planDevices({ lvm }: HostLayouts, disks: ReplacedDisks): DeviceLayout {
  if (lvm) return planLvm(lvm, disks)
  throw new AgentError('OUTPUT_UNREADABLE', 'the manifest does not say on which disks its volumes were', {
    hint: 'Make filesystems by hand, and restore the volumes into them with "snapstream restore".',
  })
}
