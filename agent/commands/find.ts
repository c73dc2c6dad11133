import { ExitStatus, type RunPlace } from '../contract'
import { mapInOrder } from '../io/in-order'
import { readCatalogText, type ReaderDeps } from '../io/reader'
import { findRun, findRuns, readManifest } from '../io/runs'
import { searchCatalog } from '../plan/catalog-search'
import { parseGlob } from '../plan/glob'
import type { FindRequest, Hosted } from '../plan/requests'
import { collectVersions, formatVersions } from '../plan/versions'
import { chooseVolumes } from '../plan/volumes'
import type { Outcome } from './outcome'

/** Manifests read ahead while catalogs are searched. */
const MANIFESTS_IN_FLIGHT = 4

/**
 * Searches the catalogs of a host's runs, never the data: of one run, or of all of them to see how a path changed.
 *
 * @throws AgentError UNKNOWN_RUN, UNKNOWN_VOLUME, ACCESS_DENIED
 */
export async function find(deps: ReaderDeps, request: Hosted<FindRequest>): Promise<Outcome> {
  const { host, pattern, limit } = request
  const glob = parseGlob(pattern)
  const versions = collectVersions(limit)
  const places = await choosePlaces(deps, request)
  const manifests = mapInOrder(places, MANIFESTS_IN_FLIGHT, deps.signal, (place) => readManifest(deps, place))
  for await (const manifest of manifests) {
    for (const { volume, mountPoint, archive } of chooseVolumes(manifest, request.volume)) {
      const search = searchCatalog(mountPoint, glob)
      for await (const text of readCatalogText(deps, archive.catalog)) {
        for (const { path, entry } of search.push(text)) versions.add(manifest, volume, path, entry)
      }
    }
  }
  const found = versions.list()
  return {
    status: ExitStatus.ok,
    summary: formatVersions(pattern, host, found, versions.more()),
    json: { host, pattern, runs: places.length, found, more: versions.more() },
  }
}

/** Oldest first. */
async function choosePlaces(deps: ReaderDeps, request: Hosted<FindRequest>): Promise<RunPlace[]> {
  if (request.run !== undefined || request.at !== undefined) return [await findRun(deps, request)]
  return (await findRuns(deps, request)).reverse()
}
