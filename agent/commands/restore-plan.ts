import { ExitStatus } from '../contract'
import { writeScript } from '../io/script'
import type { ReaderDeps } from '../io/reader'
import { findRun, readManifest } from '../io/runs'
import { formatArgv } from '../plan/command'
import { formatRebuildScript, planRebuild } from '../plan/rebuild'
import type { Hosted, RestorePlanRequest } from '../plan/requests'
import { fit } from '../plan/summary'
import type { Outcome } from './outcome'

/**
 * Plans the rebuild of a whole host on empty disks from a run's manifest, and changes nothing.
 *
 * @throws AgentError UNKNOWN_RUN, OUTPUT_UNREADABLE; TARGET_UNFIT where the script is there already
 */
export async function restorePlan(deps: ReaderDeps, request: Hosted<RestorePlanRequest>): Promise<Outcome> {
  const { bucket, mountAt: target, disk, script } = request
  const manifest = await readManifest(deps, await findRun(deps, request))
  const disks = new Map(disk.map((pair) => pair.split('=') as [string, string]))
  const plan = planRebuild(manifest, { bucket, target, disks })
  if (script !== undefined) await writeScript(script, formatRebuildScript(manifest, plan))
  return {
    status: ExitStatus.ok,
    summary: fit([
      `Rebuild of ${manifest.host} as in run ${manifest.run}: ${plan.steps.length} commands, none of them was run`,
      ...plan.steps.map(({ argv }) => `  ${formatArgv(argv)}`),
      ...plan.notes.map((note) => `  NOTE: ${note}`),
      script === undefined
        ? '  --script FILE writes them, with their reasons, to be read and run.'
        : `  written to ${script}`,
    ]),
    json: { run: manifest.run, host: manifest.host, ...plan },
  }
}
