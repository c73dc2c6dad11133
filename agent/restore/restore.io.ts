import { ExitStatus } from '../contract'
import { AgentError } from '../errors'
import { findLostCatalogs, readSources, rebuildCatalogs } from './rebuild-catalog.io'
import { findDamage, rangeOf, readSegmentStates, assertNoneMissing } from '../archive/segment-status.io'
import type { Deps } from '../context'
import { planVolume, type PlannedVolume, type PlanOptions } from './plan-volume.io'
import { openTarget, assertFits, type Need, type Target } from './target.io'
import { openRun } from '../run/runs'
import type { Manifest } from '../run/manifest'
import type { WithHost, RestoreRequest } from '../options/commands'
import { resolveSelection, findWantedAbsent, findWarned, type VolumeSelection } from './select-volumes'
import { more } from '../lib/long-names'
import { formatRestore, formatRestorePlan, type RestoreReport } from './report'
import type { Outcome } from '../outcome'
import { addElsewhere, findElsewhere } from './elsewhere.io'
import { goesOn, restoreAll, rootOf, type Task } from './volumes.io'
import { retrieveAll } from './retrieve.io'
import type { RawRange } from '../tar/entry'

/**
 * Restores volumes, directories or files of a run. Nothing is written before it is known that all of it can be read, does
 * not overwrite what must stay, stays within the target, and fits.
 *
 * @throws AgentError UNKNOWN_RUN, UNKNOWN_VOLUME, UNKNOWN_PATH, TARGET_UNFIT, OBJECT_ARCHIVED, ARCHIVE_DAMAGED
 */
export async function restore(deps: Deps, request: WithHost<RestoreRequest>): Promise<Outcome> {
  const { manifest, store } = await openRun(deps, request)
  const elsewhere = await findElsewhere(deps, request, manifest)
  return addElsewhere(await restoreRun({ ...deps, store }, request, manifest), elsewhere)
}

async function restoreRun(deps: Deps, request: WithHost<RestoreRequest>, manifest: Manifest): Promise<Outcome> {
  const wanted = resolveSelection(manifest, request.volume, request.path)
  const lost = await findLostCatalogs(
    deps,
    wanted.map(({ volume }) => volume),
  )
  if (lost.length === 0) return restoreFrom(deps, request, manifest)

  const asked = request.dryRun ? { ...request, thaw: undefined } : request // a dry run changes nothing
  const waiting = await retrieveAll(deps, asked, await readSources(deps, lost))
  if (waiting) return waiting
  await using catalogs = await rebuildCatalogs(deps, manifest, lost)
  return await restoreFrom({ ...deps, store: catalogs.store }, request, catalogs.manifest)
}

/** The restore itself, once every catalog that it needs can be read. */
async function restoreFrom(deps: Deps, request: WithHost<RestoreRequest>, manifest: Manifest): Promise<Outcome> {
  const planned = await planTasks(deps, request, manifest)
  if (request.dryRun) return describePlan(manifest, request, planned)
  assertNotRefused(request, planned) // before Glacier is asked for anything, which costs money and hours

  const states = planned.flatMap((task) => task.states)
  const waiting = await retrieveAll(deps, request, states)
  if (waiting) return waiting
  const waited = states.some(({ retrieval }) => retrieval !== 'readable')
  // Meanwhile, somebody may have written what must not be overwritten; and what can be read shows only now.
  const tasks = waited ? await planTasks(deps, request, manifest) : planned
  assertNotRefused(request, tasks)
  // Not before: while Glacier retrieves, the disks may still have to be made.
  if (!request.stdout) assertFits(tasks.map(needOf))

  const results = await restoreAll(deps, request, tasks)
  return describe({ run: manifest.run, host: manifest.host, ...results, ...lacking(manifest, request) })
}

/** What of that which was asked for the run itself lacks. */
function lacking(manifest: Manifest, { volume, path }: RestoreRequest): Pick<RestoreReport, 'absent' | 'warned'> {
  return {
    absent: findWantedAbsent(manifest, volume, path),
    warned: findWarned(resolveSelection(manifest, volume, path)),
  }
}

async function planTasks(deps: Deps, request: WithHost<RestoreRequest>, manifest: Manifest): Promise<Task[]> {
  const tasks: Task[] = []
  for (const wanted of resolveSelection(manifest, request.volume, request.path)) {
    tasks.push(await planTask(deps, request, wanted))
  }
  return tasks
}

function needOf({ plan, target, staged }: Task): Need {
  return {
    directory: target.directory,
    entries: plan.entries,
    sizeBytes: staged ? plan.stagedBytes : plan.sizeBytes,
  }
}

/** @throws AgentError USAGE, TARGET_UNFIT */
function assertNotRefused({ stdout }: RestoreRequest, tasks: readonly Task[]): void {
  if (stdout) assertOneFile(tasks)
  else assertNoConflicts(tasks)
}

async function planTask(deps: Deps, request: WithHost<RestoreRequest>, wanted: VolumeSelection): Promise<Task> {
  const { archive } = wanted.volume
  const target = targetOf(request, wanted)
  const staged = !target.isFresh && !(goesOn(request) && target.isClosed)
  const options = { ...request, staged, lost: [] }
  const plan = await planVolume(deps, wanted, target, options)
  const needed = plan.fetch.segments.flatMap((index) => archive.segments[index] ?? [])
  const states = await readSegmentStates(deps, needed)
  const task = { wanted, plan, target, states, staged }
  if (!request.bestEffort) {
    await assertNoneMissing(deps, archive, needed, states)
    return task
  }
  const present = new Set(states.map(({ segment }) => segment))
  const missing = needed.filter((segment) => !present.has(segment)).map(rangeOf)
  const lost = await findAllLost(deps, options, task, missing)
  return { ...task, plan: await planVolume(deps, wanted, target, { ...options, lost }) }
}

/** Reads everything once before the restore reads it again: what cannot be read must not be begun. */
async function findAllLost(
  deps: Deps,
  options: PlanOptions,
  { wanted, target, states }: Task,
  missing: readonly RawRange[],
): Promise<RawRange[]> {
  const readable = await planVolume(deps, wanted, target, { ...options, lost: missing })
  if (states.some(({ retrieval }) => retrieval !== 'readable')) return [...missing]
  const damaged = await findDamage(deps, wanted.volume.archive, readable.table, readable.pieces)
  return [...missing, ...damaged].sort((a, b) => a.offset - b.offset)
}

function targetOf(request: WithHost<RestoreRequest>, { volume, mountPoints }: VolumeSelection): Target {
  if (request.stdout) return standardOutput
  const { mountPoint } = volume
  const { root, isInPlace } = rootOf(request)
  if (!isInPlace) openTarget(root).assertContained(`${mountPoint}/.`.slice(1))
  return openTarget(mountPoint === '/' ? root : `${root === '/' ? '' : root}${mountPoint}`, mountPoints)
}

/** Has every directory already, and no file. */
const standardOutput: Target = {
  directory: 'standard output',
  isFresh: false,
  isClosed: false,
  inspect: ({ type }) =>
    type === 'directory'
      ? { state: 'equal', isDirectory: true, isSymlink: false, newer: false, storedBytes: 0 }
      : { state: 'absent' },
  isMountPoint: () => false,
  assertContained: () => undefined,
}

function assertOneFile([task, ...others]: readonly Task[]): void {
  if (task && others.length === 0 && task.plan.entries === 1 && task.plan.kept === 0 && isFile(task.plan)) return
  throw new AgentError('USAGE', '--stdout prints one file, and this would be more, or something else', {
    hint: 'Name one file with --path, or restore into a directory with --target.',
  })
}

function isFile({ types }: PlannedVolume): boolean {
  return types.file === 1 || types.hardlink === 1
}

/** @throws AgentError TARGET_UNFIT with the names that are taken */
function assertNoConflicts(tasks: readonly Task[]): void {
  for (const { plan, target } of tasks) {
    if (plan.conflicts.count === 0) continue
    const taken = [...plan.conflicts.first, more(plan.conflicts)].filter((name) => name !== undefined)
    throw new AgentError('TARGET_UNFIT', `${target.directory} has these already: ${taken.join(', ')}`, {
      hint:
        'Restore into an empty directory, or decide with --on-conflict skip, overwrite or newer. ' +
        'After a restore that was interrupted, --resume goes on.',
    })
  }
}

function describe(report: RestoreReport): Outcome {
  const complete =
    report.failures.length === 0 &&
    report.volumes.every(
      ({ failedEntries, lostEntries, tooLongEntries, impossibleEntries, byHandEntries, complaint }) =>
        failedEntries + lostEntries + tooLongEntries + impossibleEntries + byHandEntries === 0 && complaint === '',
    ) &&
    !report.absent.some(({ failed }) => failed) &&
    !report.warned.some(({ isWhole }) => isWhole)
  const status = complete ? ExitStatus.ok : report.volumes.length === 0 ? ExitStatus.failed : ExitStatus.incomplete
  return { status, summary: formatRestore(report), json: report }
}

function describePlan(manifest: Manifest, request: WithHost<RestoreRequest>, tasks: readonly Task[]): Outcome {
  const volumes = tasks.map(({ plan, target, states }) => ({
    mountPoint: plan.volume.mountPoint,
    directory: target.directory,
    entries: plan.entries,
    kept: plan.kept,
    conflicts: plan.conflicts.first,
    conflictEntries: plan.conflicts.count,
    lost: plan.lost.first,
    lostEntries: plan.lost.count,
    tooLong: plan.tooLong.first,
    tooLongEntries: plan.tooLong.count,
    impossible: plan.impossible.first,
    impossibleEntries: plan.impossible.count,
    byHand: plan.byHand.first,
    byHandEntries: plan.byHand.count,
    sizeBytes: plan.sizeBytes,
    fetch: plan.fetch,
    storageClasses: [...new Set(states.map(({ storageClass }) => storageClass))],
    frozen: states.filter(({ retrieval }) => retrieval !== 'readable').length,
  }))
  const lacks = lacking(manifest, request)
  return {
    status: ExitStatus.ok,
    summary: formatRestorePlan(manifest, volumes, lacks, request.thaw),
    json: { run: manifest.run, host: manifest.host, volumes, ...lacks },
  }
}
