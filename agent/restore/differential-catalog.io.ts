/** What the catalog of a differential archive has beside the archive's own entries, made again for one that is lost. */
import { AgentError, hasCode, isDataLoss } from '../errors'
import { onPage } from '../pages'
import type { Archive } from '../archive/archive'
import type { OtherLines } from '../archive/catalog-writer.io'
import { leftInBase } from '../archive/left-in-base'
import { entriesSoFar, loadRemovedNames, type LoadedCatalog, type LoadedNames } from '../archive/load-catalog.io'
import type { ReaderDeps } from '../archive/read.io'
import { formatRemoved } from '../archive/removed-names'
import { openSpool } from '../changes/spool.io'
import type { UnlinkedFile } from '../host/unlinked-file.io'
import type { VolumeBackup } from '../run/manifest'
import { pathBytes } from '../tar/entry'

/**
 * The names that are gone, as the manifest has them by their checksum.
 *
 * @throws AgentError ARCHIVE_DAMAGED where the list is missing, or is not that
 */
export async function loadGone(deps: ReaderDeps, { archive, removed }: VolumeBackup): Promise<LoadedNames> {
  if (!removed) throw differentialLost(archive, 'the manifest names no list of what is gone')
  try {
    return await loadRemovedNames(deps, removed)
  } catch (error) {
    if (!isDataLoss(error)) throw error
    const what = hasCode(error, 'OBJECT_MISSING') ? `${removed.key} is missing` : error.message
    throw differentialLost(archive, what, error)
  }
}

/** @throws AgentError as `loadGone` */
export async function assertGoneReadable(deps: ReaderDeps, volume: VolumeBackup): Promise<void> {
  await using gone = await loadGone(deps, volume)
  try {
    const names = gone.names()
    while (!(await names.next()).done) continue
  } catch (error) {
    throw isDataLoss(error) ? differentialLost(volume.archive, error.message, error) : error
  }
}

/**
 * Adds to a catalog what is as it was in the base, and the names that are gone.
 *
 * @param base - the catalog of the base
 * @param file - has the own entries of the archive, and nothing behind them
 * @returns how many of each there are
 * @throws AgentError ARCHIVE_DAMAGED where base, archive and names contradict each other
 */
export async function addOthers(
  { archive, removed }: VolumeBackup,
  base: LoadedCatalog,
  gone: LoadedNames,
  file: UnlinkedFile,
): Promise<OtherLines> {
  await using lines = await openSpool()
  const add = async (line: string): Promise<void> => lines.add(Buffer.from(line).toString('latin1'))
  let baseEntries = 0
  try {
    const parts = { base: base.entries(), own: entriesSoFar(file, archive), gone: gone.names() }
    for await (const entry of leftInBase(parts)) {
      await add(`${JSON.stringify({ ...entry, base: true })}\n`)
      baseEntries++
    }
    for await (const names of gone.names()) for (const name of names) await add(formatRemoved(pathBytes(name)))
  } catch (error) {
    throw isDataLoss(error) ? differentialLost(archive, error.message, error) : error
  }
  await lines.finish()
  for await (const piece of lines.frames()) await file.append(piece)
  return { baseEntries, removed: removed?.names ?? 0 }
}

function differentialLost({ catalog }: Archive, what: string, cause?: unknown): AgentError {
  const message = `${what}, and without ${catalog.key} it is not known which entries are in the base`
  return new AgentError('ARCHIVE_DAMAGED', message, {
    hint:
      'Read deleted versions of both with --include-deleted; or restore base and differential archive by hand, as ' +
      `${onPage('restore-by-hand')} says, or from another run.`,
    cause,
  })
}
