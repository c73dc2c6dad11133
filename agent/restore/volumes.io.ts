/** Restores volume after volume, what was planned of each. What befalls one decides nothing about the others. */
import { AgentError, hasCode } from '../errors'
import type { Deps } from '../context'
import { openWay, pathOf, reasonOf, type Directory } from './directory.io'
import { planFrom } from './plan-tasks.io'
import { goesOn, rootOf, type RestoreTask } from './restore-task'
import { openTarget } from './target.io'
import { printFile } from './extract-pieces.io'
import { openToUsers, restoreVolume, type VolumePlace } from './extract-volume.io'
import type { WithHost, RestoreRequest } from '../options/commands'
import { leftOut, type VolumeFailure, type VolumeReport } from './report'

/** A volume that is done but for its root, which is still closed to its users. */
interface Closed {
  readonly place: VolumePlace
  readonly root: Buffer
  readonly volume: number
}

export interface Results {
  readonly volumes: readonly VolumeReport[]
  readonly failures: readonly VolumeFailure[]
}

/**
 * @throws AgentError INTERRUPTED; where there is one volume only, whatever kept it from being restored
 */
export async function restoreAll(
  deps: Deps,
  request: WithHost<RestoreRequest>,
  tasks: readonly RestoreTask[],
): Promise<Results> {
  const volumes: VolumeReport[] = []
  const failures: VolumeFailure[] = []
  const closed: Closed[] = []
  using places = new DisposableStack()
  for (const task of tasks.toSorted(outerFirst)) {
    try {
      if (request.stdout) {
        await printFile(deps, task)
        volumes.push(reportOf(task))
        continue
      }
      const place = { directory: places.use(openPlace(request, task)), name: task.target.directory }
      const { report, root } = await restoreTask(deps, request, task, place)
      if (root) closed.push({ place, root, volume: volumes.length })
      volumes.push(report)
    } catch (thrown) {
      const error = asUnfit(thrown, task.target.directory)
      if (tasks.length === 1 || !(error instanceof AgentError) || hasCode(error, 'INTERRUPTED')) throw error
      const { code, message, hint } = error
      failures.push({
        mountPoint: task.selection.volume.mountPoint,
        directory: task.target.directory,
        code,
        message,
        hint,
      })
    }
  }
  await openAll(deps, closed, volumes)
  return { volumes, failures }
}

/** Filesystems differ in what they let root do: some know no owners, and some directories are append-only. */
function asUnfit(error: unknown, directory: string): unknown {
  if (typeof (error as Partial<NodeJS.ErrnoException> | undefined)?.syscall !== 'string') return error
  return new AgentError('TARGET_UNFIT', `${directory} cannot be restored into: ${reasonOf(error)}`, {
    hint: 'Choose a --target on a filesystem that keeps owners and modes, and look at its attributes with lsattr.',
    cause: error,
  })
}

function outerFirst(one: RestoreTask, other: RestoreTask): number {
  const [a, b] = [one.selection.volume.mountPoint, other.selection.volume.mountPoint]
  return a < b ? -1 : a > b ? 1 : 0
}

/** The volumes within others first: each is open only once all around it is done. */
async function openAll(deps: Deps, closed: readonly Closed[], volumes: VolumeReport[]): Promise<void> {
  for (const { place, root, volume } of closed.toReversed()) {
    const problem = await openToUsers(deps, place, root)
    const report = volumes[volume]
    if (problem === '' || !report) continue
    volumes[volume] = { ...report, complaint: report.complaint === '' ? problem : `${report.complaint}\n${problem}` }
  }
}

/**
 * Opens, and makes, the directory of a volume. In place, an administrator's symbolic links above a mount point are part of
 * how this host is set up. Below a target there are none but those that a restore has brought.
 *
 * @throws AgentError TARGET_UNFIT
 */
function openPlace(request: WithHost<RestoreRequest>, { selection, target }: RestoreTask): Directory {
  const { mountPoint } = selection.volume
  const { root, isInPlace } = rootOf(request)
  if (isInPlace) return openWay(target.directory, { links: 'follow', mode: 0o700 })
  using top = openWay(root, { links: 'follow', mode: mountPoint === '/' ? 0o700 : 0o755 })
  return openWay(mountPoint, { links: 'refuse', mode: 0o700 }, top)
}

async function restoreTask(
  deps: Deps,
  request: WithHost<RestoreRequest>,
  task: RestoreTask,
  place: VolumePlace,
): Promise<{ report: VolumeReport; root?: Buffer }> {
  const { selection, catalog, plan, staged } = task
  const { resume } = request
  const onConflict = resume && request.onConflict === 'fail' ? 'overwrite' : request.onConflict
  const options = { onConflict, mountPoints: selection.mountPoints, goesOn: goesOn(request) }
  const { ok, complaint, root } = await restoreVolume(deps, task, place, options)
  const ending = root ? { root } : {}
  if (ok) return { report: reportOf(task), ...ending }
  // What a restore that is resumed would still have to do is what has failed.
  const rest = await planFrom(catalog, selection, openTarget(pathOf(place.directory.fd)), {
    ...{ onConflict, staged, resume: true, lost: plan.lostRanges },
    review: { keepDirectories: staged && onConflict === 'fail' },
  })
  const failed = rest.names
  // What is there may look as it should and not be it: an end that was not good is told of in any case.
  const reason = complaint === '' ? 'tar failed without a message' : complaint
  return {
    report: { ...reportOf(task), failed: failed.first, failedEntries: failed.count, complaint: reason },
    ...ending,
  }
}

/** Of a task that was done without fail. */
function reportOf({ selection, plan, fetch, target }: RestoreTask): VolumeReport {
  const { mountPoint } = selection.volume
  const { entries, kept } = plan
  return {
    ...{ mountPoint, directory: target.directory, entries, kept, ...leftOut(plan) },
    ...{ failed: [], failedEntries: 0, complaint: '', fetch },
  }
}
