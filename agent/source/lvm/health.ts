/** Whether a snapshot still is what it was when it was taken, and what to do before it is no longer. */
import { AgentError } from '../../errors'
import type { LogicalVolume, SnapshotState } from './reports'
import { lvextend, type LvmPlan } from './plan'
import { freeExtents, fullCopyBytes } from './space'
import type { Argv } from '../../context'

/** LVM's own suggestion for automatic extension (lvm.conf, snapshot_autoextend_threshold). */
const EXTEND_AT_PERCENT = 70
/** Of its size: by how much a filling snapshot is extended. */
const EXTEND_BY_PERCENT = 50
/**
 * A pool fuller than this stops the writers of all its volumes any moment: a backup is given up rather than the host
 * be brought to a halt by it.
 */
const POOL_ABANDON_PERCENT = 98

/**
 * Why what was read from a snapshot must not be trusted; undefined if it may.
 *
 * tar cannot tell: what it reads from a dead snapshot may come from the kernel's cache, and end well.
 */
export function checkHealth(
  state: Pick<SnapshotState, 'logicalVolumes' | 'mounts'>,
  plan: LvmPlan,
): string | undefined {
  const snapshot = findSnapshot(state.logicalVolumes, plan)
  if (!snapshot) return 'the snapshot is gone'
  if (snapshot.invalid || (isThick(plan) && (snapshot.dataPercent ?? 0) >= 100)) {
    return `the snapshot overflowed: more than ${snapshot.sizeBytes} bytes of the volume changed`
  }
  const health = snapshot.health || findPool(state.logicalVolumes, plan)?.health
  // A pool out of space refuses writes; what the snapshot holds is still read as it was.
  if (health && health !== 'out_of_data') return `LVM reports '${health}'`
  // LVM's daemon unmounts what overflows, and tar would then find an empty directory.
  const mount = state.mounts.findLast(({ target }) => target === plan.mountPoint)
  if (mount && mount.deviceNumber === snapshot.deviceNumber) return undefined
  return `the snapshot is no longer mounted at ${plan.mountPoint}`
}

/** @param fault - as `checkHealth` or `planRelief` says it */
export function snapshotInvalid(plan: LvmPlan, fault: string): AgentError {
  const { origin } = plan
  return new AgentError('SNAPSHOT_INVALID', `the snapshot of ${origin.mountPoint} is no longer valid: ${fault}`, {
    hint: isThick(plan)
      ? `Give it more room with --snapshot-size or "vgextend ${origin.group} DEVICE", or back up when less is written.`
      : `Extend the thin pool ${origin.group}/${origin.thinPool ?? ''}, or back up when less is written.`,
  })
}

export type Relief = { readonly extend: Argv } | { readonly abandon: string }

/** What a filling snapshot needs now; undefined if nothing. */
export function planRelief(state: SnapshotState, plan: LvmPlan): Relief | undefined {
  const fault = checkHealth(state, plan)
  if (fault !== undefined) return { abandon: fault }
  return !isThick(plan) ? planPoolRelief(state.logicalVolumes, plan) : planExtension(state, plan)
}

function planPoolRelief(logicalVolumes: readonly LogicalVolume[], plan: LvmPlan): Relief | undefined {
  const { dataPercent = 0, metadataPercent = 0 } = findPool(logicalVolumes, plan) ?? {}
  const fullest = Math.max(dataPercent, metadataPercent)
  if (fullest < POOL_ABANDON_PERCENT) return undefined
  const pool = `${plan.origin.group}/${plan.origin.thinPool ?? ''}`
  return { abandon: `thin pool ${pool} is ${fullest}% full; without the snapshot its volumes can go on` }
}

function planExtension(
  { logicalVolumes, groups }: Pick<SnapshotState, 'logicalVolumes' | 'groups'>,
  plan: LvmPlan,
): Relief | undefined {
  const snapshot = findSnapshot(logicalVolumes, plan)
  const group = groups.find(({ name }) => name === plan.origin.group)
  if (!snapshot || !group || (snapshot.dataPercent ?? 0) < EXTEND_AT_PERCENT) return undefined
  const wantedBytes = Math.min(
    (snapshot.sizeBytes * EXTEND_BY_PERCENT) / 100,
    fullCopyBytes(plan.origin.sizeBytes) - snapshot.sizeBytes,
  )
  const extents = Math.min(Math.ceil(wantedBytes / group.extentBytes), freeExtents(group))
  return extents > 0 ? { extend: lvextend(group.name, plan.name, extents) } : undefined
}

function findSnapshot(logicalVolumes: readonly LogicalVolume[], { origin, name }: LvmPlan) {
  return logicalVolumes.find((lv) => lv.group === origin.group && lv.name === name)
}

function findPool(logicalVolumes: readonly LogicalVolume[], { origin }: LvmPlan) {
  return logicalVolumes.find((lv) => lv.group === origin.group && lv.name === origin.thinPool)
}

function isThick({ source }: LvmPlan): boolean {
  return source.snapshot.type === 'thick'
}
