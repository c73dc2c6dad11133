import { ExitStatus } from '../contract'
import { asLoss } from '../errors'
import type { Deps } from '../context'
import { mapInOrder } from '../lib/in-order.io'
import { findRuns, isWhatItSays, readManifest } from '../run/runs'
import { readVerdicts } from '../run/verdicts'
import type { WithHost, ListRequest } from '../options/commands'
import { formatRunList, listedRun, unreadableRun, type ListedRun } from './run-table'
import { listDebris } from './debris'
import type { Outcome } from '../outcome'
import type { FoundRun } from '../run/run-time'

type ListDeps = Pick<Deps, 'store' | 'signal' | 'now'>

/** Manifests read at a time. */
const READS_IN_FLIGHT = 8

/**
 * Lists the runs of a host, newest first; or with `debris` what lies there without one.
 *
 * @param width - characters of the terminal; none where there is no terminal
 * @throws AgentError ACCESS_DENIED where these credentials may not list the bucket, as those of hosts may not
 */
export async function list(deps: ListDeps, request: WithHost<ListRequest>, width?: number): Promise<Outcome> {
  if (request.debris) return listDebris(deps, request)
  const found = await findRuns(deps, request)
  const [good, misdated] = [true, false].map((wanted) =>
    found.filter((place) => isWhatItSays(place, request.trustTimes) === wanted),
  ) as [FoundRun[], FoundRun[]]
  // Last of all: whoever may add such may add any number of them.
  const places = [...good.map(withoutMisdating), ...misdated]
  const shown = places.slice(0, request.limit)
  const runs: ListedRun[] = []
  for await (const run of mapInOrder(shown, READS_IN_FLIGHT, deps.signal, (place) => readRun(deps, place))) {
    runs.push(run)
  }
  return {
    status: ExitStatus.ok,
    summary: formatRunList(request.host, runs, places.length, deps.now(), width),
    json: { host: request.host, total: places.length, runs },
  }
}

/** It is what it says, or the operator says so. */
function withoutMisdating({ host, class: className, run, deleted }: FoundRun): FoundRun {
  return { host, class: className, run, ...(deleted && { deleted }) }
}

async function readRun(deps: ListDeps, place: FoundRun): Promise<ListedRun> {
  try {
    const { manifest } = await readManifest(deps, place)
    const volumes = manifest.volumes.map(({ volume }) => volume)
    return listedRun(place, manifest, await readVerdicts(deps, place, volumes))
  } catch (error) {
    return unreadableRun(place, asLoss(error).message)
  }
}
