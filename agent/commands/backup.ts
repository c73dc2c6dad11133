import { randomBytes } from 'node:crypto'
import { ExitStatus, manifestKey, type RunPlace } from '../contract'
import { AgentError, describeError } from '../errors'
import type { Deps } from '../io/deps'
import { takeLock } from '../io/lock'
import { readStorage, removeLeftovers } from '../io/lvm'
import { takeTurn } from '../io/rotation'
import { lowerPriority, readSystem, readTools } from '../io/system'
import { formatManifest, MANIFEST_FORMAT, type Manifest, type VolumeFailure } from '../plan/manifest'
import type { BackupRequest, Hosted } from '../plan/requests'
import { formatRun } from '../plan/run'
import { chooseShare } from '../plan/sample'
import { selectVolumes, type LeftOut } from '../plan/selection'
import { planSnapshots } from '../plan/snapshots'
import { formatBackupPlan, formatBackupSummary } from '../plan/summary'
import { backUpVolumes, type VolumesResult } from './backup-volumes'
import type { Outcome } from './outcome'

/**
 * Snapshots the volumes of this host and streams them to the bucket.
 *
 * @returns status `incomplete` where some of the volumes failed, `cleanupFailed` where the backup is safe but something
 * of it was left behind on the host
 * @throws AgentError where no volume could be backed up: then there is no manifest, and so no run
 */
export async function backup(deps: Deps, request: Hosted<BackupRequest>): Promise<Outcome> {
  await using _lock = await takeLock(deps)
  if (request.nice !== undefined) lowerPriority(request.nice)
  await removeLeftovers(deps, request) // an earlier run may have been killed before it could clean up after itself

  const startedAt = deps.now()
  const place: RunPlace = { class: request.class, host: request.host, run: formatRun(startedAt, randomBytes(6)) }
  const storage = await readStorage(deps)
  const selection = selectVolumes(storage, request)
  const plans = planSnapshots(storage, selection.volumes, { run: place.run, size: request.snapshotSize })
  if (request.dryRun) {
    const summary = formatBackupPlan(place, selection, plans)
    return { status: ExitStatus.ok, summary, json: { dryRun: true, ...place, ...selection, snapshots: plans } }
  }

  const agent = await readTools(deps)
  const system = await readSystem(
    deps,
    plans.map(({ origin }) => origin),
  )
  const share = chooseShare(request)
  const turn = await takeTurn(
    deps.log,
    plans.map(({ origin }) => origin.deviceName),
    share,
  )
  const result = await backUpVolumes(deps, request, place, plans, turn.samples)
  throwIfNothingIsGood(result)
  const failures = [...result.failures, ...selection.unfit.map(describeUnfit)]

  const manifest: Manifest = {
    format: MANIFEST_FORMAT,
    ...place,
    startedAt: startedAt.toISOString(),
    finishedAt: deps.now().toISOString(),
    status: failures.length === 0 ? 'complete' : 'incomplete',
    verified: share ? 'checksum' : request.verify,
    consistency: {
      level: result.hooks.length > 0 && result.hooks.every(({ ok }) => ok) ? 'application' : 'crash',
      snapshotSpreadSeconds: result.snapshotSpreadSeconds,
      heldSeconds: result.heldSeconds,
      hooks: result.hooks,
    },
    volumes: result.volumes,
    failures,
    notBackedUp: [...selection.skipped, ...selection.notOnLvm],
    agent,
    system,
  }
  // The commit point: a run without a manifest does not exist.
  await deps.store.put(manifestKey(place), formatManifest(manifest), deps.signal, { contentType: 'application/json' })
  await turn.end(manifest.volumes)
  return describeRun(deps, manifest, result, request.requireAll && selection.notOnLvm.length > 0)
}

function throwIfNothingIsGood({ volumes, failures, leftBehind }: VolumesResult): void {
  const [failure] = failures
  if (volumes.length > 0 || !failure) return
  const others = failures.length > 1 ? `, and so did ${failures.length - 1} more volumes` : ''
  const left = leftBehind === undefined ? '' : ` (clean-up failed too: ${describeError(leftBehind).join(' ')})`
  throw new AgentError(failure.code, `${failure.mountPoint} failed: ${failure.message}${others}${left}`, {
    hint: failure.hint,
  })
}

function describeUnfit({ mountPoint, device, reason }: LeftOut): VolumeFailure {
  return {
    volume: device.replace('/dev/mapper/', ''),
    mountPoint,
    code: 'VOLUME_UNSUPPORTED',
    message: reason,
    hint: `Look at "dmsetup info ${device}" and "lvs --all", or leave it out with --exclude-volumes ${mountPoint}.`,
  }
}

/** What is missing weighs more than what is left over: of the statuses that apply, the worse one for the backup. */
function describeRun(deps: Deps, manifest: Manifest, { leftBehind }: VolumesResult, isPartial: boolean): Outcome {
  const left = leftBehind === undefined ? [] : describeError(leftBehind)
  const incomplete = manifest.status === 'incomplete' || isPartial
  return {
    status: incomplete ? ExitStatus.incomplete : left.length > 0 ? ExitStatus.cleanupFailed : ExitStatus.ok,
    summary: formatBackupSummary(manifest, deps.store.bucket, left),
    // The system record is long, and is in the manifest.
    json: { ...manifest, system: undefined, leftBehind: left, manifest: manifestKey(manifest) },
  }
}
