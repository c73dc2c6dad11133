/** Which filesystems are small enough, and quiet enough, to be read in place. */
import type { HostFilesystems } from '../../host/mounts'
import { holdsAny } from '../../host/freeze'
import { formatBytes } from '../../lib/text'
import { reasonAgainst, type MountedFilesystem } from '../filesystems'
import type { Volume } from '../source'
import { mountPointName } from '../volume-name'

export const FILESYSTEMS = ['ext2', 'ext3', 'ext4', 'xfs', 'vfat'] as const

/** Of a filesystem: what is read is kept in memory until it is sent (design limit). */
export const USED_BYTES_MAX = 1024 ** 3

export interface QuietVolume extends Volume {
  readonly kind: 'quiet'
}

/** What is known of a host besides its filesystems. */
export interface QuietState {
  /** Absolute paths, without links, that the host and the agent write to at any time. */
  readonly writable: readonly string[]
  /** Whether anything can be frozen. */
  readonly hasSystemd: boolean
  /** Of devices that filesystems may be read from, by source. */
  readonly sizesBytes: ReadonlyMap<string, number>
  /** Of memory, for all that is read. */
  readonly availableBytes: number
}

/**
 * Why a filesystem cannot be read in place; undefined where nothing is in the way. Where one cannot, no other filesystem is worse
 * off: it is reported as every other that no source can read.
 *
 * @param writable - as in `QuietState`
 */
export function reasonAgainstReading(
  filesystems: HostFilesystems,
  writable: readonly string[],
  found: MountedFilesystem,
): string | undefined {
  const reason = reasonAgainst(found, FILESYSTEMS)
  if (reason !== undefined) return reason
  const usedBytes = filesystems.usedBytes.get(found.mount.source)
  if (usedBytes === undefined) return 'df does not say how much of it is used'
  if (usedBytes > USED_BYTES_MAX) {
    return `too large to be read in place: ${formatBytes(usedBytes)} used of at most ${formatBytes(USED_BYTES_MAX)}`
  }
  const isWritten = holdsAny(['/', ...writable], found.mount.deviceNumber, filesystems.mounts)
  return isWritten ? 'too busy to be read in place: the system, its logs or the agent write to it' : undefined
}

export function claimFilesystem(
  filesystems: HostFilesystems,
  { writable, sizesBytes }: QuietState,
  found: MountedFilesystem,
): { readonly volume: QuietVolume } | { readonly reason: string } {
  const reason = reasonAgainstReading(filesystems, writable, found)
  if (reason !== undefined) return { reason }
  const { mount } = found
  const sizeBytes = sizesBytes.get(mount.source)
  if (sizeBytes === undefined) return { reason: 'its device does not say how large it is' }
  const volume: QuietVolume = {
    kind: 'quiet',
    volume: mountPointName(mount.target),
    device: mount.source,
    mountPoint: mount.target,
    filesystem: mount.filesystem,
    sizeBytes,
    usedBytes: filesystems.usedBytes.get(mount.source) ?? 0,
    uuid: mount.uuid ?? '',
    label: mount.label ?? '',
    mountOptions: mount.options,
  }
  return { volume }
}
