/** Which filesystems lie on a logical volume that can be snapshotted. */
import { SKIP_TAG } from '../../contract'
import type { HostFilesystems } from '../../host/mounts'
import { reasonAgainst, type MountedFilesystem } from '../filesystems'
import type { Claim, Volume } from '../source'
import type { LogicalVolume } from './reports'

export const FILESYSTEMS = ['ext2', 'ext3', 'ext4', 'xfs'] as const

/** A logical volume with a mounted filesystem. */
export interface LvmVolume extends Volume {
  readonly kind: 'lvm'
  readonly group: string
  /** Of the logical volume. */
  readonly name: string
  /** The thin pool that it takes its space from. */
  readonly thinPool?: string
}

/** @returns undefined where the filesystem is not on LVM */
export function claimFilesystem(
  logicalVolumes: readonly LogicalVolume[],
  { devices, usedBytes }: HostFilesystems,
  found: MountedFilesystem,
): Claim<LvmVolume> | undefined {
  const { mount } = found
  const device = devices.find(({ deviceNumber }) => deviceNumber === mount.deviceNumber)
  const logicalVolume = logicalVolumes.find(
    // btrfs has a device number of its own, hence the second look.
    (lv) => lv.deviceNumber === mount.deviceNumber || lv.device === mount.source,
  )
  if (!logicalVolume) {
    if (device?.type === 'lvm')
      return { unfit: 'lvs does not list its logical volume', remedy: remedyFor(mount.source) }
    if (!device?.below.includes('lvm')) return undefined
    return {
      skipped: `a ${device.type} layer lies between it and its logical volume, and a snapshot could not be read without that`,
    }
  }
  const reason = reasonOfLvm(logicalVolume) ?? reasonAgainst(found, FILESYSTEMS)
  if (reason !== undefined) return { skipped: reason }
  const defect = defectOf(logicalVolume)
  if (defect !== undefined) return { unfit: defect, remedy: remedyFor(mount.source) }
  return { volume: toVolume(logicalVolume, found, usedBytes.get(mount.source) ?? 0) }
}

function reasonOfLvm({ tags, origin, group }: LogicalVolume): string | undefined {
  if (tags.includes(SKIP_TAG)) return `its logical volume is tagged ${SKIP_TAG}`
  return origin === undefined ? undefined : `it is itself a snapshot, of ${group}/${origin}`
}

function defectOf({ group, name, suspended, unreadable }: LogicalVolume): string | undefined {
  if (unreadable !== undefined) return `what lvs reports of ${group}/${name} is not understood: ${unreadable}`
  return suspended ? `${group}/${name} is suspended, so that everything that uses it waits` : undefined
}

function remedyFor(device: string): string {
  return `Look at "dmsetup info ${device}" and "lvs --all"`
}

function toVolume(lv: LogicalVolume, { mount }: MountedFilesystem, usedBytes: number): LvmVolume {
  return {
    kind: 'lvm',
    group: lv.group,
    name: lv.name,
    volume: lv.device.replace('/dev/mapper/', ''),
    device: lv.device,
    mountPoint: mount.target,
    filesystem: mount.filesystem,
    sizeBytes: lv.sizeBytes,
    usedBytes,
    uuid: mount.uuid ?? '',
    label: mount.label ?? '',
    mountOptions: mount.options,
    ...(lv.thinPool !== undefined && { thinPool: lv.thinPool }),
  }
}
