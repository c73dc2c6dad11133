/** A catalog is read from the bucket once, however often it is gone through: it is kept in a file that has no name. */
import { hasCode, isDataLoss, type AgentError } from '../errors'
import type { Archive, RemovedNames, StoredObject } from './archive'
import type { CatalogFrames } from './catalog'
import { catalogParser, isEntry, isFrames } from './catalog-lines'
import { cut, joinFrameTable, joinTables, placeFrames, type FrameTable } from './frame-reads'
import { damagedCatalog, decompressCatalog, fetchCatalog, readCatalogIndex } from './read-catalog.io'
import { readFrameTable } from './read-whole.io'
import { removedSplitter } from './removed-names'
import { ownOffset } from './whole-archive'
import { wholeEntries } from './whole-entries'
import type { ReaderDeps } from './read.io'
import { readSegmentStates } from './segment-status.io'
import { digestStored } from './stored-digest.io'
import { lookUntilAgreed } from '../bucket/read-again'
import type { RangeReadOptions } from '../context'
import { openUnlinkedFile, type UnlinkedFile } from '../host/unlinked-file.io'
import { freeNow } from '../lib/buffers.io'
import type { CatalogEntry } from '../tar/entry'
import type { Named } from '../tar/order'

/** Of the file, at a time. */
const PIECE_BYTES = 1024 * 1024

/**
 * A catalog on this host. Of a differential archive, what it gives is of the whole one (`wholeArchive`). Releasing it
 * removes it. Functions throw AgentError ARCHIVE_DAMAGED, FORMAT_UNSUPPORTED.
 */
export interface LoadedCatalog extends AsyncDisposable {
  /** Piece by piece, each valid until the next one is asked for. */
  text(): AsyncGenerator<Buffer, void, undefined>
  /** In the order of the archive; of a whole one, in the order of its names. From the first one each time. */
  entries(): AsyncGenerator<CatalogEntry, void, undefined>
  /** Stands behind the entries: costs nothing once they have been gone through. */
  table(): Promise<FrameTable>
}

/**
 * Copies the catalog of an archive to this host: some 25 MB for a million entries.
 *
 * @param base - of a differential archive
 * @throws AgentError OBJECT_MISSING, ARCHIVE_DAMAGED where two readings agree that it is not what the manifest says,
 * OBJECT_ARCHIVED, TARGET_UNFIT where there is no room for it
 */
export async function loadCatalog(deps: ReaderDeps, archive: Archive, base?: Archive): Promise<LoadedCatalog> {
  const file = await loadStored(deps, archive.catalog)
  return catalogIn(file, archive, base && { archive: base, readTable: () => readBaseTable(deps, base) })
}

/** The names that are gone, on this host. Releasing them removes them. */
export interface LoadedNames extends AsyncDisposable {
  /** In tar's order, from the first one each time. @throws AgentError ARCHIVE_DAMAGED */
  names(): AsyncGenerator<readonly Named[], void, undefined>
}

/** @throws AgentError as `loadCatalog` */
export async function loadRemovedNames(deps: ReaderDeps, removed: RemovedNames): Promise<LoadedNames> {
  const { key, names: expected } = removed
  const file = await loadStored(deps, removed)
  return {
    async *names() {
      const splitter = removedSplitter(key)
      let count = 0
      for await (const text of decompressCatalog(readPieces(file), key)) {
        const names = splitter.push(text)
        count += names.length
        yield names
      }
      splitter.finish()
      if (count !== expected) throw damagedCatalog(key, `has ${count} names, the manifest says ${expected}`)
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
}

async function loadStored(deps: ReaderDeps, object: StoredObject): Promise<UnlinkedFile> {
  const { difference, file } = await lookUntilAgreed(
    (how) => copyStored(deps, object, how),
    (seen) => seen.difference,
    object.key,
  )
  if (file) return file
  throw damagedCatalog(object.key, `has ${difference}`)
}

/** There is a file only where it is what the manifest says. */
async function copyStored(deps: ReaderDeps, object: StoredObject, how?: RangeReadOptions) {
  await using files = new AsyncDisposableStack()
  const file = files.use(await openUnlinkedFile(undefined, object.sizeBytes))
  const digest = digestStored(object)
  for await (const piece of fetchCatalog(deps, object, how)) {
    digest.update(piece)
    await file.append(piece)
    freeNow(piece)
  }
  const difference = digest.difference()
  if (difference !== undefined) return { difference }
  files.move()
  return { difference, file }
}

/**
 * What the base's segments say of themselves takes a request each. Its catalog says it too, and is read where they are in
 * Glacier or lost; and where they are not compressed, as the checksums of frames are in it alone then.
 */
async function readBaseTable(deps: ReaderDeps, base: Archive): Promise<FrameTable> {
  try {
    if (base.compression === 'zstd') return await readFrameTable(deps, base)
  } catch (error) {
    if (!isDataLoss(error) && !hasCode(error, 'OBJECT_ARCHIVED')) throw error
  }
  try {
    return (await readCatalogIndex(deps, base)).table
  } catch (error) {
    if (!isDataLoss(error)) throw error
    return tableOfWhatIsLeft(deps, base, error)
  }
}

/**
 * Of a base without catalog, what lies in the differential archive can be read all the same, and in segments that are there.
 * Frames of those that are missing get some size: nobody reads them, as whoever needs them finds first that they are missing.
 *
 * @throws AgentError the given one, where a segment is there that cannot be read without the catalog; OBJECT_ARCHIVED
 */
async function tableOfWhatIsLeft(deps: ReaderDeps, base: Archive, error: AgentError): Promise<FrameTable> {
  const storedBytes: number[] = []
  for (const segment of base.segments) {
    const { rawBytes } = segment
    const frames = Math.ceil(rawBytes / base.frameBytes)
    const [state] = await readSegmentStates(deps, [segment])
    if (state && base.compression === 'none') throw error
    const alone = { ...base, segments: [{ ...segment, rawOffset: 0 }], rawBytes, frames }
    const table = state && (await readFrameTable(deps, alone))
    for (let frame = 0; frame < frames; frame++) storedBytes.push(table?.storedBytes[frame] ?? 1)
  }
  return { ...placeFrames(base, storedBytes), ...(base.compression === 'none' && { crc32: storedBytes.map(() => 0) }) }
}

/** The base of a differential archive, and where its frames are. */
export interface CatalogBase {
  readonly archive: Archive
  readonly readTable: () => Promise<FrameTable>
}

/** @param archive - of which the file has the catalog: what both say has to agree */
export function catalogIn(file: UnlinkedFile, archive: Archive, base?: CatalogBase): LoadedCatalog {
  const { key } = archive.catalog
  let frames: readonly CatalogFrames[] | undefined
  let table: FrameTable | undefined

  async function* lines(): AsyncGenerator<CatalogEntry> {
    const parser = catalogParser(key, archive)
    const found: CatalogFrames[] = []
    for await (const text of catalog.text()) {
      for (const line of parser.push(text)) {
        if (isEntry(line)) yield line
        else if (isFrames(line)) found.push(line)
      }
    }
    for (const line of parser.finish()) if (isFrames(line)) found.push(line)
    frames ??= found
  }

  const catalog: LoadedCatalog = {
    text: () => decompressCatalog(readPieces(file), key),
    entries: () => (base ? wholeEntries(lines, ownOffset({ archive, base })) : lines()),
    async table() {
      if (table) return table
      if (!frames) {
        const entries = lines()
        while (!(await entries.next()).done) continue
      }
      const own = joinFrameTable(archive, frames ?? [])
      table = base ? joinTables(await base.readTable(), own) : own
      frames = []
      return table
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
  return catalog
}

/** Of a catalog that is being written: the entries that the file has so far. It ends with a complete frame, and line. */
export async function* entriesSoFar(file: UnlinkedFile, archive: Archive): AsyncGenerator<CatalogEntry> {
  const { key } = archive.catalog
  const parser = catalogParser(key, archive)
  for await (const text of decompressCatalog(readPieces(file), key)) {
    for (const line of parser.push(text)) if (isEntry(line)) yield line
  }
}

async function* readPieces(file: UnlinkedFile): AsyncGenerator<Buffer> {
  for (const { offset, bytes } of cut(file.sizeBytes, PIECE_BYTES)) yield await file.read(offset, bytes)
}
