/** A catalog is read from the bucket once, however often it is gone through: it is kept in a file that has no name. */
import type { Archive } from './archive'
import type { CatalogFrames } from './catalog'
import { catalogParser, isEntry, isFrames } from './catalog-lines'
import { cut, joinFrameTable, type FrameTable } from './frame-reads'
import { damagedCatalog, decompressCatalog, fetchCatalog } from './read-catalog.io'
import type { ReaderDeps } from './read.io'
import { digestStored } from './stored-digest.io'
import { lookUntilAgreed } from '../bucket/read-again'
import type { RangeReadOptions } from '../context'
import { openUnlinkedFile, type UnlinkedFile } from '../host/unlinked-file.io'
import { freeNow } from '../lib/buffers.io'
import type { CatalogEntry } from '../tar/entry'

/** Of the file, at a time. */
const PIECE_BYTES = 1024 * 1024

/** A catalog on this host. Releasing it removes it. Functions throw AgentError ARCHIVE_DAMAGED, FORMAT_UNSUPPORTED. */
export interface LoadedCatalog extends AsyncDisposable {
  /** Piece by piece, each valid until the next one is asked for. */
  text(): AsyncGenerator<Buffer, void, undefined>
  /** In the order of the archive, from the first one each time. */
  entries(): AsyncGenerator<CatalogEntry, void, undefined>
  /** Stands behind the entries: costs nothing once they have been gone through. */
  table(): Promise<FrameTable>
}

/**
 * Copies the catalog of an archive to this host: some 25 MB for a million entries.
 *
 * @throws AgentError OBJECT_MISSING, ARCHIVE_DAMAGED where two readings agree that it is not what the manifest says,
 * OBJECT_ARCHIVED, TARGET_UNFIT where there is no room for it
 */
export async function loadCatalog(deps: ReaderDeps, archive: Archive): Promise<LoadedCatalog> {
  const { key } = archive.catalog
  const { difference, file } = await lookUntilAgreed(
    (how) => copyCatalog(deps, archive.catalog, how),
    (seen) => seen.difference,
    key,
  )
  if (file) return catalogIn(file, archive)
  throw damagedCatalog(key, `has ${difference}`)
}

/** There is a file only where it is what the manifest says. */
async function copyCatalog(deps: ReaderDeps, catalog: Archive['catalog'], how?: RangeReadOptions) {
  await using files = new AsyncDisposableStack()
  const file = files.use(await openUnlinkedFile(undefined, catalog.sizeBytes))
  const digest = digestStored(catalog)
  for await (const piece of fetchCatalog(deps, catalog, how)) {
    digest.update(piece)
    await file.append(piece)
    freeNow(piece)
  }
  const difference = digest.difference()
  if (difference !== undefined) return { difference }
  files.move()
  return { difference, file }
}

/** @param archive - of which the file has the catalog: what both say has to agree */
export function catalogIn(file: UnlinkedFile, archive: Archive): LoadedCatalog {
  const { key } = archive.catalog
  let frames: readonly CatalogFrames[] | undefined
  let table: FrameTable | undefined
  const catalog: LoadedCatalog = {
    text: () => decompressCatalog(readPieces(file), key),
    async *entries() {
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
    },
    async table() {
      if (table) return table
      if (!frames) {
        const entries = catalog.entries()
        while (!(await entries.next()).done) continue
      }
      table = joinFrameTable(archive, frames ?? [])
      frames = []
      return table
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
  return catalog
}

async function* readPieces(file: UnlinkedFile): AsyncGenerator<Buffer> {
  for (const { offset, bytes } of cut(file.sizeBytes, PIECE_BYTES)) yield await file.read(offset, bytes)
}
