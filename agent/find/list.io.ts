import { ExitStatus } from '../contract'
import { asLoss } from '../errors'
import type { StoreDeps } from '../context'
import { mapInOrder } from '../lib/in-order.io'
import { findRuns, isWhatItSays, readManifest } from '../run/runs'
import { readVerdicts } from '../run/verdicts'
import type { WithHost, ListRequest } from '../options/commands'
import { baseFinder } from './bases'
import { formatRunList, listedRun, unreadableRun, type ListedRun } from './run-table'
import { listDebris } from './debris'
import type { Outcome } from '../outcome'
import type { ListOutput } from './output-schema'
import type { FoundRun } from '../run/run-time'

/** Manifests read at a time. */
const READS_IN_FLIGHT = 8

/**
 * Lists the runs of a host, newest first; or with `debris` what lies there without one.
 *
 * @param width - characters of the terminal; none where there is no terminal
 * @throws AgentError ACCESS_DENIED where these credentials may not list the bucket, as those of hosts may not
 */
export async function list(
  deps: StoreDeps,
  request: WithHost<ListRequest>,
  width?: number,
): Promise<Outcome<ListOutput>> {
  if (request.debris) return listDebris(deps, request)
  const found = await findRuns(deps, request)
  const [good, misdated] = [true, false].map((wanted) =>
    found.filter((runKey) => isWhatItSays(runKey, request.trustTimes) === wanted),
  ) as [FoundRun[], FoundRun[]]
  // Last of all: whoever may add such may add any number of them.
  const all = [...good.map(withoutMisdating), ...misdated]
  const shown = all.slice(0, request.limit)
  const runs: ListedRun[] = []
  const findBases = baseFinder(deps)
  for await (const run of mapInOrder(shown, READS_IN_FLIGHT, deps.signal, (runKey) =>
    readRun(deps, runKey, findBases),
  )) {
    runs.push(run)
  }
  return {
    status: ExitStatus.ok,
    summary: formatRunList(request.host, runs, all.length, deps.now(), width),
    json: { host: request.host, total: all.length, runs },
  }
}

/** It is what it says, or the operator says so. */
function withoutMisdating({ host, class: className, run, deleted }: FoundRun): FoundRun {
  return { host, class: className, run, ...(deleted && { deleted }) }
}

async function readRun(
  deps: StoreDeps,
  runKey: FoundRun,
  findBases: ReturnType<typeof baseFinder>,
): Promise<ListedRun> {
  try {
    const { manifest } = await readManifest(deps, runKey)
    const volumes = manifest.volumes.map(({ volume }) => volume)
    return listedRun(runKey, manifest, await readVerdicts(deps, runKey, volumes), await findBases(runKey, manifest))
  } catch (error) {
    return unreadableRun(runKey, asLoss(error).message)
  }
}
