import { ExitStatus } from '../contract'
import { AgentError } from '../errors'
import { findLostCatalogs, readSources, rebuildCatalogs } from '../io/catalog-rebuilder'
import { findDamage, rangeOf, readSegmentStates, throwIfMissing, type SegmentState } from '../io/damage'
import type { Deps } from '../io/deps'
import { planVolume, type PlannedVolume } from '../io/restore-planner'
import { makeTarget, openTarget, throwUnlessFits, type Target } from '../io/restore-target'
import { printFile, restoreVolume } from '../io/restore-volume'
import { findRun, readManifest } from '../io/runs'
import type { Manifest } from '../plan/manifest'
import type { Hosted, RestoreRequest } from '../plan/requests'
import type { RawRange } from '../plan/reads'
import { chooseWanted, findWantedAbsent, type Wanted } from '../plan/restore'
import { formatRestore, formatRestorePlan, type RestoreReport, type VolumeReport } from '../plan/restore-report'
import type { Outcome } from './outcome'
import { thawAll } from './thaw'

/** A volume to restore, where to, and how its segments are stored. */
interface Task {
  readonly wanted: Wanted
  readonly plan: PlannedVolume
  readonly target: Target
  readonly states: readonly SegmentState[]
}

/**
 * Restores volumes, directories or files of a run. Nothing is written before it is known that all of it can be read, does
 * not overwrite what must stay, stays within the target, and fits.
 *
 * @throws AgentError UNKNOWN_RUN, UNKNOWN_VOLUME, UNKNOWN_PATH, TARGET_UNFIT, OBJECT_ARCHIVED, ARCHIVE_DAMAGED
 */
export async function restore(deps: Deps, request: Hosted<RestoreRequest>): Promise<Outcome> {
  const manifest = await readManifest(deps, await findRun(deps, request))
  const wanted = chooseWanted(manifest, request.volume, request.path)
  const lost = await findLostCatalogs(
    deps,
    wanted.map(({ volume }) => volume),
  )
  if (lost.length === 0) return restoreFrom(deps, request, manifest)

  const asked = request.dryRun ? { ...request, thaw: undefined } : request // a dry run changes nothing
  const thawing = await thawAll(deps, asked, await readSources(deps, lost))
  if (thawing) return thawing
  await using catalogs = await rebuildCatalogs(deps, manifest, lost)
  return await restoreFrom({ ...deps, store: catalogs.store }, request, catalogs.manifest)
}

/** The restore itself, once every catalog that it needs can be read. */
async function restoreFrom(deps: Deps, request: Hosted<RestoreRequest>, manifest: Manifest): Promise<Outcome> {
  const planned = await planTasks(deps, request, manifest)
  if (request.dryRun) return describePlan(manifest, request, planned)
  throwIfRefused(request, planned) // before Glacier is asked for anything, which costs money and hours

  const states = planned.flatMap((task) => task.states)
  const thawing = await thawAll(deps, request, states)
  if (thawing) return thawing
  const waited = states.some(({ thaw }) => thaw !== 'readable')
  // Meanwhile, somebody may have written what must not be overwritten; and what can be read shows only now.
  const tasks = waited ? await planTasks(deps, request, manifest) : planned
  throwIfRefused(request, tasks)
  // Not before: while Glacier is thawing, the disks may still have to be made.
  if (!request.stdout) throwUnlessFits(tasks.map(({ target, plan }) => ({ ...plan, directory: target.directory })))

  const volumes: VolumeReport[] = []
  for (const task of tasks) volumes.push(await restoreTask(deps, request, task))
  const absent = findWantedAbsent(manifest, request.volume, request.path)
  return describe({ run: manifest.run, host: manifest.host, volumes, absent })
}

async function planTasks(deps: Deps, request: Hosted<RestoreRequest>, manifest: Manifest): Promise<Task[]> {
  const tasks: Task[] = []
  for (const wanted of chooseWanted(manifest, request.volume, request.path)) {
    tasks.push(await planTask(deps, request, wanted))
  }
  return tasks
}

/** @throws AgentError USAGE, TARGET_UNFIT */
function throwIfRefused({ stdout }: RestoreRequest, tasks: readonly Task[]): void {
  if (stdout) throwUnlessOneFile(tasks)
  else throwIfTaken(tasks)
}

async function planTask(deps: Deps, request: Hosted<RestoreRequest>, wanted: Wanted): Promise<Task> {
  const { archive, mountPoint } = wanted.volume
  const target = await targetOf(request, mountPoint)
  const plan = await planVolume(deps, wanted, target, { ...request, lost: [] })
  const needed = plan.fetch.segments.flatMap((index) => archive.segments[index] ?? [])
  const states = await readSegmentStates(deps, needed)
  if (!request.bestEffort) {
    await throwIfMissing(deps, archive, needed, states)
    return { wanted, plan, target, states }
  }
  const present = new Set(states.map(({ segment }) => segment))
  const missing = needed.filter((segment) => !present.has(segment)).map(rangeOf)
  const lost = await findAllLost(deps, request, { wanted, plan, target, states }, missing)
  return { wanted, plan: await planVolume(deps, wanted, target, { ...request, lost }), target, states }
}

/** Reads everything once before the restore reads it again: what cannot be read must not be begun. */
async function findAllLost(
  deps: Deps,
  request: Hosted<RestoreRequest>,
  { wanted, target, states }: Task,
  missing: readonly RawRange[],
): Promise<RawRange[]> {
  const readable = await planVolume(deps, wanted, target, { ...request, lost: missing })
  if (states.some(({ thaw }) => thaw !== 'readable')) return [...missing]
  const damaged = await findDamage(deps, wanted.volume.archive, readable.table, readable.pieces)
  return [...missing, ...damaged].sort((a, b) => a.offset - b.offset)
}

/** The target is taken for the root of the host that was backed up. */
async function targetOf(request: Hosted<RestoreRequest>, mountPoint: string): Promise<Target> {
  if (request.stdout) return standardOutput
  const root = request.inPlace ? '/' : (request.target ?? '')
  const directory = mountPoint === '/' ? root : `${root === '/' ? '' : root}${mountPoint}`
  const top = await openTarget(root)
  // In place, an administrator's symbolic links above a mount point are part of how this host is set up.
  if (!request.inPlace) top.throwUnlessContained(`${mountPoint}/.`.slice(1))
  return openTarget(directory)
}

/** Has every directory already, and no file. */
const standardOutput: Target = {
  directory: 'standard output',
  isFresh: false,
  inspect: ({ type }) =>
    type === 'directory'
      ? { state: 'equal', isDirectory: true, isSymlink: false, newer: false, storedBytes: 0 }
      : { state: 'absent' },
  isMountPoint: () => false,
  throwUnlessContained: () => undefined,
}

function throwUnlessOneFile([task, ...others]: readonly Task[]): void {
  if (task && others.length === 0 && task.plan.entries === 1 && isFile(task.plan)) return
  throw new AgentError('USAGE', '--stdout prints one file, and this would be more, or something else', {
    hint: 'Name one file with --path, or restore into a directory with --target.',
  })
}

function isFile({ types }: PlannedVolume): boolean {
  return types.file === 1 || types.hardlink === 1
}

/** @throws AgentError TARGET_UNFIT with the names that are taken */
function throwIfTaken(tasks: readonly Task[]): void {
  for (const { plan, target } of tasks) {
    if (plan.conflicts.length === 0) continue
    throw new AgentError('TARGET_UNFIT', `${target.directory} has these already: ${plan.conflicts.join(', ')}`, {
      hint:
        'Restore into an empty directory, or decide with --on-conflict skip, overwrite or newer. ' +
        'After a restore that was interrupted, --resume goes on.',
    })
  }
}

async function restoreTask(deps: Deps, request: Hosted<RestoreRequest>, task: Task): Promise<VolumeReport> {
  const { wanted, plan, target } = task
  if (request.stdout) {
    await printFile(deps, plan)
    return reportOf(task)
  }
  await makeTarget(target.directory)
  const { ok, complaint } = await restoreVolume(deps, plan, target.directory)
  if (ok) return reportOf(task)
  // What a restore that is resumed would still have to do is what has failed.
  const rest = await planVolume(deps, wanted, await openTarget(target.directory), {
    ...request,
    resume: true,
    lost: plan.lostRanges,
  })
  return { ...reportOf(task), failed: rest.names, failedEntries: rest.entries, complaint }
}

/** Of a task that was done without fail. */
function reportOf({ plan, target }: Task): VolumeReport {
  const { volume, entries, kept, lost, fetch } = plan
  const { mountPoint } = volume
  const nothing = { failed: [], failedEntries: 0, complaint: '' }
  return { mountPoint, directory: target.directory, entries, kept, lost, ...nothing, fetch }
}

function describe(report: RestoreReport): Outcome {
  const complete =
    report.volumes.every(
      ({ failedEntries, lost, complaint }) => failedEntries === 0 && lost.length === 0 && complaint === '',
    ) && !report.absent.some(({ failed }) => failed)
  return { status: complete ? ExitStatus.ok : ExitStatus.incomplete, summary: formatRestore(report), json: report }
}

function describePlan(manifest: Manifest, request: Hosted<RestoreRequest>, tasks: readonly Task[]): Outcome {
  const volumes = tasks.map(({ plan, target, states }) => ({
    mountPoint: plan.volume.mountPoint,
    directory: target.directory,
    entries: plan.entries,
    kept: plan.kept,
    conflicts: plan.conflicts,
    lost: plan.lost,
    sizeBytes: plan.sizeBytes,
    fetch: plan.fetch,
    storageClasses: [...new Set(states.map(({ storageClass }) => storageClass))],
    frozen: states.filter(({ thaw }) => thaw !== 'readable').length,
  }))
  const absent = findWantedAbsent(manifest, request.volume, request.path)
  return {
    status: ExitStatus.ok,
    summary: formatRestorePlan(manifest, volumes, absent, request.thaw),
    json: { run: manifest.run, host: manifest.host, volumes, absent },
  }
}
