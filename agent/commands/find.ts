import { ExitStatus, type RunPlace } from '../contract'
import { AgentError, isDataLoss } from '../errors'
import type { Deps } from '../io/deps'
import { mapInOrder } from '../io/in-order'
import { readCatalogText } from '../io/read-catalog'
import type { ReaderDeps } from '../io/reader'
import { findRun, findRuns, noRun, readManifest } from '../io/runs'
import { searchCatalog } from '../plan/catalog-search'
import { parseGlob, type Glob } from '../plan/glob'
import type { Manifest, VolumeBackup } from '../plan/manifest'
import type { FindRequest, Hosted } from '../plan/requests'
import { isWithin } from '../plan/restore'
import { collectVersions, formatVersions, type CatalogVersions, type NotSearched } from '../plan/versions'
import { chooseVolumes, findVolumes, isNamed } from '../plan/volumes'
import type { Outcome } from './outcome'

type FindDeps = ReaderDeps & Pick<Deps, 'log'>

/** Manifests read ahead while catalogs are searched. */
const MANIFESTS_IN_FLIGHT = 4

/**
 * Searches the catalogs of a host's runs, never the data: of one run, or of all of them to see how a path changed.
 *
 * @returns status `incomplete` where a catalog or manifest is lost: the others are searched all the same
 * @throws AgentError UNKNOWN_RUN, UNKNOWN_VOLUME where none of the runs has it, ACCESS_DENIED
 */
export async function find(deps: FindDeps, request: Hosted<FindRequest>): Promise<Outcome> {
  const { host, pattern, limit } = request
  const glob = parseGlob(pattern)
  const versions = collectVersions(limit)
  const notSearched: NotSearched[] = []
  const skip = ({ class: className, run }: RunPlace, reason: string, volume?: string): void => {
    notSearched.push({ class: className, host, run, ...(volume !== undefined && { volume }), reason })
    deps.log.warn(`${run} ${volume ?? ''} was not searched: ${reason}`)
  }
  const places = await choosePlaces(deps, request)
  const manifests = mapInOrder(places, MANIFESTS_IN_FLIGHT, deps.signal, async (place) => ({
    place,
    manifest: await orLoss(readManifest(deps, place)),
  }))
  // Volumes come and go, and one may have failed in some night: each has to be in one of the runs.
  let unknown = request.volume
  let newest: Manifest | undefined
  for await (const { place, manifest } of manifests) {
    if (manifest instanceof AgentError) {
      skip(place, manifest.message)
      continue
    }
    newest = manifest
    const searched = findVolumes(manifest, request.volume)
    for (const backup of searched) {
      unknown = unknown.filter((name) => !isNamed(backup, name))
      const loss = await orLoss(search(deps, searched, backup, glob, versions.ofCatalog(place, backup.volume)))
      if (loss) skip(place, loss.message, backup.volume)
    }
  }
  if (newest && unknown.length > 0) chooseVolumes(newest, unknown) // throws, with the name that was probably meant
  const found = versions.list()
  return {
    status: notSearched.length === 0 ? ExitStatus.ok : ExitStatus.incomplete,
    summary: formatVersions(request, found, versions.more(), notSearched),
    json: { host, pattern, runs: places.length, found, more: versions.more(), notSearched },
  }
}

/** Oldest first. */
async function choosePlaces(deps: ReaderDeps, request: Hosted<FindRequest>): Promise<RunPlace[]> {
  if (request.run !== undefined || request.at !== undefined) return [await findRun(deps, request)]
  const runs = await findRuns(deps, request)
  if (runs.length === 0) throw noRun(request) // not the same as nothing found
  return runs.reverse()
}

async function search(
  deps: ReaderDeps,
  searched: readonly VolumeBackup[],
  backup: VolumeBackup,
  glob: Glob,
  found: CatalogVersions,
): Promise<void> {
  // Where another volume was mounted, this one has a directory that nobody saw, nor what is in it.
  const hidden = searched
    .map(({ mountPoint }) => mountPoint)
    .filter((mountPoint) => mountPoint !== backup.mountPoint && isWithin(mountPoint, backup.mountPoint))
  const matches = searchCatalog(backup.mountPoint, glob)
  for await (const text of readCatalogText(deps, backup.archive.catalog)) {
    for (const { path, entry } of matches.push(text)) {
      if (!hidden.some((mountPoint) => isWithin(path, mountPoint))) found.add(path, entry)
    }
  }
  matches.finish()
  found.commit()
}

/** Answers with what keeps one run, or one volume of it, from being searched, and not the others. */
async function orLoss<T>(reading: Promise<T>): Promise<T | AgentError> {
  try {
    return await reading
  } catch (error) {
    // What a later agent wrote is not lost, but nothing is found in it either.
    if (isDataLoss(error) || isUnsupported(error)) return error
    throw error
  }
}

function isUnsupported(error: unknown): error is AgentError {
  return error instanceof AgentError && error.code === 'FORMAT_UNSUPPORTED'
}
