/** Which filesystems of a host are backed up, and why the others are not. */
import { MOUNT_ROOT, SKIP_TAG } from '../../contract'
import { AgentError } from '../../errors'
import type { HostStorage, LogicalVolume } from './reports'
import { isWord } from '../../lib/untrusted'
import type { Mount } from '../../host/mounts'
import { findNearest } from '../../lib/nearest'

const FILESYSTEMS = ['ext2', 'ext3', 'ext4', 'xfs'] as const
export type Filesystem = (typeof FILESYSTEMS)[number]

/** A logical volume with a mounted filesystem: what is backed up. */
export interface Volume {
  readonly group: string
  readonly name: string
  /** `vg0-home`: its name in keys and messages. Hyphens within names are doubled. */
  readonly deviceName: string
  /** `/dev/mapper/vg0-home` */
  readonly device: string
  readonly mountPoint: string
  readonly filesystem: Filesystem
  /** Of the logical volume. */
  readonly sizeBytes: number
  /** By the filesystem. */
  readonly usedBytes: number
  /** Of the filesystem; empty where it has none. */
  readonly uuid: string
  readonly label: string
  /** Mount options, as in the mount table. */
  readonly options: string
  /** The thin pool that it takes its space from. */
  readonly thinPool?: string
}

/** A filesystem that is not backed up. */
export interface LeftOut {
  readonly mountPoint: string
  readonly device: string
  readonly filesystem: string
  readonly reason: string
}

export interface Selection {
  /** By mount point, so that a parent comes before what is mounted in it. */
  readonly volumes: readonly Volume[]
  /** On LVM, but not backed up. */
  readonly skipped: readonly LeftOut[]
  /** On this host's disks, but not on LVM. Network and memory filesystems are not listed. */
  readonly notOnLvm: readonly LeftOut[]
  /** On LVM and chosen, but in no state to be snapshotted now: a backup without them is incomplete. */
  readonly unfit: readonly LeftOut[]
}

export interface Choice {
  /** Mount points; none given means all volumes. */
  readonly volumes?: readonly string[] | undefined
  readonly excludeVolumes?: readonly string[] | undefined
}

/** Images of what lies elsewhere: there is nothing in them to lose. */
const IMAGE_FILESYSTEMS = ['squashfs', 'iso9660', 'udf', 'erofs', 'cramfs', 'romfs']
/** These are on disks although the kernel gives them no block device's number. */
const OWN_VOLUME_MANAGERS = ['btrfs', 'zfs', 'bcachefs']

/**
 * Selects every logical volume with a mounted ext2, ext3, ext4 or xfs filesystem, or those that were chosen.
 *
 * @throws AgentError NO_VOLUME where nothing is left to back up; UNKNOWN_VOLUME where nothing is mounted at a chosen
 * mount point; VOLUME_UNSUPPORTED where that cannot be backed up
 */
export function selectVolumes(storage: HostStorage, choice: Choice = {}): Selection {
  const findings = findFilesystems(storage).map((filesystem) => judge(storage, filesystem))
  const volumes = findings.flatMap((finding) => ('volume' in finding ? [finding] : []))
  const refused = findings.flatMap((finding) => ('reason' in finding ? [finding] : []))
  const includes = (mountPoints: readonly string[] | undefined, { targets }: { targets: readonly string[] }) =>
    mountPoints?.some((mountPoint) => targets.includes(mountPoint)) ?? false

  const named = choice.volumes?.length ? choice.volumes : undefined
  const isChosen = (found: Refused) =>
    !includes(choice.excludeVolumes, found) && (named === undefined || includes(named, found))
  for (const mountPoint of named ?? []) assertBackedUp(mountPoint, volumes, refused)
  for (const mountPoint of choice.excludeVolumes ?? []) assertKnown(mountPoint, [...volumes, ...refused])

  const reasonOf = (found: Found): string | undefined => {
    if (includes(choice.excludeVolumes, found)) return 'excluded by --exclude-volumes'
    return named && !includes(named, found) ? 'not among --volumes' : undefined
  }
  const selection: Selection = {
    volumes: volumes
      .filter((found) => reasonOf(found) === undefined)
      .map(({ volume }) => volume)
      .sort((a, b) => (a.mountPoint < b.mountPoint ? -1 : 1)),
    skipped: [
      ...refused
        .filter((found) => found.kind === 'skipped' || (found.kind === 'unfit' && !isChosen(found)))
        .map(leftOut),
      ...volumes.flatMap((found) => leftOutUnless(reasonOf(found), found)),
    ],
    notOnLvm: refused.filter(({ kind }) => kind === 'notOnLvm').map(leftOut),
    unfit: refused.filter((found) => found.kind === 'unfit' && isChosen(found)).map(leftOut),
  }
  if (selection.volumes.length === 0) throw noVolume(selection)
  return selection
}

/** A filesystem on this host's disks, however often it is mounted. */
interface MountedFilesystem {
  /** The mount that stands for it. */
  readonly mount: Mount
  readonly targets: readonly string[]
  /** Something else is mounted over each of its mount points. */
  readonly hidden: boolean
}

interface Found {
  readonly volume: Volume
  readonly targets: readonly string[]
}

interface Refused extends LeftOut {
  readonly targets: readonly string[]
  readonly kind: 'skipped' | 'notOnLvm' | 'unfit'
}

function findFilesystems(storage: HostStorage): MountedFilesystem[] {
  const mounts = storage.mounts.filter((mount) => !isOurs(mount) && isOnDisk(storage, mount))
  const deviceNumbers = new Set(mounts.map(({ deviceNumber }) => deviceNumber))
  return [...deviceNumbers].flatMap((deviceNumber) => {
    const ofOne = mounts.filter((mount) => mount.deviceNumber === deviceNumber)
    const visible = ofOne.filter((mount) => !isCovered(storage, mount))
    const mount = (visible.length > 0 ? visible : ofOne).toSorted(byRank)[0]
    const targets = ofOne.map(({ target }) => target)
    return mount ? [{ mount, targets, hidden: visible.length === 0 }] : []
  })
}

/** What a killed run left mounted is no volume. */
function isOurs({ target }: Mount): boolean {
  return target.startsWith(`${MOUNT_ROOT}/`)
}

function isOnDisk(storage: HostStorage, { source, filesystem, deviceNumber }: Mount): boolean {
  if (IMAGE_FILESYSTEMS.includes(filesystem)) return false
  if (OWN_VOLUME_MANAGERS.includes(filesystem)) return true
  // A loop device's file is part of another filesystem.
  const type = storage.devices.find((device) => device.deviceNumber === deviceNumber)?.type
  return source.startsWith('/dev/') && !deviceNumber.startsWith('0:') && type !== 'loop'
}

function isCovered({ mounts }: HostStorage, mount: Mount): boolean {
  return mounts.slice(mounts.indexOf(mount) + 1).some(({ target }) => target === mount.target)
}

/** The whole filesystem before a directory of it, then the shortest mount point: bind mounts come last. */
function byRank(a: Mount, b: Mount): number {
  const part = (mount: Mount) => (mount.root === '/' ? 0 : 1)
  return part(a) - part(b) || a.target.length - b.target.length || (a.target < b.target ? -1 : 1)
}

function judge(storage: HostStorage, found: MountedFilesystem): Found | Refused {
  const { mount, targets } = found
  const device = storage.devices.find(({ deviceNumber }) => deviceNumber === mount.deviceNumber)
  const logicalVolume = storage.logicalVolumes.find(
    // btrfs has a device number of its own, hence the second look.
    (lv) => lv.deviceNumber === mount.deviceNumber || lv.device === mount.source,
  )
  const refuse = (kind: Refused['kind'], reason: string): Refused => ({
    mountPoint: mount.target,
    device: mount.source,
    filesystem: mount.filesystem,
    reason,
    targets,
    kind,
  })
  if (!logicalVolume) {
    if (device?.type === 'lvm') return refuse('unfit', 'lvs does not list its logical volume')
    if (!device?.below.includes('lvm')) return refuse('notOnLvm', 'not on LVM')
    return refuse(
      'skipped',
      `a ${device.type} layer lies between it and its logical volume, and a snapshot could not be read without that`,
    )
  }
  const reason = reasonAgainst(logicalVolume, found)
  if (reason !== undefined) return refuse('skipped', reason)
  const defect = defectOf(logicalVolume)
  if (defect !== undefined) return refuse('unfit', defect)
  return { volume: toVolume(logicalVolume, mount, storage.usedBytes.get(mount.source) ?? 0), targets }
}

function reasonAgainst(lv: LogicalVolume, { mount, hidden }: MountedFilesystem): string | undefined {
  if (lv.tags.includes(SKIP_TAG)) return `its logical volume is tagged ${SKIP_TAG}`
  if (lv.origin !== undefined) return `it is itself a snapshot, of ${lv.group}/${lv.origin}`
  if (mount.filesystem === 'btrfs') {
    return 'btrfs takes a snapshot for the filesystem itself, since both have one id, and can damage both'
  }
  if (!isSupported(mount.filesystem)) return `${mount.filesystem} is not supported, only ${FILESYSTEMS.join(', ')}`
  if (hidden) return 'something else is mounted over it'
  if (![mount.target, mount.label ?? '', mount.options].every(isWord)) {
    return 'there are control characters in its mount point, label or mount options, which no reader takes for good'
  }
  if (mount.root !== '/') return `only its directory ${mount.root} is mounted`
  return undefined
}

function defectOf({ group, name, suspended, unreadable }: LogicalVolume): string | undefined {
  if (unreadable !== undefined) return `what lvs reports of ${group}/${name} is not understood: ${unreadable}`
  return suspended ? `${group}/${name} is suspended, so that everything that uses it waits` : undefined
}

function isSupported(filesystem: string): filesystem is Filesystem {
  return (FILESYSTEMS as readonly string[]).includes(filesystem)
}

function toVolume(lv: LogicalVolume, mount: Mount, usedBytes: number): Volume {
  return {
    group: lv.group,
    name: lv.name,
    deviceName: lv.device.replace('/dev/mapper/', ''),
    device: lv.device,
    mountPoint: mount.target,
    filesystem: mount.filesystem as Filesystem,
    sizeBytes: lv.sizeBytes,
    usedBytes,
    uuid: mount.uuid ?? '',
    label: mount.label ?? '',
    options: mount.options,
    ...(lv.thinPool !== undefined && { thinPool: lv.thinPool }),
  }
}

function leftOut({ mountPoint, device, filesystem, reason }: LeftOut): LeftOut {
  return { mountPoint, device, filesystem, reason }
}

function leftOutUnless(reason: string | undefined, { volume }: Found): LeftOut[] {
  return reason === undefined ? [] : [leftOut({ ...volume, reason })]
}

function assertBackedUp(mountPoint: string, volumes: readonly Found[], refused: readonly Refused[]): void {
  if (volumes.some(({ targets }) => targets.includes(mountPoint))) return
  const because = refused.find(({ targets }) => targets.includes(mountPoint))
  if (because?.kind === 'unfit') return // a failure of its own, not of the others
  if (!because) assertKnown(mountPoint, volumes)
  else
    throw new AgentError('VOLUME_UNSUPPORTED', `${mountPoint} cannot be backed up: ${because.reason}`, {
      hint: 'Leave it out of --volumes.',
    })
}

function assertKnown(mountPoint: string, filesystems: readonly { readonly targets: readonly string[] }[]): void {
  const known = filesystems.flatMap(({ targets }) => targets)
  if (known.includes(mountPoint)) return
  const nearest = findNearest(mountPoint, known)
  const holder = known
    .filter((target) => mountPoint.startsWith(target.replace(/\/?$/, '/')))
    .sort((a, b) => b.length - a.length)[0]
  const hints = [
    ...(nearest === undefined ? [] : [`Did you mean ${nearest}?`]),
    ...(nearest !== undefined || holder === undefined ? [] : [`It is a directory of the volume at ${holder}.`]),
    `There are: ${known.toSorted().join(', ')}.`,
  ]
  throw new AgentError('UNKNOWN_VOLUME', `no volume is mounted at ${mountPoint}`, { hint: hints.join(' ') })
}

function noVolume({ skipped, notOnLvm, unfit }: Selection): AgentError {
  const others = [...unfit, ...skipped, ...notOnLvm].map(({ mountPoint, reason }) => `${mountPoint} (${reason})`)
  return new AgentError('NO_VOLUME', 'there is no volume to back up', {
    hint:
      'A volume is a logical volume of LVM with a mounted ext2, ext3, ext4 or xfs filesystem. ' +
      (others.length > 0 ? `Not backed up are: ${others.join(', ')}.` : 'No other filesystem is on a disk either.'),
  })
}
