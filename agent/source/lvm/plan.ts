/** How the snapshots of a run are called, made, mounted and removed, and how much space each gets. */
import { MOUNT_ROOT, RUN_TAG_PREFIX, SNAPSHOT_NAME_PREFIX, SNAPSHOT_TAG } from '../../contract'
import type { HostStorage } from './reports'
import type { Volume } from './select'
import { assertPoolsHaveRoom, planSizes } from './space'
import type { SnapshotSize } from '../../options/types'
import type { Argv } from '../../context'

export interface SnapshotPlan {
  readonly origin: Volume
  readonly name: string
  /** `/dev/vg0/snapstream_…` */
  readonly device: string
  readonly kind: 'thin' | 'thick'
  /** Space set aside for what changes in the origin meanwhile; 0 for a thin one, which takes it from the pool. */
  readonly sizeBytes: number
  /** Where it is mounted. */
  readonly mountPoint: string
  readonly create: Argv
  readonly mount: Argv
}

export interface SnapshotRequest {
  readonly run: string
  readonly size: SnapshotSize
}

/**
 * Plans one snapshot for each volume.
 *
 * @throws AgentError SNAPSHOT_SPACE where a volume group or thin pool has too little room
 */
export function planSnapshots(
  storage: HostStorage,
  volumes: readonly Volume[],
  { run, size }: SnapshotRequest,
): SnapshotPlan[] {
  assertPoolsHaveRoom(storage, volumes)
  const sizes = planSizes(storage, volumes, size)
  return volumes.map((origin, index) => {
    const name = `${SNAPSHOT_NAME_PREFIX}${run.replaceAll('-', '_')}_${index}`
    const space = sizes.get(origin)
    const device = `/dev/${origin.group}/${name}`
    // Side by side, not one in another: what tar sees of a directory that something is mounted on is not the directory.
    const mountPoint = `${MOUNT_ROOT}/${run}/${origin.deviceName}`
    return {
      origin,
      name,
      device,
      kind: space ? 'thick' : 'thin',
      sizeBytes: space?.sizeBytes ?? 0,
      mountPoint,
      create: lvcreate(origin, name, run, space?.extents),
      mount: mount(origin, device, mountPoint),
    }
  })
}

function lvcreate({ group, name: origin }: Volume, name: string, run: string, extents: number | undefined): Argv {
  const kind =
    extents === undefined
      ? // Thin snapshots are skipped at activation: rightly so at boot, where a leftover must not stand beside its origin.
        ['--activate', 'y', '--ignoreactivationskip']
      : ['--extents', String(extents)]
  return [
    'lvcreate',
    ...['--yes', '--snapshot', ...kind],
    // The filesystem is frozen while the snapshot is taken, but its journal may still hold work for the next mount:
    // XFS always, ext4 for files that are deleted but open. Only on a writable snapshot can that be done.
    ...['--permission', 'rw'],
    ...['--name', name, '--addtag', SNAPSHOT_TAG, '--addtag', `${RUN_TAG_PREFIX}${run}`],
    `${group}/${origin}`,
  ]
}

export function lvremove(group: string, name: string): Argv {
  return ['lvremove', '--yes', `${group}/${name}`]
}

export function lvextend(group: string, name: string, extents: number): Argv {
  return ['lvextend', '--extents', `+${extents}`, `${group}/${name}`]
}

export function lvaddtag(group: string, name: string, tag: string): Argv {
  return ['lvchange', '--addtag', tag, `${group}/${name}`]
}

/** Read-only for everybody, the kernel's replay of the journal excepted. */
function mount({ filesystem }: Volume, device: string, mountPoint: string): Argv {
  const options = ['ro', 'nosuid', 'nodev', 'noexec']
  // The snapshot has the origin's id, and XFS refuses to mount one id twice.
  if (filesystem === 'xfs') options.push('nouuid')
  options.push('X-mount.mkdir=0700')
  const where = ['--source', device, '--target', mountPoint]
  return ['mount', '--types', filesystem, '--options', options.join(','), ...where]
}

export function umount(mountPoint: string): Argv {
  return ['umount', '--', mountPoint]
}

/** Takes it out of the mount table now, and unmounts it once nobody uses it any more. */
export function umountLazily(mountPoint: string): Argv {
  return ['umount', '--lazy', '--', mountPoint]
}
