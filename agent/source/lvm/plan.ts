/** How the snapshots of a run are called, made, mounted and removed, and how much space each gets. */
import { MOUNT_ROOT, SNAPSHOT_NAME_PREFIX, SNAPSHOT_TAG, RUN_TAG_PREFIX } from '../../contract'
import type { Argv } from '../../context'
import { formatBytes } from '../../lib/text'
import { excludesWithin, tarCreate } from '../../tar/commands'
import { mountReadOnly } from '../mount'
import type { DeviceSnapshotPlan, SnapshotRequest } from '../source'
import type { LvmVolume } from './claim'
import type { LvmSource } from './record'
import type { LvmState } from './reports'
import { assertPoolsHaveRoom, planSizes } from './space'

/** One snapshot of a logical volume. */
export interface LvmPlan extends DeviceSnapshotPlan {
  readonly origin: LvmVolume
  readonly source: LvmSource
  /** Of the snapshot. */
  readonly name: string
  readonly create: Argv
}

/**
 * Plans one snapshot for each volume.
 *
 * @throws AgentError SNAPSHOT_SPACE where a volume group or thin pool has too little room
 */
export function planSnapshots(
  state: LvmState,
  volumes: readonly LvmVolume[],
  { run, size, exclude, tags }: SnapshotRequest,
): LvmPlan[] {
  assertPoolsHaveRoom(state, volumes)
  const sizes = planSizes(state, volumes, size)
  return volumes.map((origin, index) => {
    const name = `${SNAPSHOT_NAME_PREFIX}${run.replaceAll('-', '_')}_${index}`
    const space = sizes.get(origin)
    const device = `/dev/${origin.group}/${name}`
    // Side by side, not one in another: what tar sees of a directory that something is mounted on is not the directory.
    const mountPoint = `${MOUNT_ROOT}/${run}/${origin.volume}`
    const sizeBytes = space?.sizeBytes ?? 0
    return {
      origin,
      name,
      device,
      mountPoint,
      tar: tarCreate(mountPoint, excludesWithin(origin.mountPoint, exclude), tags),
      source: {
        ...{ kind: 'lvm', group: origin.group, name: origin.name },
        snapshot: { type: space ? 'thick' : 'thin', sizeBytes },
      },
      originName: `${origin.group}/${origin.name}`,
      description: space ? `snapshot of ${formatBytes(sizeBytes)}` : 'thin snapshot',
      create: lvcreate(origin, name, run, space?.extents),
      mount: mountReadOnly(origin.filesystem, device, mountPoint),
    }
  })
}

function lvcreate({ group, name: origin }: LvmVolume, name: string, run: string, extents: number | undefined): Argv {
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
