/** Restores a run into a scratch directory, and looks at what came of it. */
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import type { Deps } from '../context'
import type { RunKey } from '../contract'
import type { DrillRequest, RestoreRequest, WithHost } from '../options/commands'
import { OPTIONS } from '../options/table'
import { loadCatalogs } from '../restore/catalogs.io'
import { planTasks } from '../restore/plan-tasks.io'
import { spaceNeed, type RestoreTask } from '../restore/restore-task'
import { retrieveAll } from '../restore/retrieve.io'
import { resolveSelection } from '../restore/select-volumes'
import { assertFits } from '../restore/target.io'
import { restoreAll, type Results } from '../restore/volumes.io'
import { openRunAt } from '../run/runs'
import type { Sample } from '../verify/sample'
import { runCheckScript } from './check-script.io'
import { compareVolume } from './compare.io'
import { restoreProblems, type Problems } from './problems'

/** How far a drill has come, whatever stops it. */
export interface Trial {
  restoreSeconds: number
  restoredBytes: number
  entries: number
  volumes: readonly string[]
}

export interface TrialRequest extends DrillRequest {
  readonly startedAt: Date
  /** A directory that only root gets at. */
  readonly scratch: string
  /** The part of each volume that is restored, where not all of it is. */
  readonly part?: Sample | undefined
}

/** Which part is tried: whichever, so that nobody can count on the others. */
export function chooseShare({ share }: DrillRequest): Sample | undefined {
  if (!share || share.count === share.parts) return undefined
  return { ...share, part: randomInt(share.parts) + 1 }
}

/**
 * Tells of all that is not as it should be, and of how far it has come.
 *
 * @throws AgentError whatever keeps it from being restored, or compared
 */
export async function tryRun(
  given: Deps,
  request: TrialRequest,
  runKey: RunKey,
  trial: Trial,
  problems: Problems,
): Promise<void> {
  const { manifest, store } = await openRunAt(given, runKey, request.trustTimes)
  const deps = { ...given, store }
  const target = join(request.scratch, 'restored')
  const restoring = restoreRequest(request, runKey, target)
  const { volumes, ...lacks } = resolveSelection(manifest, request.volume, request.path)
  const selections = volumes.map((selection) => ({ ...selection, ...(request.part && { share: request.part }) }))
  await using catalogs = await loadCatalogs(
    deps,
    restoring,
    manifest,
    selections.map(({ volume }) => volume),
  )
  const tasks = await planTasks(deps, restoring, selections, catalogs)
  await retrieveAll(
    deps,
    restoring,
    tasks.flatMap(({ states }) => states),
  )
  assertFits(tasks.map(spaceNeed))
  const results = await restoreAll(deps, restoring, tasks)
  const done = tasks.filter((task) => !hasFailed(results, task))
  trial.restoreSeconds = Math.max(0, (deps.now().getTime() - request.startedAt.getTime()) / 1000)
  trial.restoredBytes = done.reduce((sum, { plan }) => sum + plan.sizeBytes, 0)
  trial.entries = done.reduce((sum, { plan }) => sum + plan.entries, 0)
  trial.volumes = done.map(({ selection }) => selection.volume.mountPoint)
  for (const problem of restoreProblems({ ...results, ...lacks })) problems.add(problem)
  for (const task of done) await compareVolume(deps, task, request.scratch, problems)
  if (request.checkScript === undefined) return
  const found = await runCheckScript(deps, request.checkScript, target, runKey, request.checkTimeout)
  if (found !== undefined) problems.add(found)
}

function hasFailed({ failures }: Results, { selection }: RestoreTask): boolean {
  return failures.some(({ mountPoint }) => mountPoint === selection.volume.mountPoint)
}

/** Into an empty directory, all or nothing, and nothing that has to be brought back from Glacier. */
function restoreRequest(request: DrillRequest, { host, class: className, run }: RunKey, target: string) {
  const asked: WithHost<RestoreRequest> = {
    ...request,
    ...{ command: 'restore', host, class: className, run, at: undefined, target },
    ...{ inPlace: false, stdout: false, onConflict: 'fail', resume: false, bestEffort: false, dryRun: false },
    ...{ includeDeleted: false, thaw: undefined, days: OPTIONS.days.default, wait: false },
  }
  return asked
}
