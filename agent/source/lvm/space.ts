/** Space for snapshots: from the group's free extents for thick ones, from the pool for thin ones. */
import { AgentError } from '../../errors'
import type { LvmVolume } from './claim'
import type { LogicalVolume, LvmState, VolumeGroup } from './reports'
import { formatBytes } from '../../lib/text'
import type { SnapshotSize } from '../../options/types'

/** Of the origin: what `auto` takes where there is enough. Few hosts rewrite this much in the hour a backup takes. */
const AUTO_PERCENT = 20
/** Of the origin: with less, `auto` refuses, since the snapshot would probably overflow. */
const AUTO_PERCENT_MIN = 3
/** LVM's own bookkeeping and one busy second take this much, however small the origin. */
const AUTO_BYTES_MIN = 32 * 1024 * 1024
/** Of the free extents: what `auto` leaves, to extend a snapshot that fills faster than thought. */
const RESERVE_PERCENT = 25
/** Of the origin: with as much, every block may change; the rest is the list of what did (16 bytes for 4 KiB). */
const FULL_COPY_PERCENT = 101

/**
 * A thin pool fuller than this gets no snapshot: what changes meanwhile takes new blocks from it, and a full pool stops
 * the writers of every volume in it. LVM itself refuses only at 100.
 */
const POOL_DATA_PERCENT_MAX = 90
/** As above; a pool whose metadata is full has to be repaired offline. */
const POOL_METADATA_PERCENT_MAX = 85

export interface Allocation {
  readonly extents: number
  readonly sizeBytes: number
}

/** @throws AgentError SNAPSHOT_SPACE where a thin pool is too full */
export function assertPoolsHaveRoom(state: LvmState, volumes: readonly LvmVolume[]): void {
  for (const pool of state.logicalVolumes) {
    const inPool = volumes.filter(({ group, thinPool }) => group === pool.group && thinPool === pool.name)
    if (inPool.length > 0) assertRoom(pool, inPool)
  }
}

function assertRoom(pool: LogicalVolume, inPool: readonly LvmVolume[]): void {
  const { dataPercent = 0, metadataPercent = 0, health } = pool
  const data = dataPercent > POOL_DATA_PERCENT_MAX
  if (!data && metadataPercent <= POOL_METADATA_PERCENT_MAX && health === '') return
  const name = `${pool.group}/${pool.name}`
  const fault = data
    ? `its data is ${dataPercent}% full, more than ${POOL_DATA_PERCENT_MAX}%`
    : metadataPercent > POOL_METADATA_PERCENT_MAX
      ? `its metadata is ${metadataPercent}% full, more than ${POOL_METADATA_PERCENT_MAX}%`
      : `LVM reports '${health}'`
  throw new AgentError('SNAPSHOT_SPACE', `thin pool ${name} has no room for snapshots: ${fault}`, {
    hint:
      `Extend it with "lvextend --size +10G ${name}" (its metadata with --poolmetadatasize), delete or trim what is in ` +
      `it with "fstrim", or leave its volumes out with --exclude-volumes ${mountPoints(inPool)}.`,
  })
}

/**
 * Shares out the free extents of each volume group among the thick snapshots in it.
 *
 * @returns nothing for volumes in thin pools
 * @throws AgentError SNAPSHOT_SPACE with the arithmetic
 */
export function planSizes(
  state: LvmState,
  volumes: readonly LvmVolume[],
  size: SnapshotSize,
): ReadonlyMap<LvmVolume, Allocation> {
  const sizes = new Map<LvmVolume, Allocation>()
  for (const group of state.groups) {
    const inGroup = volumes.filter((volume) => volume.group === group.name && volume.thinPool === undefined)
    const extents = size.kind === 'auto' ? allocateProportionally(group, inGroup) : allocateFixed(group, inGroup, size)
    for (const [index, volume] of inGroup.entries()) {
      const own = extents[index] ?? 0
      sizes.set(volume, { extents: own, sizeBytes: own * group.extentBytes })
    }
  }
  return sizes
}

/** In proportion to the origins, as much of what is wanted as there is. */
function allocateProportionally(group: VolumeGroup, volumes: readonly LvmVolume[]): number[] {
  const available = Math.floor((freeExtents(group) * (100 - RESERVE_PERCENT)) / 100)
  const needs = volumes.map((volume) => extentsFor(group, volume, AUTO_PERCENT_MIN))
  const wants = volumes.map((volume) => extentsFor(group, volume, AUTO_PERCENT))
  if (sum(needs) > available) throw tooLittle(group, volumes, needs, available, ` (${RESERVE_PERCENT}% are kept back)`)
  // Everybody gets what is needed; what remains is shared out in proportion to what is still wanted.
  const missing = sum(wants) - sum(needs)
  const share = missing === 0 ? 0 : Math.min(1, (available - sum(needs)) / missing)
  return wants.map((want, index) => {
    const need = needs[index] ?? 0
    return need + Math.floor((want - need) * share)
  })
}

function allocateFixed(
  group: VolumeGroup,
  volumes: readonly LvmVolume[],
  size: Exclude<SnapshotSize, { kind: 'auto' }>,
): number[] {
  const extents = volumes.map(({ sizeBytes }) => {
    const wanted = size.kind === 'bytes' ? size.sizeBytes : (sizeBytes * size.percent) / 100
    return Math.ceil(Math.min(wanted, fullCopyBytes(sizeBytes)) / group.extentBytes)
  })
  if (sum(extents) > freeExtents(group)) throw tooLittle(group, volumes, extents, freeExtents(group), '')
  return extents
}

function extentsFor(group: VolumeGroup, { sizeBytes }: LvmVolume, percent: number): number {
  const wanted = Math.max((sizeBytes * percent) / 100, AUTO_BYTES_MIN)
  return Math.ceil(Math.min(wanted, fullCopyBytes(sizeBytes)) / group.extentBytes)
}

/** No thick snapshot ever needs more. */
export function fullCopyBytes(originBytes: number): number {
  return (originBytes * FULL_COPY_PERCENT) / 100
}

export function freeExtents({ freeBytes, extentBytes }: VolumeGroup): number {
  return Math.floor(freeBytes / extentBytes)
}

function tooLittle(
  group: VolumeGroup,
  volumes: readonly LvmVolume[],
  extents: readonly number[],
  available: number,
  remark: string,
): AgentError {
  const size = (count: number) => formatBytes(count * group.extentBytes)
  const parts = volumes.map(({ mountPoint }, index) => `${mountPoint} ${size(extents[index] ?? 0)}`)
  return new AgentError(
    'SNAPSHOT_SPACE',
    `volume group ${group.name} has ${size(available)} for snapshots${remark}, they need at least ` +
      `${size(sum(extents))}: ${parts.join(', ')}`,
    {
      hint:
        `Give the group another disk with "vgextend ${group.name} DEVICE", ask for less with --snapshot-size, leave ` +
        'volumes out with --exclude-volumes, or move them to a thin pool, whose snapshots need no space of their own.',
    },
  )
}

function mountPoints(volumes: readonly LvmVolume[]): string {
  return volumes.map(({ mountPoint }) => mountPoint).join(',')
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
