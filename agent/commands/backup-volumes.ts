import { catalogKey, dataKey, type RunPlace } from '../contract'
import { AgentError, describeError, hasCode, unwrapFailure } from '../errors'
import { limitBandwidth, type Bandwidth } from '../io/bandwidth'
import type { Deps } from '../io/deps'
import { holdApplications } from '../io/hooks'
import { mapInOrder } from '../io/in-order'
import { checkSnapshot, mountSnapshot, recordUpload, takeSnapshots } from '../io/lvm'
import { archiveVolume } from '../io/pipeline'
import { showProgress, type Progress } from '../io/progress'
import { watchSnapshots } from '../io/snapshot-watch'
import { FRAME_BYTES, type Archive } from '../plan/archive'
import type { HookRecord, SampleRecord, VolumeBackup, VolumeFailure } from '../plan/manifest'
import type { BackupRequest, Hosted } from '../plan/requests'
import type { Sample } from '../plan/sample'
import type { SnapshotPlan } from '../plan/snapshots'
import { excludesWithin, tarCreate } from '../plan/tar'
import { proveArchive } from './prove-archive'

/** What became of the volumes of a run. */
export interface VolumesResult {
  readonly volumes: readonly VolumeBackup[]
  readonly failures: readonly VolumeFailure[]
  readonly hooks: readonly HookRecord[]
  /** How long the hooks held the applications. */
  readonly heldSeconds: number
  /** From the first snapshot to the last. */
  readonly snapshotSpreadSeconds: number
  /** Why something could not be removed from the host afterwards. The archives are good all the same. */
  readonly leftBehind?: unknown
}

interface Work {
  readonly deps: Deps
  readonly request: Hosted<BackupRequest>
  readonly place: RunPlace
  readonly samples: ReadonlyMap<string, Sample>
  readonly bandwidth: Bandwidth | undefined
  readonly progress: Progress
}

/** A volume's archive, and what was compared of it where that was only a part. */
interface Archived {
  readonly archive: Archive
  readonly sampled?: SampleRecord
}

/** What became of a volume: its archive, or why there is none. */
interface Attempt {
  readonly plan: SnapshotPlan
  readonly seconds: number
  readonly outcome: Archived | { readonly failure: unknown }
}

/**
 * Takes all snapshots at once, archives them, and removes them. One volume's failure does not lose the others.
 *
 * @param samples - what of each volume is compared with its snapshot, where that is only a part
 * @throws AgentError where no snapshot could be taken or mounted, or the run was interrupted; nothing is left then
 */
export async function backUpVolumes(
  deps: Deps,
  request: Hosted<BackupRequest>,
  place: RunPlace,
  plans: readonly SnapshotPlan[],
  samples: ReadonlyMap<string, Sample>,
): Promise<VolumesResult> {
  const { bandwidthLimit } = request
  const bandwidth = bandwidthLimit === undefined ? undefined : limitBandwidth(bandwidthLimit)
  const snapshots = await holdApplications(deps, { ...request, run: place.run }, () => takeAll(deps, plans))
  let attempts: readonly Attempt[] | undefined
  let leftBehind: unknown
  try {
    await using _snapshots = snapshots.taken.lease
    await using mounts = new AsyncDisposableStack()
    const { mounted, failed } = await mountAll(deps, plans, mounts)
    using progress = showProgress('backup', usedBytes(mounted))
    attempts = [...failed, ...(await archiveAll({ deps, request, place, samples, bandwidth, progress }, mounted))]
  } catch (error) {
    if (!attempts) throw error
    leftBehind = error // the archives are done: whatever fails from here on is giving back
  }

  const { takenAt, spreadSeconds } = snapshots.taken
  const livedSeconds = (deps.now().getTime() - takenAt.getTime()) / 1000
  return {
    volumes: attempts.flatMap((attempt) => describeBackup(attempt, request, takenAt, livedSeconds)),
    failures: attempts.flatMap(describeFailure),
    hooks: snapshots.hooks,
    heldSeconds: snapshots.heldSeconds,
    snapshotSpreadSeconds: spreadSeconds,
    ...(leftBehind !== undefined && { leftBehind }),
  }
}

/** What tar will write is about as much. */
function usedBytes(plans: readonly SnapshotPlan[]): number {
  return plans.reduce((sum, { origin }) => sum + origin.usedBytes, 0)
}

async function takeAll(deps: Deps, plans: readonly SnapshotPlan[]) {
  const takenAt = deps.now()
  const lease = await takeSnapshots(deps, plans)
  const spreadSeconds = (deps.now().getTime() - takenAt.getTime()) / 1000
  deps.log.info(`took ${plans.length} snapshots within ${spreadSeconds} s`)
  return { lease, takenAt, spreadSeconds }
}

/** One that cannot be mounted is that volume's failure alone. */
async function mountAll(deps: Deps, plans: readonly SnapshotPlan[], mounts: AsyncDisposableStack) {
  const mounted: SnapshotPlan[] = []
  const failed: Attempt[] = []
  for (const plan of plans) {
    try {
      mounts.use(await mountSnapshot(deps, plan))
      mounted.push(plan)
    } catch (failure) {
      if (!hasCode(failure, 'MOUNT_FAILED')) throw failure
      failed.push({ plan, seconds: 0, outcome: { failure } })
    }
  }
  return { mounted, failed }
}

async function archiveAll(work: Work, plans: readonly SnapshotPlan[]): Promise<Attempt[]> {
  const { deps, request } = work
  const stops = new Map(plans.map((plan) => [plan.name, new AbortController()]))
  await using _watch = watchSnapshots(deps, plans, (plan, fault) => stops.get(plan.name)?.abort(fault))
  const attempts: Attempt[] = []
  for await (const attempt of mapInOrder(plans, request.parallel, deps.signal, (plan, signal) =>
    attemptVolume(work, plan, signal, stops.get(plan.name) as AbortController),
  )) {
    attempts.push(attempt)
  }
  return attempts
}

/** Everything but an interruption of the whole run is this volume's own affair. */
async function attemptVolume(
  work: Work,
  plan: SnapshotPlan,
  signal: AbortSignal,
  stop: AbortController,
): Promise<Attempt> {
  const { now, log } = work.deps
  const { mountPoint } = plan.origin
  const startedAt = now().getTime()
  const attempt = (outcome: Attempt['outcome']) => ({ plan, seconds: (now().getTime() - startedAt) / 1000, outcome })
  try {
    log.info(`${mountPoint}: archiving`)
    const deps = { ...work.deps, signal: AbortSignal.any([signal, stop.signal]) }
    const archived = await archiveOne({ ...work, deps }, plan)
    log.info(`${mountPoint}: archived`)
    return attempt(archived)
  } catch (error) {
    if (signal.aborted) throw error
    const failure = await findCause(work.deps, plan, stop.signal.aborted ? stop.signal.reason : error)
    log.warn(`${mountPoint}: ${describeError(failure).join('\n')}`)
    return attempt({ failure })
  }
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

async function archiveOne(work: Work, plan: SnapshotPlan): Promise<Archived> {
  const { deps, request, place, samples, bandwidth, progress } = work
  const { deviceName, mountPoint } = plan.origin
  const archive = await archiveVolume(deps, {
    tar: tarOf(plan, request),
    header: { catalog: 1, run: place.run, host: place.host, volume: deviceName, mountPoint, frameBytes: FRAME_BYTES },
    dataKey: (segment) => dataKey(place, deviceName, request.compression, segment),
    catalogKey: catalogKey(place, deviceName),
    compression: request.compression,
    level: request.level,
    ...(request.storageClass !== undefined && { storageClass: request.storageClass }),
    ...(bandwidth && { bandwidth }),
    onUpload: (upload) => recordUpload(deps, plan, upload),
    beforeComplete: () => checkSnapshot(deps, plan),
    onProgress: (rawBytes) => progress.add(rawBytes),
  })
  const proof = { verify: request.verify, tar: tarOf(plan, request), sample: samples.get(deviceName) }
  const sampled = await proveArchive(deps, plan, archive, proof)
  return { archive, ...(sampled && { sampled }) }
}

function tarOf({ mountPoint, origin }: SnapshotPlan, { exclude }: BackupRequest) {
  return tarCreate(mountPoint, excludesWithin(origin.mountPoint, exclude))
}

function describeBackup(
  { plan, seconds, outcome }: Attempt,
  request: BackupRequest,
  takenAt: Date,
  livedSeconds: number,
): VolumeBackup[] {
  if (!('archive' in outcome)) return []
  const { origin } = plan
  return [
    {
      volume: origin.deviceName,
      group: origin.group,
      name: origin.name,
      mountPoint: origin.mountPoint,
      filesystem: origin.filesystem,
      uuid: origin.uuid,
      label: origin.label,
      mountOptions: origin.options,
      sizeBytes: origin.sizeBytes,
      usedBytes: origin.usedBytes,
      snapshot: { kind: plan.kind, sizeBytes: plan.sizeBytes, takenAt: takenAt.toISOString(), livedSeconds },
      tarCommand: tarOf(plan, request),
      ...outcome,
      archiveSeconds: seconds,
    },
  ]
}

function describeFailure({ plan, outcome }: Attempt): VolumeFailure[] {
  if (!('failure' in outcome)) return []
  const { first } = unwrapFailure(outcome.failure)
  const known = first instanceof AgentError ? first : unforeseen(first)
  const { deviceName: volume, mountPoint } = plan.origin
  return [{ volume, mountPoint, code: known.code, message: known.message, hint: known.hint }]
}

function unforeseen(cause: unknown): AgentError {
  return new AgentError('ARCHIVE_FAILED', cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause), {
    hint: 'This is a defect of the agent: report it.',
    cause,
  })
}
