/** Plans the restore of each volume, by what lies in the bucket and what is in the target. Changes nothing. */
import { distinctPaths } from '../archive/distinct-paths.io'
import { inOrder } from '../archive/frame-reads'
import type { LoadedCatalog } from '../archive/load-catalog.io'
import { assertNoneMissing, findDamage, rangeOf, readSegmentStates } from '../archive/segment-status.io'
import { wholeArchive } from '../archive/whole-archive'
import type { Deps } from '../context'
import type { RestoreRequest } from '../options/commands'
import type { RawRange } from '../tar/entry'
import type { Catalogs } from './catalogs.io'
import type { PlanOptions } from './choose-entries'
import type { VolumePlan } from './plan-tally'
import { planVolume } from './plan-volume'
import { plannedEntries } from './planned-entries.io'
import { fetchCost, goesOn, rootOf, type RestoreTask } from './restore-task'
import type { VolumeSelection } from './select-volumes'
import { openTarget, type RestoreTarget } from './target.io'

/** @throws AgentError as `planVolume`; ARCHIVE_DAMAGED where a segment is missing and is not to be done without */
export async function planTasks(
  deps: Deps,
  request: RestoreRequest,
  volumes: readonly VolumeSelection[],
  catalogs: Catalogs,
): Promise<RestoreTask[]> {
  const tasks: RestoreTask[] = []
  for (const selection of volumes) tasks.push(await planTask(deps, request, selection, catalogs.of(selection.volume)))
  return tasks
}

async function planTask(
  deps: Deps,
  request: RestoreRequest,
  selection: VolumeSelection,
  catalog: LoadedCatalog,
): Promise<RestoreTask> {
  const archive = wholeArchive(selection.volume)
  const target = targetOf(request, selection)
  const staged = !target.isFresh && !(goesOn(request) && target.isClosed)
  const planWithout = async (lost: readonly RawRange[]): Promise<RestoreTask> => {
    const plan = await planFrom(catalog, selection, target, { ...request, staged, lost })
    const table = await catalog.table()
    const fetch = fetchCost(archive, table, plan.pieces)
    return { selection, catalog, target, staged, plan, table, fetch, states: [] }
  }

  const task = await planWithout([])
  const needed = task.fetch.segments.flatMap((index) => archive.segments[index] ?? [])
  const states = await readSegmentStates(deps, needed)
  if (!request.bestEffort) {
    await assertNoneMissing(catalog.entries(), needed, states)
    return { ...task, states }
  }

  const present = new Set(states.map(({ segment }) => segment))
  const missing = needed.filter((segment) => !present.has(segment)).map(rangeOf)
  const readable = missing.length === 0 ? task : await planWithout(missing)
  // What cannot be read must not be begun: all of it is read before the restore reads it again. In Glacier, nothing can be.
  if (states.some(({ retrieval }) => retrieval !== 'readable')) return { ...readable, states }
  const damaged = await findDamage(deps, archive, readable.table, readable.plan.pieces)
  if (damaged.length === 0) return { ...readable, states }
  return { ...(await planWithout(inOrder([...missing, ...damaged]))), states }
}

/** Goes through the catalog, and looks at the target as it is now. @throws AgentError as `planVolume` */
export function planFrom(
  catalog: LoadedCatalog,
  selection: VolumeSelection,
  target: RestoreTarget,
  options: PlanOptions,
): Promise<VolumePlan> {
  const notes = { planned: plannedEntries(), distinct: distinctPaths() }
  return planVolume(() => catalog.entries(), selection, target, options, notes)
}

function targetOf(request: RestoreRequest, { volume, mountPoints }: VolumeSelection): RestoreTarget {
  if (request.stdout) return standardOutput
  const { mountPoint } = volume
  const { root, isInPlace } = rootOf(request)
  if (!isInPlace) openTarget(root).assertContained(`${mountPoint}/.`.slice(1))
  return openTarget(mountPoint === '/' ? root : `${root === '/' ? '' : root}${mountPoint}`, mountPoints)
}

/** Has every directory already, and no file. */
const standardOutput: RestoreTarget = {
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
