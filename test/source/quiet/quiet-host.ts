/** A host with its EFI system partition, /boot, and some more beside LVM. */
import type { HostFilesystems, Mount } from '../../../agent/host/mounts'
import { findFilesystems, type MountedFilesystem } from '../../../agent/source/filesystems'
import type { QuietState } from '../../../agent/source/quiet/claim'

const MIB = 1024 ** 2

interface Given extends Partial<Mount> {
  readonly target: string
  readonly usedMiB?: number
}

export function quietHost(...given: readonly Given[]): HostFilesystems {
  const mounts = given.map(({ usedMiB, ...mount }, index) => ({
    usedMiB,
    ...{ source: `/dev/sda${index}`, filesystem: 'ext4', options: 'rw', deviceNumber: `8:${index}`, root: '/' },
    ...mount,
  }))
  const usedBytes = new Map(mounts.map(({ source, usedMiB = 100 }) => [source, usedMiB * MIB]))
  return { mounts, devices: [], usedBytes }
}

export const BOOT_HOST = quietHost(
  { target: '/', filesystem: 'xfs', source: '/dev/mapper/vg-root', deviceNumber: '254:0', usedMiB: 900 },
  { target: '/boot', uuid: '0a-1b', label: 'boot', usedMiB: 200 },
  { target: '/boot/efi', filesystem: 'vfat', usedMiB: 6 },
)

export function quietState(host: HostFilesystems, changes: Partial<QuietState> = {}): QuietState {
  const sizesBytes = new Map(host.mounts.map(({ source }) => [source, 1024 * MIB]))
  return { writable: ['/', '/var/log', '/etc'], hasSystemd: true, sizesBytes, availableBytes: 2048 * MIB, ...changes }
}

export function filesystemAt(host: HostFilesystems, mountPoint: string): MountedFilesystem {
  const found = findFilesystems(host).find(({ targets }) => targets.includes(mountPoint))
  if (!found) throw new Error(`nothing is mounted at ${mountPoint}`)
  return found
}
