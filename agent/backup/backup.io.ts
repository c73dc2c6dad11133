import { randomBytes } from 'node:crypto'
import { ExitStatus, manifestKey, type RunKey } from '../contract'
import { AgentError, describeError, hasCode } from '../errors'
import type { Deps } from '../context'
import { takeLock } from '../host/lock.io'
import { removeLeftovers } from '../source/leftovers.io'
import { surveyHost } from '../source/sources.io'
import { nextSample } from '../verify/sample-schedule.io'
import { steadyClock } from '../lib/steady-clock.io'
import { lowerPriority, readSystem, readTools, type SystemDeps } from './system-record.io'
import { assertClockAgrees } from './clock'
import { completenessOf, formatManifest, formatOf, type Manifest, type VolumeFailure } from '../run/manifest'
import { parseManifest } from '../run/parse-manifest'
import type { BackupRequest, WithHost } from '../options/commands'
import { formatRun } from '../run/run-id'
import { chooseShare } from '../verify/sample'
import { parseSourceChoice } from '../source/choice'
import { isOfOneMoment } from '../source/record'
import type { SnapshotPlan } from '../source/source'
import { tagsOf } from './choose-base.io'
import { planSnapshots, snapshotRequest } from '../source/plan'
import { selectVolumes, type UnfitFilesystem } from '../source/select'
import { mountPointName } from '../source/volume-name'
import { chooseBase, READ_IN_PLACE } from './choose-base.io'
import { formatBackupPlan, formatBackupSummary, type ForeseenLevel } from './summary'
import { runIndexes } from './run-indexes.io'
import { backUpVolumes, type VolumesResult } from './volumes.io'
import type { Outcome } from '../outcome'
import type { BackupOutput } from './output-schema'

/** What is finished is published although the run was interrupted: one request, which gets this long (design limit). */
const PUBLISH_SECONDS_MAX = 60

export interface BackupDeps extends Deps, SystemDeps {
  /** Where the indexes of full archives are kept: the usual place unless told. */
  readonly indexDirectory?: string
}

/**
 * Snapshots the volumes of this host and streams them to the bucket.
 *
 * @returns status `incomplete` where some of the volumes failed or the deadline came, `interrupted` where a signal did,
 * `cleanupFailed` where the backup is safe but something of this run, or of an earlier one, was left behind on the host
 * @throws AgentError where no volume could be backed up: then there is no manifest, and so no run
 */
export async function backup(deps: BackupDeps, request: WithHost<BackupRequest>): Promise<Outcome<BackupOutput>> {
  await using _lock = await takeLock(deps)
  if (request.nice !== undefined) lowerPriority(request.nice)
  // An earlier run may have been killed before it could clean up after itself.
  const { leftBehind } = await removeLeftovers(deps, request)
  return await backUpHost(deps, request, leftBehind)
}

/** As `backup`, with the lock held. @param leftBehind - why things of earlier runs are still there */
export async function backUpHost(
  given: BackupDeps,
  request: WithHost<BackupRequest>,
  leftBehind: readonly unknown[] = [],
): Promise<Outcome<BackupOutput>> {
  const deps = { ...given, now: steadyClock(given.now) }
  // Before the run has its name. The SDK would go by the server's clock, without a word.
  assertClockAgrees((await deps.store.readFacts(deps.signal)).clockSkewSeconds)
  const startedAt = deps.now()
  const runKey: RunKey = { class: request.class, host: request.host, run: formatRun(startedAt, randomBytes(6)) }
  const survey = await surveyHost(deps, parseSourceChoice(request.source))
  const selection = selectVolumes(survey, request)
  const plans = planSnapshots(survey, selection.volumes, {
    ...snapshotRequest(request, runKey),
    exclude: request.exclude,
    tags: tagsOf(request),
  })
  if (request.dryRun) {
    const levels = await foreseeLevels(deps, request, runKey, plans)
    const summary = formatBackupPlan(runKey, selection, plans, request, levels)
    const json = { dryRun: true, ...runKey, ...selection, snapshots: plans, levels } as const
    return { status: ExitStatus.ok, summary, json }
  }

  const agent = await readTools(deps)
  const system = await readSystem(
    deps,
    plans.map(({ origin }) => origin),
  )
  const fraction = chooseShare(request)
  const schedule = await nextSample(
    deps.log,
    plans.map(({ origin }) => origin.volume),
    fraction,
  )
  // Where all archives are full anyway, nobody misses an index.
  const tell = (message: string) => deps.log[request.level === 'full' ? 'info' : 'warn'](message)
  await using indexes = runIndexes(tell, deps.indexDirectory)
  const result = await backUpVolumes(deps, request, runKey, plans, {
    samples: schedule.samples,
    indexes,
    indexDirectory: deps.indexDirectory,
  })
  assertAnyVolumeSucceeded(deps, result)
  const failures = [...result.failures, ...selection.unfit.map(describeUnfit)]

  const manifest: Manifest = {
    format: formatOf(result.volumes),
    ...runKey,
    startedAt: startedAt.toISOString(),
    finishedAt: deps.now().toISOString(),
    status: completenessOf({ volumes: result.volumes, failures }),
    verified: result.verified,
    consistency: {
      level: levelOf(result),
      snapshotSpreadSeconds: result.snapshotSpreadSeconds,
      heldSeconds: result.heldSeconds,
      hooks: result.hooks,
    },
    volumes: result.volumes,
    failures,
    notBackedUp: [...selection.skipped, ...selection.unsupported],
    agent,
    system,
  }
  await publish(deps, manifest)
  await indexes.keep()
  await schedule.end(manifest.volumes)
  const left = [...leftBehind, ...result.leftBehind].flatMap(describeError)
  return describeRun(deps, request, manifest, left, request.requireAll && selection.unsupported.length > 0)
}

/** What would be archived of each volume, as far as that shows without a snapshot; nothing where all of it is asked for. */
async function foreseeLevels(
  deps: BackupDeps,
  request: BackupRequest,
  runKey: RunKey,
  plans: readonly SnapshotPlan[],
): Promise<readonly ForeseenLevel[]> {
  const levels: ForeseenLevel[] = []
  if (request.level === 'full') return levels
  for (const { origin } of plans) {
    const { volume, kind } = origin
    const base =
      kind === 'quiet'
        ? { full: READ_IN_PLACE }
        : await chooseBase(deps, request, { runKey, origin, takenAt: deps.now(), directory: deps.indexDirectory })
    if ('full' in base) levels.push({ volume, level: 'full', because: base.full })
    else {
      await using index = base
      levels.push({ volume, level: 'differential', base: index.header.run })
    }
  }
  return levels
}

/** Applications were held for volumes of that moment, if there are any. */
function levelOf({ hooks, volumes }: VolumesResult): Manifest['consistency']['level'] {
  const held = hooks.length > 0 && hooks.every(({ ok }) => ok)
  return held && volumes.some(({ source }) => isOfOneMoment(source)) ? 'application' : 'crash'
}

/** The commit point: a run without a manifest does not exist, nor does one whose manifest cannot be read. */
async function publish({ store, signal }: Deps, manifest: Manifest): Promise<void> {
  const key = manifestKey(manifest)
  const text = formatManifest(manifest)
  assertReadable(text, manifest)
  const sending = signal.aborted ? AbortSignal.timeout(PUBLISH_SECONDS_MAX * 1000) : signal
  await store.put(key, text, sending, { contentType: 'application/json' })
}

function assertReadable(text: string, runKey: RunKey): void {
  try {
    parseManifest(text, runKey)
  } catch (cause) {
    throw new AgentError(
      'ARCHIVE_FAILED',
      `the manifest to be published could not be read back: ${describeError(cause)[0] ?? ''}`,
      {
        hint: 'No run was published. This is a defect of the agent: report it.',
        cause,
      },
    )
  }
}

function assertAnyVolumeSucceeded({ signal }: Deps, { volumes, failures, leftBehind }: VolumesResult): void {
  // Stopped by a defect of our own: nobody knows what else is wrong.
  if (signal.aborted && !hasCode(signal.reason, 'INTERRUPTED')) throw signal.reason
  const [failure] = failures
  if (volumes.length > 0 || !failure) return
  const left = leftBehind.length === 0 ? '' : ` (clean-up failed too: ${leftBehind.flatMap(describeError).join(' ')})`
  if (signal.aborted) {
    throw new AgentError('INTERRUPTED', `no volume was done yet${left}`, { hint: failure.hint, cause: signal.reason })
  }
  const others = failures.length > 1 ? `, and so did ${failures.length - 1} more volumes` : ''
  throw new AgentError(failure.code, `${failure.mountPoint} failed: ${failure.message}${others}${left}`, {
    hint: failure.hint,
  })
}

const MAPPER = '/dev/mapper/'

/** By the name that its volume would have. */
function describeUnfit({ mountPoint, device, reason, remedy }: UnfitFilesystem): VolumeFailure {
  return {
    volume: device.startsWith(MAPPER) ? device.slice(MAPPER.length) : mountPointName(mountPoint),
    mountPoint,
    code: 'VOLUME_UNSUPPORTED',
    message: reason,
    hint: `${remedy}, or leave it out with --exclude-volumes ${mountPoint}.`,
  }
}

/** What is missing weighs more than what is left over: of the statuses that apply, the worse one for the backup. */
function describeRun(
  { store, signal, deadline }: Deps,
  request: BackupRequest,
  manifest: Manifest,
  left: readonly string[],
  isPartial: boolean,
): Outcome<BackupOutput> {
  const incomplete = manifest.status === 'incomplete' || isPartial
  const stopped = signal.aborted && !deadline?.aborted && manifest.failures.some(({ code }) => code === 'INTERRUPTED')
  return {
    status: stopped
      ? ExitStatus.interrupted
      : incomplete
        ? ExitStatus.incomplete
        : left.length > 0
          ? ExitStatus.cleanupFailed
          : ExitStatus.ok,
    summary: formatBackupSummary(manifest, { ...request, bucket: store.bucket }, left),
    // The system record is long, and is in the manifest.
    json: { ...manifest, system: undefined, leftBehind: left, manifest: manifestKey(manifest) },
  }
}
