/** The filesystems on a host's disks, and what is in the way of backing one up whatever its snapshot comes from. */
import { MOUNT_ROOT } from '../contract'
import type { HostFilesystems, Mount } from '../host/mounts'
import { isWord } from '../lib/untrusted'

/** A filesystem on this host's disks, however often it is mounted. */
export interface MountedFilesystem {
  /** The mount that stands for it. */
  readonly mount: Mount
  readonly targets: readonly string[]
  /** Something else is mounted over each of its mount points. */
  readonly hidden: boolean
}

/** Images of what lies elsewhere: there is nothing in them to lose. */
const IMAGE_FILESYSTEMS = ['squashfs', 'iso9660', 'udf', 'erofs', 'cramfs', 'romfs']
/** These are on disks although the kernel gives them no block device's number. */
const OWN_VOLUME_MANAGERS = ['btrfs', 'zfs', 'bcachefs']

/** Network and memory filesystems, and images, are none. */
export function findFilesystems(host: HostFilesystems): MountedFilesystem[] {
  const mounts = host.mounts.filter((mount) => !isOurs(mount) && isOnDisk(host, mount))
  const deviceNumbers = new Set(mounts.map(({ deviceNumber }) => deviceNumber))
  return [...deviceNumbers].flatMap((deviceNumber) => {
    const ofOne = mounts.filter((mount) => mount.deviceNumber === deviceNumber)
    const visible = ofOne.filter((mount) => !isCovered(host, mount))
    const mount = (visible.length > 0 ? visible : ofOne).toSorted(byRank)[0]
    const targets = ofOne.map(({ target }) => target)
    return mount ? [{ mount, targets, hidden: visible.length === 0 }] : []
  })
}

/** What a killed run left mounted is no volume. */
function isOurs({ target }: Mount): boolean {
  return target.startsWith(`${MOUNT_ROOT}/`)
}

function isOnDisk(host: HostFilesystems, { source, filesystem, deviceNumber }: Mount): boolean {
  if (IMAGE_FILESYSTEMS.includes(filesystem)) return false
  if (OWN_VOLUME_MANAGERS.includes(filesystem)) return true
  // A loop device's file is part of another filesystem.
  const type = host.devices.find((device) => device.deviceNumber === deviceNumber)?.type
  return source.startsWith('/dev/') && !deviceNumber.startsWith('0:') && type !== 'loop'
}

function isCovered({ mounts }: HostFilesystems, mount: Mount): boolean {
  return mounts.slice(mounts.indexOf(mount) + 1).some(({ target }) => target === mount.target)
}

/** The whole filesystem before a directory of it, then the shortest mount point: bind mounts come last. */
function byRank(a: Mount, b: Mount): number {
  const part = (mount: Mount) => (mount.root === '/' ? 0 : 1)
  return part(a) - part(b) || a.target.length - b.target.length || (a.target < b.target ? -1 : 1)
}

/**
 * Why a filesystem cannot be backed up, whatever could take a snapshot of it; undefined where nothing is in the way.
 *
 * @param supported - by the source that would take the snapshot
 */
export function reasonAgainst({ mount, hidden }: MountedFilesystem, supported: readonly string[]): string | undefined {
  if (mount.filesystem === 'btrfs') {
    return 'btrfs cannot tell a snapshot from the filesystem, since both have the same id, and can damage both'
  }
  if (!supported.includes(mount.filesystem)) return `${mount.filesystem} is not supported, only ${supported.join(', ')}`
  if (hidden) return 'something else is mounted over it'
  if (![mount.target, mount.label ?? '', mount.options].every(isWord)) {
    return 'its mount point, label or mount options have control characters, which readers reject'
  }
  if (mount.root !== '/') return `only its directory ${mount.root} is mounted`
  return undefined
}
