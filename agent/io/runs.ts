/** Runs as the bucket has them: a run is its manifest. */
import { manifestKey, Prefix, RUN_PATTERN, type RunPlace } from '../contract'
import { AgentError, hasCode } from '../errors'
import { parseManifest, type Manifest } from '../plan/manifest'
import { findNearest } from '../plan/nearest'
import type { ReaderDeps } from './reader'

/** @throws AgentError UNKNOWN_RUN, with the name that was probably meant; as `parseManifest` */
export async function readManifest(deps: ReaderDeps, place: RunPlace): Promise<Manifest> {
  const key = manifestKey(place)
  try {
    return parseManifest((await deps.store.get(key, deps.signal)).toString(), key)
  } catch (error) {
    if (hasCode(error, 'OBJECT_MISSING')) throw await unknownRun(deps, place, error)
    throw error
  }
}

/** Names of the runs of a host that have a manifest, oldest first. */
export async function listRuns(deps: ReaderDeps, { class: className, host }: Omit<RunPlace, 'run'>): Promise<string[]> {
  const prefix = `${Prefix.manifests}/${className}/${host}/`
  const runs: string[] = []
  for await (const { key } of deps.store.list(prefix, deps.signal)) {
    const run = key.slice(prefix.length).replace(/\.json$/, '')
    if (new RegExp(RUN_PATTERN).test(run)) runs.push(run)
  }
  return runs
}

async function unknownRun(deps: ReaderDeps, place: RunPlace, cause: unknown): Promise<AgentError> {
  // The list only makes the hint better, and a host may be forbidden to list.
  const runs = await listRuns(deps, place).catch(() => [])
  const near = findNearest(place.run, runs) ?? runs.at(-1)
  return new AgentError('UNKNOWN_RUN', `${place.host} has no run '${place.run}' of class '${place.class}'`, {
    hint:
      (near === undefined ? '' : `Did you mean ${near}? `) +
      'Run "snapstream list" for the runs there are. A run without a manifest did not finish, and does not count.',
    cause,
  })
}
