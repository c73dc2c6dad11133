/** The story of a restore: what is wanted, its catalogs, a plan, Glacier, the disks, a report. */
import type { Deps } from '../context'
import type { RestoreRequest, WithHost } from '../options/commands'
import type { Outcome } from '../outcome'
import type { RestoreOutput } from './output-schema'
import type { Manifest } from '../run/manifest'
import { openRun } from '../run/runs'
import { loadCatalogs } from './catalogs.io'
import { describePlan } from './dry-run-report'
import { addElsewhere, findElsewhere } from './elsewhere.io'
import { planTasks } from './plan-tasks.io'
import { assertNotRefused } from './refusals'
import { describeRestore } from './report'
import { spaceNeed } from './restore-task'
import { retrieveAll } from './retrieve.io'
import { resolveSelection } from './select-volumes'
import { assertFits } from './target.io'
import { restoreAll } from './volumes.io'

/**
 * Restores volumes, directories or files of a run. Nothing is written before it is known that all of it can be read, does
 * not overwrite what must stay, stays within the target, and fits.
 *
 * @throws AgentError UNKNOWN_RUN, UNKNOWN_VOLUME, UNKNOWN_PATH, TARGET_UNFIT, OBJECT_ARCHIVED, ARCHIVE_DAMAGED
 */
export async function restore(deps: Deps, request: WithHost<RestoreRequest>): Promise<Outcome<RestoreOutput>> {
  const { manifest, store } = await openRun(deps, request)
  const elsewhere = await findElsewhere(deps, request, manifest)
  return addElsewhere(await restoreRun({ ...deps, store }, request, manifest), elsewhere)
}

async function restoreRun(
  deps: Deps,
  request: WithHost<RestoreRequest>,
  manifest: Manifest,
): Promise<Outcome<RestoreOutput>> {
  const { run, host } = manifest
  const { volumes, ...lacks } = resolveSelection(manifest, request.volume, request.path)

  const volumesOfRun = volumes.map(({ volume }) => volume)
  await using catalogs = await loadCatalogs(deps, request, manifest, volumesOfRun)
  if (catalogs.waiting) return catalogs.waiting

  const plan = () => planTasks(deps, request, volumes, catalogs)
  const planned = await plan()
  if (request.dryRun) return describePlan({ run, host, ...lacks }, request, planned)
  assertNotRefused(request, planned) // before Glacier is asked for anything, which costs money and hours

  const states = planned.flatMap((task) => task.states)
  const waiting = await retrieveAll(deps, request, states)
  if (waiting) return waiting
  const waited = states.some(({ retrieval }) => retrieval !== 'readable')
  // Meanwhile, somebody may have written what must not be overwritten; and what can be read shows only now.
  const tasks = waited ? await plan() : planned
  assertNotRefused(request, tasks)
  // Not before: while Glacier retrieves, the disks may still have to be made.
  if (!request.stdout) assertFits(tasks.map(spaceNeed))

  const results = await restoreAll(deps, request, tasks)
  return describeRestore({ run, host, ...results, ...lacks })
}
