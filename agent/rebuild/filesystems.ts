/** The filesystems of a host, made again with their ids, and mounted to be filled. */
import { AgentError } from '../errors'
import type { Manifest, VolumeBackup } from '../run/manifest'
import { step, type MadeDevice, type RebuildStep } from '../source/rebuild-step'
import { mkfsOptions } from './mkfs'
import type { Signature } from './signatures'

/** A filesystem or swap to make, as it was. */
export interface MadeFilesystem {
  readonly device: string
  readonly type: string
  readonly uuid: string
  readonly label: string
  /** What it was made of, as far as that is known. */
  readonly description: string
  /** Absent where it was not backed up: then it stays empty. */
  readonly volume?: VolumeBackup
}

const MAPPER = '/dev/mapper/'

/** What mkfs of this release makes can be made again: filesystems of backed up volumes, and of their neighbours. */
const MAKEABLE = ['ext2', 'ext3', 'ext4', 'xfs', 'vfat', 'swap']

/** Where a volume was on the host. Earlier manifests have volumes of LVM alone, and their names say it. */
export function formerDevice({ volume, device }: VolumeBackup): string {
  return device ?? `${MAPPER}${volume}`
}

/** Whether it lay on a partition, or on a whole disk. */
export function wasOnDisk(volume: VolumeBackup): boolean {
  return !formerDevice(volume).startsWith(MAPPER)
}

/**
 * Those of the volumes in the order given, then those that were not backed up.
 *
 * @throws AgentError OUTPUT_UNREADABLE where a volume was on nothing that is made again
 */
export function chooseFilesystems(
  volumes: readonly VolumeBackup[],
  descriptions: Readonly<Record<string, string>>,
  devices: readonly MadeDevice[],
  signatures: readonly Signature[],
): MadeFilesystem[] {
  const madeOf = new Map(devices.map((made) => [made.former, made.device]))
  const backedUp = volumes.map((volume) => ({
    ...{ device: deviceOf(volume, madeOf), type: volume.filesystem, uuid: volume.uuid, label: volume.label },
    description: descriptions[volume.volume] ?? '',
    volume,
  }))
  const others = signatures.flatMap((signature) => {
    const device = madeOf.get(signature.device)
    const isOurs = device !== undefined && !backedUp.some((filesystem) => filesystem.device === device)
    return isOurs && MAKEABLE.includes(signature.type) ? [{ ...signature, device, description: '' }] : []
  })
  return [...backedUp, ...others]
}

function deviceOf(volume: VolumeBackup, madeOf: ReadonlyMap<string, string>): string {
  const former = formerDevice(volume)
  const device = wasOnDisk(volume) ? madeOf.get(former) : former
  if (device !== undefined) return device
  throw new AgentError('OUTPUT_UNREADABLE', `the manifest does not say on which disk ${volume.mountPoint} was`, {
    hint: 'Make filesystems by hand, and restore the volumes into them with "snapstream restore".',
  })
}

/** What mkfs takes for an order of its own in the place of a UUID (mkfs(8), mkswap(8)). */
const ORDERS = /^(?:clear|null|nil|random|time|generate|rewrite|restore)$/i
/** The serial of a FAT filesystem, as blkid writes it. */
const SERIAL = /^(?:[0-9A-F]{4}-[0-9A-F]{4})?$/i
/** No part of a path leads upwards, or is empty. */
const PLAIN_PATH = /^\/$|^(?:\/(?!\.{1,2}(?:\/|$))[^/]+)+$/

/** @throws AgentError ARCHIVE_DAMAGED */
export function assertMakeable(manifest: Manifest, { device, type, uuid, volume }: MadeFilesystem): void {
  if (!MAKEABLE.includes(type) || (volume && type === 'swap'))
    throw forged(manifest, `filesystem '${type}' on ${device}`)
  if (!(type === 'vfat' ? SERIAL : /^[\w-]*$/).test(uuid) || ORDERS.test(uuid))
    throw forged(manifest, `UUID '${uuid}' on ${device}`)
  if (volume && !PLAIN_PATH.test(volume.mountPoint)) throw forged(manifest, `mount point '${volume.mountPoint}'`)
  if (!/^\/dev(?:\/(?!\.{1,2}(?:\/|$))[\w+.:-]+)+$/.test(device)) throw forged(manifest, `device '${device}'`)
}

export function forged({ run, host }: Manifest, what: string): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', `the manifest of ${run} has ${what}, which ${host} cannot have had`, {
    hint:
      'Someone may have written it to have their own commands run: examine it, and find out who had access to the host at that time. ' +
      'An earlier run may be good: "snapstream list".',
  })
}

export function makeFilesystem(filesystem: MadeFilesystem): RebuildStep {
  const { device, type, description, volume } = filesystem
  const what =
    type === 'swap' ? 'swap' : `the filesystem of ${volume ? volume.mountPoint : `${device}, which stays empty`}`
  const program = type === 'swap' ? 'mkswap' : `mkfs.${type}`
  const quietly = type === 'swap' || type === 'vfat' ? [] : ['-q']
  const argv = [program, ...quietly, ...mkfsOptions(type, description), ...idsOf(filesystem), device] as const
  return step(`${what}, with the UUID and label that it had`, argv)
}

function idsOf({ type, uuid, label }: MadeFilesystem): string[] {
  const identified = {
    vfat: ['-i', uuid.replace('-', '')],
    xfs: ['-m', `uuid=${uuid}`],
  }[type] ?? ['-U', uuid]
  return [...(uuid === '' ? [] : identified), ...(label === '' ? [] : [type === 'vfat' ? '-n' : '-L', label])]
}

/** FAT has no owners and modes but those that it was mounted with; a restore gives files back what they had. */
const FAT_OPTIONS = /^(?:uid|gid|umask|fmask|dmask)=\d{1,10}$/

export function mountVolume({ volume, device }: MadeFilesystem, target: string): RebuildStep[] {
  if (!volume) return []
  const { mountPoint, filesystem, mountOptions } = volume
  const directory = mountPoint === '/' ? target : `${target}${mountPoint}`
  const options = filesystem === 'vfat' ? mountOptions.split(',').filter((option) => FAT_OPTIONS.test(option)) : []
  return [
    step(`where ${mountPoint} is mounted during the restore`, ['mkdir', '--parents', '--', directory]),
    step(`${mountPoint}, empty so far`, [
      ...(['mount', ...(options.length === 0 ? [] : ['-o', options.join(',')])] as const),
      device,
      directory,
    ]),
  ]
}
