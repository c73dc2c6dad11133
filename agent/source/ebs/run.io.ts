/** The snapshots of a run, and the copies that are made of them, until each has been given back. */
import type { HostDeps } from '../../context'
import type { EbsSnapshot } from '../../ec2'
import { AgentError, describeError } from '../../errors'
import { neverAborted } from '../../lib/never-aborted'
import { attachCopy, awaitAvailable, awaitSnapshot, createCopy } from './copy.io'
import type { TakenSnapshots } from './create.io'
import { findLeftovers, keptSnapshots } from './leftovers'
import type { Namespace } from './namespace.io'
import { volumeTags, type EbsPlan } from './plan'
import { readMarked } from './survey.io'
import { removeSnapshot, removeVolume, type Teardown } from './teardown.io'

/** A disk of the instance during a run. */
interface Disk {
  /** Its volume. */
  readonly volumeId: string
  /** Absent where it was copied without one. */
  readonly snapshot: EbsSnapshot | undefined
  /** Filesystems on it that are not given back yet. */
  readonly plans: Set<EbsPlan>
  /** Id of the volume that is a copy of it, once that is known. */
  copyId: string | undefined
  /** Settles when it is attached. */
  attached: Promise<string> | undefined
  released: boolean
}

export interface EbsRun {
  /** Of the copy of a plan's disk, which is made and attached for the first one that asks. @throws AgentError */
  attachedCopy(deps: HostDeps, plan: EbsPlan): Promise<string>
  /** The same, where there is one by now. */
  copyOf(plan: EbsPlan): string | undefined
  /** Where a plan's files are seen, from when they are mounted. */
  readonly views: WeakMap<EbsPlan, Namespace>
  /** What the manifest says of it. */
  describe(plan: EbsPlan): EbsPlan['source']
  /** Gives the disk back with the last of its plans. @throws AgentError CLEANUP_FAILED */
  release(plan: EbsPlan): Promise<void>
  /** Whatever else bears the tags of the run. @throws AgentError CLEANUP_FAILED */
  sweep(): Promise<void>
}

/** @param clones - ids of copies by disk, of those that were made without snapshots */
export function ebsRun(
  { log }: Pick<HostDeps, 'log'>,
  teardown: Teardown,
  plans: readonly EbsPlan[],
  { snapshots, frozen }: TakenSnapshots,
  clones: ReadonlyMap<string, string> = new Map(),
): EbsRun {
  const { ec2 } = teardown
  const { instance } = ec2
  const [{ run, keepLast, request }] = plans as readonly [EbsPlan]
  const disks = new Map<string, Disk>()
  for (const [volumeId, own] of Map.groupBy(plans, ({ origin }) => origin.volumeId)) {
    disks.set(volumeId, {
      ...{ volumeId, snapshot: snapshots.get(volumeId), plans: new Set(own), copyId: clones.get(volumeId) },
      ...{ attached: undefined, released: false },
    })
  }
  const diskOf = ({ origin }: EbsPlan) => disks.get(origin.volumeId) ?? unknownDisk(origin.volumeId)
  let strays: Promise<void> | undefined

  async function attach(deps: HostDeps, disk: Disk): Promise<string> {
    strays ??= removeStrays()
    await strays
    const volumeId = await makeCopy(deps, disk)
    await attachCopy(deps, teardown, volumeId)
    log.info(`${volumeId} is attached, a copy of ${disk.volumeId}`)
    return volumeId
  }

  async function makeCopy(deps: HostDeps, disk: Disk): Promise<string> {
    if (disk.snapshot) {
      await awaitSnapshot(deps, teardown, disk.snapshot)
      const { snapshotId } = disk.snapshot
      const wanted = { snapshotId, clientToken: `${run}-${snapshotId}`, tags: volumeTags(request.tags) }
      return await createCopy(deps, teardown, wanted, (id) => (disk.copyId = id))
    }
    const volumeId = disk.copyId ?? unknownDisk(disk.volumeId)
    await awaitAvailable(deps, teardown, { volumeId })
    return volumeId
  }

  /** Of earlier runs, which nothing on this host told of. They may take the last place that a copy could be attached to. */
  async function removeStrays(): Promise<void> {
    try {
      const marked = await readMarked(ec2, neverAborted())
      const { volumes } = await ec2.describeInstance(neverAborted())
      const attached = volumes.map(({ volumeId }) => volumeId)
      // What was kept until now goes when that of this run is complete.
      for (const { resource } of findLeftovers(marked, instance.arn, attached, { current: run })) {
        if ('volumeId' in resource) await removeVolume(teardown, resource.volumeId)
        if ('snapshotId' in resource) await removeSnapshot(teardown, resource.snapshotId)
      }
    } catch (error) {
      log.warn(`what earlier runs left in EBS could not be removed: ${describeError(error).join(' ')}`)
    }
  }

  async function releaseDisk(disk: Disk): Promise<void> {
    disk.released = true
    await disk.attached?.catch(() => undefined) // as it is stopped, it may yet learn of the volume
    if (disk.copyId !== undefined) await removeVolume(teardown, disk.copyId, true)
    if (disk.snapshot) await releaseSnapshot(disk.snapshot)
  }

  /**
   * One that is not complete yet is left to become so, as the next one has that much less to do; those before it stay until
   * then. Where none is to be kept, those go that once were.
   */
  async function releaseSnapshot({ snapshotId, volumeId, startedAt }: EbsSnapshot): Promise<void> {
    const { snapshots } = await readMarked(ec2, neverAborted())
    const state = snapshots.find((snapshot) => snapshot.snapshotId === snapshotId)?.state
    const stays = keepLast && (state === 'completed' || state === 'pending')
    if (!stays) await removeSnapshot(teardown, snapshotId, true)
    const kept = keepLast ? keptSnapshots(snapshots, [volumeId]) : []
    const older = snapshots.filter((snapshot) => snapshot.volumeId === volumeId && snapshot.startedAt < startedAt)
    for (const snapshot of older) {
      if (!kept.includes(snapshot)) await removeSnapshot(teardown, snapshot.snapshotId)
    }
  }

  return {
    async attachedCopy(deps, plan) {
      const disk = diskOf(plan)
      disk.attached ??= attach(deps, disk)
      return await disk.attached
    },
    copyOf: (plan) => diskOf(plan).copyId,
    views: new WeakMap(),
    describe(plan) {
      const { snapshot } = diskOf(plan)
      const consistency = frozen.includes(plan.origin.mountPoint) ? 'frozen' : 'crash'
      if (!snapshot) return { ...plan.source, engine: 'clone', consistency }
      return { ...plan.source, engine: 'snapshot', snapshotId: snapshot.snapshotId, consistency }
    },
    async release(plan) {
      const disk = diskOf(plan)
      disk.plans.delete(plan)
      if (disk.plans.size === 0 && !disk.released) await releaseDisk(disk)
    },
    async sweep() {
      const { volumes, snapshots: left } = await readMarked(ec2, neverAborted(), run)
      const own = Array.from(disks.values(), ({ snapshot }) => snapshot?.snapshotId)
      const extra = left.filter(({ snapshotId }) => !own.includes(snapshotId))
      const gone = ['deleting', 'deleted']
      for (const { volumeId, state } of volumes) if (!gone.includes(state)) await removeVolume(teardown, volumeId)
      for (const { snapshotId } of extra) await removeSnapshot(teardown, snapshotId)
    },
  }
}

function unknownDisk(volumeId: string): never {
  throw new AgentError('INTERNAL', `no snapshot of ${volumeId} was taken`, { hint: 'Report it.' })
}
