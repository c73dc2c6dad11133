/** Makes lost catalogs again, slowly, from the archives that they are of: those hold all that a catalog says. */
import { onPage } from '../pages'
import { AgentError, isDataLoss } from '../errors'
import { type Archive, type Segment } from '../archive/archive'
import type { Manifest, VolumeBackup } from '../run/manifest'
import { splitFrameTable, type FrameTable } from '../archive/frame-reads'
import { formatBytes } from '../lib/text'
import { CATALOG_FORMAT, DIFFERENTIAL_CATALOG_FORMAT, type CatalogHeader } from '../archive/catalog'
import { writeCatalog, type CatalogWriter, type OtherLines, type StreamSummary } from '../archive/catalog-writer.io'
import { readSegmentStates, type SegmentState } from '../archive/segment-status.io'
import type { Deps } from '../context'
import { freeBehind } from '../lib/buffers.io'
import { openUnlinkedFile, type UnlinkedFile } from '../host/unlinked-file.io'
import { showProgress } from '../lib/progress.io'
import { readTwice } from '../bucket/read-again'
import { catalogIn, type CatalogBase, type LoadedCatalog } from '../archive/load-catalog.io'
import type { ReaderDeps } from '../archive/read.io'
import { readFrameTable, readWholeArchive } from '../archive/read-whole.io'
import { addOthers, assertGoneReadable, loadGone } from './differential-catalog.io'

const BY_HAND = `Restore the undamaged part by hand (${onPage('restore-by-hand')}), or look for another run with "snapstream list".`

/** A catalog that is lost. */
export interface LostCatalog {
  readonly volume: VolumeBackup
  /** The catalog of the base, of a differential archive; undefined where that is lost too. */
  readonly base?: LoadedCatalog | undefined
}

/**
 * How the segments are stored that lost catalogs can be made from.
 *
 * @throws AgentError ARCHIVE_DAMAGED where one of them is missing, or the list of names that are gone is not what it was
 */
export async function readSources(deps: ReaderDeps, lost: readonly LostCatalog[]): Promise<SegmentState[]> {
  const all: SegmentState[] = []
  for (const { volume, base } of lost) {
    const archives = volume.base && !base ? [volume.archive, volume.base.archive] : [volume.archive]
    for (const archive of archives) {
      const states = await readSegmentStates(deps, archive.segments)
      const missing = archive.segments.find((segment: Segment) => !states.some((state) => state.segment === segment))
      if (missing) throw bothLost(archive, `${missing.key} is missing`)
      all.push(...states)
    }
    // Small, and better found out now than once Glacier has brought the rest.
    if (volume.base) await assertGoneReadable(deps, volume)
  }
  return all
}

/**
 * Makes the catalog of a volume again, in a file that has no name: some 25 MB for a million entries. It is not the lost object
 * to the byte, as another version of zstd compresses in another way, but its text is. That of a differential archive is made
 * of its own entries, of the base's catalog, and of the list of names that are gone.
 *
 * @param baseCatalog - made again, too, where it is not given
 * @throws AgentError ARCHIVE_DAMAGED where the archive is not to the byte what the manifest says, or something else that is
 * needed is lost; TARGET_UNFIT where there is no room for the file
 */
export async function rebuildCatalog(
  deps: Deps,
  { run, host }: Manifest,
  lost: VolumeBackup,
  baseCatalog?: LoadedCatalog,
): Promise<LoadedCatalog> {
  const { volume, mountPoint, archive, base } = lost
  const header = { run, host, volume, mountPoint, frameBytes: archive.frameBytes }
  if (!base) return rebuild(deps, { catalog: formatOf(archive), ...header }, archive)
  await using rebuiltBase = baseCatalog
    ? undefined
    : await rebuild(deps, { catalog: formatOf(base.archive), ...header, run: base.run }, base.archive)
  const known = (baseCatalog ?? rebuiltBase) as LoadedCatalog
  const table = await known.table()
  const place = { archive: base.archive, readTable: () => Promise.resolve(table) }
  await using gone = await loadGone(deps, lost)
  const differential: CatalogHeader = { catalog: DIFFERENTIAL_CATALOG_FORMAT, ...header, base: base.run }
  return await rebuild(deps, differential, archive, { place, addOthers: (file) => addOthers(lost, known, gone, file) })
}

/** What the catalog of a differential archive has beside its own entries. */
interface Differential {
  readonly place: CatalogBase
  /** Adds it to the file, behind the own entries. */
  readonly addOthers: (file: UnlinkedFile) => Promise<OtherLines>
}

function rebuild(
  deps: Deps,
  header: CatalogHeader,
  archive: Archive,
  differential?: Differential,
): Promise<LoadedCatalog> {
  const write = async (): Promise<LoadedCatalog> => {
    await using files = new AsyncDisposableStack()
    const file = files.use(await openUnlinkedFile(undefined, archive.catalog.sizeBytes))
    await writeRebuilt(deps, header, archive, file, differential)
    files.move()
    return catalogIn(file, archive, differential?.place)
  }
  // Compressed frames have checksums of their own, by which each was read again already.
  return archive.compression === 'none' ? readTwice(write) : write()
}

function formatOf(archive: Archive): 1 | typeof CATALOG_FORMAT {
  return archive.sha256 === undefined ? CATALOG_FORMAT : 1
}

async function writeRebuilt(
  deps: Deps,
  header: CatalogHeader,
  archive: Archive,
  file: UnlinkedFile,
  differential?: Differential,
): Promise<void> {
  const { catalog } = archive
  const writer = writeCatalog(header)
  const save = (): Promise<void> => file.append(writer.take())
  const ofArchive = async <T>(work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (!isDamage(error)) throw error
      throw bothLost(archive, error.message, error)
    }
  }
  const table = await ofArchive(() => catalogStream(deps, archive, header.mountPoint, writer, save))
  await ofArchive(() => writer.endEntries())
  await save()
  const others = await differential?.addOthers(file)
  await ofArchive(() => {
    for (const line of splitFrameTable(archive, table)) writer.record(line)
    assertMatchesManifest(archive, writer.finish(archive.frames, others))
  })
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

function bothLost({ catalog }: Archive, what: string, cause?: unknown): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', `${what}, and without ${catalog.key} it is not known what is lost with it`, {
    hint: BY_HAND,
    cause,
  })
}
