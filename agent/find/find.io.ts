import { ExitStatus, type RunKey } from '../contract'
import { AgentError, asLoss, type ErrorCode } from '../errors'
import type { StoreDeps } from '../context'
import { mapInOrder } from '../lib/in-order.io'
import { readCatalogText } from '../archive/read-catalog.io'
import type { ReaderDeps } from '../archive/read.io'
import { baseFinder } from './bases'
import { findRun, findRuns, noRun, openRunAt, type OpenRun } from '../run/runs'
import { searchCatalog } from './search'
import { parseGlob, type Glob } from '../lib/glob'
import type { Manifest, VolumeBackup } from '../run/manifest'
import type { FindRequest, WithHost } from '../options/commands'
import { misdated, type FoundRun } from '../run/run-time'
import { collectVersions, formatVersions, type CatalogVersions, type NotSearched } from './file-history'
import { chooseVolumes, findVolumes, isNamed } from '../run/volumes'
import type { Outcome } from '../outcome'
import type { FindOutput } from './output-schema'
import { isWithin } from '../tar/entry'

/** Manifests read ahead while catalogs are searched. */
const MANIFESTS_IN_FLIGHT = 4

/** So many are listed of those that were not searched, in order of time: a host may have thousands (design limit). */
const NOT_SEARCHED_MAX = 100

/** Where no other run is searched, there is nothing to go on with. */
const OF_ONE_RUN: readonly ErrorCode[] = ['UNKNOWN_RUN', 'ACCESS_DENIED', 'MISDATED']

/**
 * Searches the catalogs of a host's runs, never the data: of one run, or of all of them to see how a path changed.
 *
 * @returns status `incomplete` where a catalog or manifest is lost: the others are searched all the same
 * @throws AgentError UNKNOWN_RUN, UNKNOWN_VOLUME where none of the runs has it, ACCESS_DENIED
 */
export async function find(deps: StoreDeps, request: WithHost<FindRequest>): Promise<Outcome<FindOutput>> {
  const { host, pattern, limit } = request
  const glob = parseGlob(pattern)
  const versions = collectVersions(limit)
  const notSearched: NotSearched[] = []
  let notSearchedCount = 0
  const skip = ({ class: className, run }: RunKey, reason: string, volume?: string): void => {
    notSearchedCount++
    if (notSearched.length < NOT_SEARCHED_MAX)
      notSearched.push({ class: className, host, run, ...(volume !== undefined && { volume }), reason })
    deps.log.warn(`${run} ${volume ?? ''} was not searched: ${reason}`)
  }
  const runs = await chooseRuns(deps, request)
  const manifests = mapInOrder(runs, MANIFESTS_IN_FLIGHT, deps.signal, async (runKey) => ({
    runKey,
    run: await catchDataLoss(openIfTimely(deps, runKey, request.trustTimes)),
  }))
  const findBases = baseFinder(deps)
  // Volumes come and go, and one may have failed in some night: each has to be in one of the runs.
  let unknown = request.volume
  let newest: Manifest | undefined
  for await (const { runKey, run } of manifests) {
    if (run instanceof AgentError) {
      if (isOneRun(request) && OF_ONE_RUN.includes(run.code)) throw run
      skip(runKey, run.message)
      continue
    }
    const { manifest, store } = run
    newest = manifest
    const searched = findVolumes(manifest, request.volume)
    for (const backup of searched) {
      unknown = unknown.filter((name) => !isNamed(backup, name))
      const [base] = await findBases(runKey, { volumes: [backup] })
      const isLost = base?.state === 'gone'
      const lost = await catchDataLoss(
        search({ ...deps, store }, { searched, backup, glob, isLost }, versions.ofCatalog(runKey, backup.volume)),
      )
      if (lost instanceof AgentError) skip(runKey, lost.message, backup.volume)
      else if (lost > 0) {
        const what = lost === 1 ? 'a match that lies in it is' : `${lost} matches that lie in it are`
        skip(runKey, `its base ${base?.run} ${base?.problem}: ${what} left out`, backup.volume)
      }
    }
  }
  if (newest && unknown.length > 0) chooseVolumes(newest, unknown) // throws, with the name that was probably meant
  const found = versions.list()
  return {
    status: notSearchedCount === 0 ? ExitStatus.ok : ExitStatus.incomplete,
    summary: formatVersions(request, found, versions.more(), notSearched, notSearchedCount),
    json: { host, pattern, runs: runs.length, found, more: versions.more(), notSearched, notSearchedCount },
  }
}

function isOneRun({ run, at }: FindRequest): boolean {
  return run !== undefined || at !== undefined
}

/** Oldest first. */
async function chooseRuns(deps: StoreDeps, request: WithHost<FindRequest>): Promise<FoundRun[]> {
  if (isOneRun(request)) return [await findRun(deps, request)]
  const runs = await findRuns(deps, request)
  if (runs.length === 0) throw noRun(request) // not the same as nothing found
  return runs.reverse()
}

/** What the list says of its time spares reading it. */
async function openIfTimely(deps: ReaderDeps, runKey: FoundRun, trustTimes: boolean): Promise<OpenRun> {
  if (runKey.misdating && !trustTimes) throw misdated(runKey.run, runKey.misdating)
  return openRunAt(deps, runKey, trustTimes)
}

interface Search {
  readonly searched: readonly VolumeBackup[]
  readonly backup: VolumeBackup
  readonly glob: Glob
  /** Whether nothing can be read of what lies in the volume's base. */
  readonly isLost: boolean
}

/** @returns matches that are left out, for no restore could bring them back */
async function search(
  deps: ReaderDeps,
  { searched, backup, glob, isLost }: Search,
  found: CatalogVersions,
): Promise<number> {
  // Where another volume was mounted, this one has a directory that nobody saw, nor what is in it.
  const hidden = searched
    .map(({ mountPoint }) => mountPoint)
    .filter((mountPoint) => mountPoint !== backup.mountPoint && isWithin(mountPoint, backup.mountPoint))
  const matches = searchCatalog(backup.mountPoint, glob, backup.archive.catalog.key)
  await deps.store.head(backup.archive.catalog.key, deps.signal) // refuses one that was put there since
  let lost = 0
  for await (const text of readCatalogText(deps, backup.archive.catalog)) {
    for (const { path, entry } of matches.push(text)) {
      if (hidden.some((mountPoint) => isWithin(path, mountPoint))) continue
      if (isLost && entry().base) lost++
      else found.add(path, entry)
    }
  }
  matches.finish()
  found.commit()
  return lost
}

/** Answers with what keeps one run, or one volume of it, from being searched, and not the others. */
async function catchDataLoss<T>(reading: Promise<T>): Promise<T | AgentError> {
  try {
    return await reading
  } catch (error) {
    return asLoss(error)
  }
}
