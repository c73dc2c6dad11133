/** Makes lost catalogs again, slowly, from the archives that they are of: those hold all that a catalog says. */
import { crc32 } from 'node:zlib'
import { AgentError, hasCode, isDataLoss } from '../errors'
import { type Archive, type Segment } from '../archive/archive'
import type { Manifest, VolumeBackup } from '../run/manifest'
import { splitFrameTable, type FrameTable } from '../archive/frame-reads'
import { formatBytes } from '../lib/text'
import { writeCatalog, type CatalogWriter, type Inspection } from '../archive/catalog-writer.io'
import { readSegmentStates, type SegmentState } from '../archive/segment-status.io'
import type { Deps, Store } from '../context'
import { freeBehind } from '../lib/buffers.io'
import { openUnlinkedFile, type UnlinkedFile } from '../host/unlinked-file.io'
import { showProgress } from '../lib/progress.io'
import { readTwice } from '../bucket/read-again'
import { readCatalogText } from '../archive/read-catalog.io'
import type { ReaderDeps } from '../archive/read.io'
import { readFrameTable, readWholeArchive } from '../archive/read-whole.io'
import { formatCrc32 } from '../lib/crc32'

const BY_HAND =
  'Restore what is not damaged by hand: docs/restore-by-hand.md. Or look for another run with "snapstream list".'

/** How a catalog is lost; undefined where it is the one that the manifest names. */
export async function findCatalogLoss(
  deps: ReaderDeps,
  { catalog }: Archive,
): Promise<'missing' | 'damaged' | undefined> {
  try {
    const { sizeBytes, crc32: checksum } = await deps.store.head(catalog.key, deps.signal)
    if (sizeBytes !== catalog.sizeBytes) return 'damaged'
    if (checksum !== undefined) return formatCrc32(checksum) === catalog.crc32 ? undefined : 'damaged'
    // A server that keeps no checksum leaves only reading it.
    const text = readCatalogText(deps, catalog)
    while (!(await text.next()).done) continue
    return undefined
  } catch (error) {
    if (hasCode(error, 'OBJECT_MISSING')) return 'missing'
    if (isDataLoss(error)) return 'damaged'
    throw error
  }
}

/** The volumes whose catalogs are lost. One request each. */
export async function findLostCatalogs(deps: Deps, volumes: readonly VolumeBackup[]): Promise<VolumeBackup[]> {
  const lost: VolumeBackup[] = []
  for (const volume of volumes) {
    const { catalog, storedBytes } = volume.archive
    const loss = await findCatalogLoss(deps, volume.archive)
    if (!loss) continue
    lost.push(volume)
    deps.log.warn(
      `the catalog ${catalog.key} is ${loss}: making it again from the archive, which reads all of it, ` +
        `${formatBytes(storedBytes)}. If it was deleted, --include-deleted may be quicker`,
    )
  }
  return lost
}

/**
 * How the segments are stored that lost catalogs can be made from.
 *
 * @throws AgentError ARCHIVE_DAMAGED where one of them is missing
 */
export async function readSources(deps: ReaderDeps, lost: readonly VolumeBackup[]): Promise<SegmentState[]> {
  const all: SegmentState[] = []
  for (const { archive } of lost) {
    const states = await readSegmentStates(deps, archive.segments)
    const missing = archive.segments.find((segment: Segment) => !states.some((state) => state.segment === segment))
    if (missing) throw bothLost(archive, `${missing.key} is missing`)
    all.push(...states)
  }
  return all
}

/** Through these, all catalogs can be read. What was made again is gone when this is released. */
export interface RebuiltCatalogs extends AsyncDisposable {
  readonly store: Store
  readonly manifest: Manifest
}

/**
 * Makes the catalogs of the lost volumes again, each in a file that has no name: some 25 MB for a million entries.
 *
 * @throws AgentError ARCHIVE_DAMAGED where an archive is not to the byte what the manifest says, TARGET_UNFIT where there
 * is no room for the file
 */
export async function rebuildCatalogs(
  deps: Deps,
  manifest: Manifest,
  lost: readonly VolumeBackup[],
): Promise<RebuiltCatalogs> {
  await using files = new AsyncDisposableStack()
  const catalogs = new Map<string, RebuiltCatalog>()
  for (const volume of lost) {
    const rebuild = async () => rebuildCatalog(deps, manifest, volume, files.use(await openUnlinkedFile()))
    const { catalog, compression } = volume.archive
    // Compressed frames have checksums of their own, by which each was read again already.
    catalogs.set(catalog.key, await (compression === 'none' ? readTwice(rebuild) : rebuild()))
  }
  const held = files.move()
  return {
    store: {
      ...deps.store,
      getRange(key, offset, bytes, ...rest) {
        const { file } = catalogs.get(key) ?? {}
        return file ? file.read(offset, bytes) : deps.store.getRange(key, offset, bytes, ...rest)
      },
    },
    manifest: {
      ...manifest,
      volumes: manifest.volumes.map((volume) => {
        const rebuilt = catalogs.get(volume.archive.catalog.key)
        return rebuilt ? { ...volume, archive: { ...volume.archive, catalog: rebuilt.catalog } } : volume
      }),
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

interface RebuiltCatalog {
  readonly file: UnlinkedFile
  /** Not the lost object to the byte: another version of zstd compresses in another way. */
  readonly catalog: Archive['catalog']
}

async function rebuildCatalog(
  deps: Deps,
  { run, host }: Manifest,
  { volume, mountPoint, archive }: VolumeBackup,
  file: UnlinkedFile,
): Promise<RebuiltCatalog> {
  const { frameBytes, catalog } = archive
  const writer = writeCatalog({ catalog: 1, run, host, volume, mountPoint, frameBytes })
  let sizeBytes = 0
  let checksum = 0
  const save = async (): Promise<void> => {
    const piece = writer.take()
    await file.append(piece)
    sizeBytes += piece.length
    checksum = crc32(piece, checksum)
  }
  try {
    const table = await catalogStream(deps, archive, mountPoint, writer, save)
    for (const line of splitFrameTable(archive, table)) writer.record(line)
    assertMatchesManifest(archive, writer.finish(archive.frames))
  } catch (error) {
    if (!isDamage(error)) throw error
    throw bothLost(archive, error.message, error)
  }
  await save()
  deps.log.info(`made ${catalog.key} again: ${formatBytes(sizeBytes)}`)
  return { file, catalog: { key: catalog.key, sizeBytes, crc32: formatCrc32(checksum) } }
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
    const { place, raw } = decoded
    use(raw)
    if (place.crc32 !== undefined) checksums.push(place.crc32)
    writer.inspect(raw)
    await save()
    progress.add(raw.length)
  }
  return { ...table, ...(archive.compression === 'none' && { crc32: checksums }) }
}

function assertMatchesManifest(archive: Archive, inspection: Inspection): void {
  for (const field of ['rawBytes', 'entries', 'sha256'] as const) {
    if (inspection[field] === archive[field]) continue
    throw new AgentError('ARCHIVE_DAMAGED', `the tar stream has ${field} ${inspection[field]}, not ${archive[field]}`, {
      hint: BY_HAND,
    })
  }
}

/** The scanner, which reads what tar writes too, knows a stream that is no archive by another name. */
function isDamage(error: unknown): error is AgentError {
  return isDataLoss(error) || (error instanceof AgentError && error.code === 'ARCHIVE_FAILED')
}

function bothLost({ catalog }: Archive, what: string, cause?: unknown): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', `${what}, and without ${catalog.key} nothing tells what is lost with it`, {
    hint: BY_HAND,
    cause,
  })
}
