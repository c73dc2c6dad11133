import { ExitStatus, Prefix } from '../contract'
import { AgentError, hasCode } from '../errors'
import type { Deps } from '../io/deps'
import { mapInOrder } from '../io/in-order'
import { findRuns, readManifest } from '../io/runs'
import type { Hosted, ListRequest } from '../plan/requests'
import { formatRunList, listedRun, parseVerdict, unreadableRun, type FoundRun, type ListedRun } from '../plan/run-list'
import type { Outcome } from './outcome'

type ListDeps = Pick<Deps, 'store' | 'signal' | 'now'>

/** Manifests read at a time. */
const READS_IN_FLIGHT = 8
/** The findings of a verification are few, however many there were. */
const VERDICT_BYTES_MAX = 64 * 1024

/**
 * Lists the runs of a host, newest first.
 *
 * @throws AgentError ACCESS_DENIED where these credentials may not list the bucket, as those of hosts may not
 */
export async function list(deps: ListDeps, request: Hosted<ListRequest>): Promise<Outcome> {
  const places = await findRuns(deps, request)
  const shown = places.slice(0, request.limit)
  const runs: ListedRun[] = []
  for await (const run of mapInOrder(shown, READS_IN_FLIGHT, deps.signal, (place) => readRun(deps, place))) {
    runs.push(run)
  }
  return {
    status: ExitStatus.ok,
    summary: formatRunList(request.host, runs, places.length, deps.now()),
    json: { host: request.host, total: places.length, runs },
  }
}

async function readRun(deps: ListDeps, place: FoundRun): Promise<ListedRun> {
  try {
    const manifest = await readManifest(deps, place)
    return listedRun(place, manifest, await readLatestVerdict(deps, place))
  } catch (error) {
    if (!hasCode(error, 'FORMAT_UNSUPPORTED') && !hasCode(error, 'ARCHIVE_DAMAGED')) throw error
    return unreadableRun(place, (error as AgentError).message)
  }
}

async function readLatestVerdict({ store, signal }: ListDeps, place: FoundRun) {
  let latest: string | undefined
  const prefix = `${Prefix.verifications}/${place.class}/${place.host}/${place.run}/`
  for await (const { key } of store.list(prefix, signal)) latest = key
  return latest === undefined
    ? undefined
    : parseVerdict((await store.get(latest, VERDICT_BYTES_MAX, signal)).body.toString())
}
