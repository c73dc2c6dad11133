/** Tells of volumes that the newest run of a host lacks: whoever restores "the host" from it would not miss them in time. */
import type { RunKey } from '../contract'
import { asLoss } from '../errors'
import type { StoreDeps } from '../context'
import { mapInOrder } from '../lib/in-order.io'
import { findRuns, isWhatItSays, readManifest } from '../run/runs'
import { insertLine } from '../run/deleted'
import type { Manifest } from '../run/manifest'
import type { WithHost, RestoreRequest } from '../options/commands'
import type { Outcome } from '../outcome'
import type { RestoreOutput } from './output-schema'

/** Runs before the newest that are looked at: a request each (design limit). */
const EARLIER_RUNS_MAX = 10
const READS_IN_FLIGHT = 4

/** A volume that is not in the run. */
export type Elsewhere = NonNullable<RestoreOutput['elsewhere']>[number]

/**
 * Volumes that one of the runs before has and the newest does not. None where the request names a run or a part of it, and
 * none where it cannot be found out: it is only a warning.
 */
export async function findElsewhere(
  deps: StoreDeps,
  request: WithHost<RestoreRequest>,
  newest: Manifest,
): Promise<Elsewhere[]> {
  const { run, at, volume, path, trustTimes } = request
  if (run !== undefined || at !== undefined || volume.length > 0 || path.length > 0) return []
  const known = new Set(newest.volumes.map(({ mountPoint }) => mountPoint))
  const found: Elsewhere[] = []
  try {
    const runs = (await findRuns(deps, request))
      .filter((runKey) => runKey.run < newest.run && isWhatItSays(runKey, trustTimes))
      .slice(0, EARLIER_RUNS_MAX)
    for await (const earlier of mapInOrder(runs, READS_IN_FLIGHT, deps.signal, (runKey) => readVolumes(deps, runKey))) {
      for (const mountPoint of earlier.mountPoints) {
        if (!known.has(mountPoint)) found.push({ mountPoint, run: earlier.run })
        known.add(mountPoint)
      }
    }
  } catch (error) {
    deps.log.debug(`could not find out which volumes earlier runs have: ${asLoss(error).message}`)
  }
  for (const one of found) deps.log.warn(describe(one))
  return found
}

/** No volume where the manifest cannot be read. */
async function readVolumes(deps: StoreDeps, runKey: RunKey) {
  const { run } = runKey
  try {
    const { manifest } = await readManifest(deps, runKey)
    return { run, mountPoints: manifest.volumes.map(({ mountPoint }) => mountPoint) }
  } catch (error) {
    deps.log.debug(`the manifest of ${run} was passed over: ${asLoss(error).message}`)
    return { run, mountPoints: [] }
  }
}

/** Right below the verdict, and in the JSON. */
export function addElsewhere(outcome: Outcome<RestoreOutput>, elsewhere: readonly Elsewhere[]): Outcome<RestoreOutput> {
  if (elsewhere.length === 0) return outcome
  const summary = elsewhere.reduceRight((text, one) => insertLine(text, `  WARNING ${describe(one)}`), outcome.summary)
  return { ...outcome, summary, json: { ...outcome.json, elsewhere } }
}

function describe({ mountPoint, run }: Elsewhere): string {
  return `not in this run: ${mountPoint}; the newest run that has it is ${run}`
}
