/** Makes lost catalogs again, slowly, from the archives that they are of: those hold all that a catalog says. */
import { onPage } from '../pages'
import { AgentError, isDataLoss } from '../errors'
import { type Archive, type Segment } from '../archive/archive'
import type { Manifest, VolumeBackup } from '../run/manifest'
import { splitFrameTable, type FrameTable } from '../archive/frame-reads'
import { formatBytes } from '../lib/text'
import { CATALOG_FORMAT } from '../archive/catalog'
import { writeCatalog, type CatalogWriter, type StreamSummary } from '../archive/catalog-writer.io'
import { readSegmentStates, type SegmentState } from '../archive/segment-status.io'
import type { Deps } from '../context'
import { freeBehind } from '../lib/buffers.io'
import { openUnlinkedFile, type UnlinkedFile } from '../host/unlinked-file.io'
import { showProgress } from '../lib/progress.io'
import { readTwice } from '../bucket/read-again'
import { catalogIn, type LoadedCatalog } from '../archive/load-catalog.io'
import type { ReaderDeps } from '../archive/read.io'
import { readFrameTable, readWholeArchive } from '../archive/read-whole.io'

const BY_HAND = `Restore the undamaged part by hand (${onPage('restore-by-hand')}), or look for another run with "snapstream list".`

/**
 * How the segments are stored that lost catalogs can be made from.
 *
 * @throws AgentError ARCHIVE_DAMAGED where one of them is missing
 */
export async function readSources(deps: ReaderDeps, lost: readonly VolumeBackup[]): Promise<SegmentState[]> {
  const all: SegmentState[] = []
  for (const { archive, base } of lost) {
    if (base) throw differentialLost(archive)
    const states = await readSegmentStates(deps, archive.segments)
    const missing = archive.segments.find((segment: Segment) => !states.some((state) => state.segment === segment))
    if (missing) throw bothLost(archive, `${missing.key} is missing`)
    all.push(...states)
  }
  return all
}

/**
 * Makes the catalog of a volume again, in a file that has no name: some 25 MB for a million entries. It is not the lost object
 * to the byte, as another version of zstd compresses in another way, but its text is.
 *
 * @throws AgentError ARCHIVE_DAMAGED where the archive is not to the byte what the manifest says, TARGET_UNFIT where there
 * is no room for the file
 */
export async function rebuildCatalog(deps: Deps, manifest: Manifest, volume: VolumeBackup): Promise<LoadedCatalog> {
  const rebuild = async (): Promise<LoadedCatalog> => {
    await using files = new AsyncDisposableStack()
    const file = files.use(await openUnlinkedFile(undefined, volume.archive.catalog.sizeBytes))
    await writeRebuilt(deps, manifest, volume, file)
    files.move()
    return catalogIn(file, volume.archive)
  }
  // Compressed frames have checksums of their own, by which each was read again already.
  return volume.archive.compression === 'none' ? readTwice(rebuild) : rebuild()
}

async function writeRebuilt(
  deps: Deps,
  { run, host }: Manifest,
  { volume, mountPoint, archive }: VolumeBackup,
  file: UnlinkedFile,
): Promise<void> {
  const { frameBytes, catalog } = archive
  const format = archive.sha256 === undefined ? CATALOG_FORMAT : 1
  const writer = writeCatalog({ catalog: format, run, host, volume, mountPoint, frameBytes })
  const save = (): Promise<void> => file.append(writer.take())
  try {
    const table = await catalogStream(deps, archive, mountPoint, writer, save)
    for (const line of splitFrameTable(archive, table)) writer.record(line)
    assertMatchesManifest(archive, writer.finish(archive.frames))
  } catch (error) {
    if (!isDamage(error)) throw error
    throw bothLost(archive, error.message, error)
  }
  await save()
  deps.log.info(`rebuilt ${catalog.key}: ${formatBytes(file.sizeBytes)}`)
}

/** Shows the whole tar stream to the writer. Nothing of it counts before its checksum is found to be right. */
async function catalogStream(
  deps: Deps,
  archive: Archive,
  label: string,
  writer: CatalogWriter,
  save: () => Promise<void>,
): Promise<FrameTable> {
  const table = await readFrameTable(deps, archive)
  const checksums: number[] = []
  const refuse = (what: string): never => {
    throw new AgentError('ARCHIVE_DAMAGED', what, { hint: BY_HAND })
  }
  const use = freeBehind()
  using progress = showProgress(`catalog of ${label}`, archive.rawBytes)
  for await (const decoded of readWholeArchive(deps, archive, table, refuse)) {
    if ('damage' in decoded) throw decoded.damage
    const { location, raw } = decoded
    use(raw)
    if (location.crc32 !== undefined) checksums.push(location.crc32)
    writer.inspect(raw)
    await save()
    progress.add(raw.length)
  }
  return { ...table, ...(archive.compression === 'none' && { crc32: checksums }) }
}

function assertMatchesManifest(archive: Archive, summary: StreamSummary): void {
  for (const field of ['rawBytes', 'entries', 'sha256'] as const) {
    if (summary[field] === archive[field]) continue
    throw new AgentError(
      'ARCHIVE_DAMAGED',
      `the tar stream has ${field} ${summary[field] ?? 'none'}, not ${archive[field] ?? 'none'}`,
      {
        hint: BY_HAND,
      },
    )
  }
}

/** The scanner, which reads what tar writes too, knows a stream that is no archive by another name. */
function isDamage(error: unknown): error is AgentError {
  return isDataLoss(error) || (error instanceof AgentError && error.code === 'ARCHIVE_FAILED')
}

/** Which entries are as they were in the base is in the catalog alone. */
function differentialLost({ catalog }: Archive): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', `without ${catalog.key} it is not known which entries are in the base`, {
    hint:
      'Read a deleted version of it with --include-deleted; or restore base and differential archive by hand, as ' +
      `${onPage('restore-by-hand')} says, or from another run.`,
  })
}

function bothLost({ catalog }: Archive, what: string, cause?: unknown): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', `${what}, and without ${catalog.key} it is not known what is lost with it`, {
    hint: BY_HAND,
    cause,
  })
}
