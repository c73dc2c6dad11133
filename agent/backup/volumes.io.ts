import type { RunKey } from '../contract'
import { describeError, hasCode } from '../errors'
import { limitBandwidth, type Bandwidth } from '../bucket/bandwidth.io'
import type { Deps } from '../context'
import { quiesceApplications } from '../hooks/hooks.io'
import { checkSnapshot, mountSnapshot, planWaves, takeSnapshots, watchSnapshots } from '../source/sources.io'
import { showProgress, type Progress } from '../lib/progress.io'
import { mapUnordered } from '../lib/unordered'
import { leastVerified, type HookRecord, type Verified, type VolumeBackup, type VolumeFailure } from '../run/manifest'
import type { BackupRequest, WithHost } from '../options/commands'
import type { Sample } from '../verify/sample'
import type { MountedSnapshot, SnapshotPlan, Snapshots, Watch } from '../source/source'
import { archiveSnapshot } from './archive-snapshot.io'
import { describeBackup, describeFailure, type Attempt } from './records'
import type { RunIndexes } from './run-indexes.io'

/** What became of the volumes of a run. */
export interface VolumesResult {
  readonly volumes: readonly VolumeBackup[]
  readonly failures: readonly VolumeFailure[]
  /** As far as the least of the archives. */
  readonly verified: Verified
  readonly hooks: readonly HookRecord[]
  /** How long the hooks held the applications. */
  readonly heldSeconds: number
  /** From the first snapshot to the last. */
  readonly snapshotSpreadSeconds: number
  /** Why things could not be removed from the host afterwards. The archives are good all the same. */
  readonly leftBehind: readonly unknown[]
}

/** What the runs of a host remember from one to the next. */
export interface RunMemory {
  /** What of each volume is compared with its snapshot, where that is only a part. */
  readonly samples: ReadonlyMap<string, Sample>
  /** Takes those of this run's full archives. */
  readonly indexes: RunIndexes
  /** Where those of before are, unless in the usual place. */
  readonly indexDirectory: string | undefined
}

interface Work extends RunMemory {
  readonly deps: Deps
  readonly request: WithHost<BackupRequest>
  readonly runKey: RunKey
  readonly bandwidth: Bandwidth | undefined
  readonly progress: Progress
  readonly taken: Taken
}

interface Taken {
  readonly snapshots: Snapshots
  readonly takenAt: Date
  readonly spreadSeconds: number
}

interface Mounted {
  readonly plan: SnapshotPlan
  readonly mount: MountedSnapshot
  /** Aborted where its snapshot cannot be used any more. */
  readonly stop: AbortController
}

/**
 * Takes all snapshots at once, archives them, and gives each back as soon as its volume is done or given up. One volume's
 * failure does not lose the others: an interruption is one of all volumes that are not done.
 *
 * @throws AgentError where no snapshot could be taken; nothing is left then
 */
export async function backUpVolumes(
  deps: Deps,
  request: WithHost<BackupRequest>,
  runKey: RunKey,
  plans: readonly SnapshotPlan[],
  { samples, indexes, indexDirectory }: RunMemory,
): Promise<VolumesResult> {
  const { bandwidthLimit } = request
  const bandwidth = bandwidthLimit === undefined ? undefined : limitBandwidth(bandwidthLimit)
  // The net: what is not given back volume by volume, whatever fails, is given back here.
  await using net = new AsyncDisposableStack()
  const held = await quiesceApplications(deps, { ...request, run: runKey.run }, async () => {
    const taken = await takeAll(deps, plans)
    net.use(taken.snapshots)
    return taken
  })
  const { taken } = held
  using progress = showProgress('backup', usedBytes(plans))
  const work: Work = { deps, request, runKey, samples, indexes, indexDirectory, bandwidth, progress, taken }
  const attempts: Attempt[] = []
  for (const wave of planWaves(plans)) attempts.push(...(await attemptWave(work, wave, net)))
  return {
    volumes: attempts.flatMap((attempt) => describeBackup(attempt, taken.takenAt)),
    failures: attempts.flatMap(describeFailure),
    verified: leastVerified(attempts.flatMap(({ outcome }) => ('verified' in outcome ? outcome.verified : []))),
    hooks: held.hooks,
    heldSeconds: held.heldSeconds,
    snapshotSpreadSeconds: taken.spreadSeconds,
    leftBehind: attempts.flatMap(({ leftBehind }) => (leftBehind === undefined ? [] : [leftBehind])),
  }
}

/** What tar will write is about as much. */
function usedBytes(plans: readonly SnapshotPlan[]): number {
  return plans.reduce((sum, { origin }) => sum + origin.usedBytes, 0)
}

async function takeAll(deps: Deps, plans: readonly SnapshotPlan[]): Promise<Taken> {
  const takenAt = deps.now()
  const snapshots = await takeSnapshots(deps, plans)
  const spreadSeconds = (deps.now().getTime() - takenAt.getTime()) / 1000
  deps.log.info(`took ${plans.length} snapshots within ${spreadSeconds} s`)
  return { snapshots, takenAt, spreadSeconds }
}

async function attemptWave(
  work: Work,
  plans: readonly SnapshotPlan[],
  net: AsyncDisposableStack,
): Promise<readonly Attempt[]> {
  const { mounted, failed } = await mountAll(work.deps, plans, work.taken, net)
  await using watch = watchSnapshots(
    work.deps,
    mounted.map(({ plan }) => plan),
    (plan, fault) => mounted.find((one) => one.plan === plan)?.stop.abort(fault),
  )
  const attempts = await mapUnordered(mounted, work.request.parallel, (one) => attemptVolume(work, one, watch))
  return [...failed, ...attempts]
}

/** One that cannot be mounted is that volume's failure alone. */
async function mountAll(deps: Deps, plans: readonly SnapshotPlan[], taken: Taken, net: AsyncDisposableStack) {
  const mounted: Mounted[] = []
  const failed: Attempt[] = []
  for (const plan of plans) {
    try {
      const mount = net.use(await mountSnapshot(deps, plan))
      mounted.push({ plan, mount, stop: new AbortController() })
    } catch (failure) {
      deps.log.warn(`${plan.origin.mountPoint}: ${describeError(reasonOf(deps, failure)).join('\n')}`)
      failed.push({
        plan,
        seconds: 0,
        outcome: { failure: reasonOf(deps, failure) },
        ...(await giveBack(deps, plan, taken)),
      })
    }
  }
  return { mounted, failed }
}

async function attemptVolume(work: Work, mounted: Mounted, watch: Watch): Promise<Attempt> {
  const { deps, taken } = work
  const { plan, mount } = mounted
  const startedAt = deps.now().getTime()
  const outcome = await archiveOrFail(work, mounted)
  const seconds = (deps.now().getTime() - startedAt) / 1000
  watch.forget(plan)
  return { plan, seconds, outcome, ...(await giveBack(deps, plan, taken, mount)) }
}

/** Everything is this volume's own affair: an interruption too, since others may be done. */
async function archiveOrFail(work: Work, { plan, mount, stop }: Mounted): Promise<Attempt['outcome']> {
  const { taken } = work
  const { log, signal } = work.deps
  const { mountPoint } = plan.origin
  try {
    signal.throwIfAborted()
    log.info(`${mountPoint}: archiving`)
    const deps = { ...work.deps, signal: AbortSignal.any([signal, stop.signal]) }
    const archived = await archiveSnapshot(deps, { ...work, plan, mount, takenAt: mount.takenAt ?? taken.takenAt })
    log.info(`${mountPoint}: archived`)
    return archived
  } catch (error) {
    const failure = signal.aborted
      ? reasonOf(work.deps, error)
      : await findCause(work.deps, plan, stop.signal.aborted ? stop.signal.reason : error)
    log.warn(`${mountPoint}: ${describeError(failure).join('\n')}`)
    return { failure }
  }
}

/** What was under way when the run was stopped fails in its own way, which only tells how far it was. */
function reasonOf({ signal }: Deps, failure: unknown): unknown {
  return signal.aborted ? signal.reason : failure
}

/** As soon as a volume is done or given up: a snapshot takes space and slows the writers of its volume down. */
async function giveBack(
  deps: Deps,
  plan: SnapshotPlan,
  { snapshots, takenAt }: Taken,
  mount?: AsyncDisposable,
): Promise<Pick<Attempt, 'livedSeconds' | 'leftBehind'>> {
  const lived = () => (deps.now().getTime() - takenAt.getTime()) / 1000
  try {
    await using both = new AsyncDisposableStack()
    both.defer(() => snapshots.release(plan))
    if (mount) both.use(mount)
  } catch (leftBehind) {
    deps.log.warn(`${plan.origin.mountPoint}: ${describeError(leftBehind).join('\n')}`)
    return { livedSeconds: lived(), leftBehind }
  }
  return { livedSeconds: lived() }
}

/** A snapshot that broke makes tar fail in many ways, which all say less than what broke. */
async function findCause(deps: Deps, plan: SnapshotPlan, failure: unknown): Promise<unknown> {
  try {
    await checkSnapshot(deps, plan)
    return failure
  } catch (fault) {
    return hasCode(fault, 'SNAPSHOT_INVALID') ? fault : failure
  }
}
