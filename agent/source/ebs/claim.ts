/** Which filesystems lie on disks of EBS that can be copied, and why others do not. */
import type { AttachmentLimit, EbsSnapshot, EbsVolume, InstanceFacts, InstanceIdentity } from '../../ec2'
import type { HostFilesystems } from '../../host/mounts'
import { reasonAgainst, type MountedFilesystem } from '../filesystems'
import type { Claim, Volume } from '../source'
import { mountPointName } from '../volume-name'
import { devicesOf, disksBelow, volumeIdOf, type Device, type Disks } from './disks'

export const FILESYSTEMS = ['ext2', 'ext3', 'ext4', 'xfs', 'vfat'] as const

/** A filesystem on a disk of EBS. */
export interface EbsFilesystem extends Volume {
  readonly kind: 'ebs'
  readonly volumeId: string
  /** Absent where it has the whole disk. */
  readonly partition?: number
}

/** What EC2 and the kernel say of an instance's disks. */
export interface EbsState {
  readonly instance: InstanceIdentity
  readonly facts: InstanceFacts
  readonly limit: AttachmentLimit | undefined
  readonly disks: Disks
  /** Names of devices that are physical volumes of LVM. */
  readonly physicalVolumes: readonly string[]
  /** What bears this host's mark. */
  readonly ownVolumes: readonly EbsVolume[]
  readonly ownSnapshots: readonly EbsSnapshot[]
}

/** Where a filesystem lies, or why not on a disk that can be copied. */
type Place = { readonly device: Device; readonly volumeId: string } | { readonly absence: string }

export function findPlace({ disks, facts, physicalVolumes }: EbsState, { mount }: MountedFilesystem): Place {
  const device =
    disks.devices.find(({ deviceNumber }) => deviceNumber === mount.deviceNumber) ??
    // btrfs has a device number of its own.
    disks.devices.find(({ name }) => `/dev/${name}` === mount.source)
  if (!device) return { absence: 'on no disk of this instance' }
  const below = disksBelow(disks, device)
  const [disk] = below
  if (!disk || !['disk', 'part'].includes(device.type)) {
    const on = below.length > 1 ? `${below.length} disks` : 'its disk'
    return { absence: `a ${device.type} layer lies between it and ${on}, without which a copy could not be read` }
  }
  const serial = disks.serials.get(disk.name)
  if (serial === undefined || serial === '(null)') {
    return {
      absence: `${disk.name} has no serial, by which its copy would be known (disks of Xen instances have none)`,
    }
  }
  const volumeId = volumeIdOf(serial)
  if (!facts.volumes.some((volume) => volume.volumeId === volumeId) || volumeId === undefined) {
    return { absence: `${disk.name} is no volume of EBS, as instance store is none` }
  }
  if (devicesOf(disks, disk).some(({ name, type }) => type === 'lvm' || physicalVolumes.includes(name))) {
    return { absence: `${disk.name} also holds a physical volume of LVM, and LVM takes no two of the same` }
  }
  return { device, volumeId }
}

/** @returns undefined where the filesystem does not lie on a disk that can be copied */
export function claimFilesystem(
  state: EbsState,
  { usedBytes }: HostFilesystems,
  found: MountedFilesystem,
): Claim<EbsFilesystem> | undefined {
  const place = findPlace(state, found)
  if ('absence' in place) return undefined
  const reason = reasonAgainst(found, FILESYSTEMS)
  if (reason !== undefined) return { skipped: reason }
  if (freeSlots(state) === 0) {
    return {
      unfit: `${state.facts.volumes.length} volumes are attached to this instance, and no more can be`,
      remedy: 'Detach a volume, or use a larger instance type',
    }
  }
  return { volume: toVolume(state, place, found, usedBytes.get(found.mount.source) ?? 0) }
}

/** How many copies can be attached at once; undefined where EC2 does not say. What an earlier run left will have gone. */
export function freeSlots({ facts, limit, disks, ownVolumes, instance }: EbsState): number | undefined {
  if (!limit) return undefined
  const strays = ownVolumes.filter(({ attachment }) => attachment?.instanceId === instance.instanceId).length
  const otherDisks = disks.devices.filter(({ name, type }) => type === 'disk' && isInstanceStore(disks, name)).length
  const others = limit.shared ? facts.networkInterfaces + otherDisks : 0
  return Math.max(0, limit.attachmentsMax - (facts.volumes.length - strays) - others)
}

function isInstanceStore({ serials }: Disks, name: string): boolean {
  return name.startsWith('nvme') && volumeIdOf(serials.get(name)) === undefined
}

function toVolume(
  { disks }: EbsState,
  { device, volumeId }: Extract<Place, { device: Device }>,
  { mount }: MountedFilesystem,
  usedBytes: number,
): EbsFilesystem {
  const partition = disks.partitions.get(device.name)
  return {
    ...{ kind: 'ebs', volumeId, ...(device.type === 'part' && partition !== undefined && { partition }) },
    volume: mountPointName(mount.target),
    device: `/dev/${device.name}`,
    mountPoint: mount.target,
    filesystem: mount.filesystem,
    ...{ sizeBytes: device.sizeBytes, usedBytes },
    ...{ uuid: mount.uuid ?? '', label: mount.label ?? '', mountOptions: mount.options },
  }
}
