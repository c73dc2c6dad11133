/** Reads catalogs back, as text, line by line, or for what they say apart from their entries. */
import { pipeline } from 'node:stream/promises'
import { StringDecoder } from 'node:string_decoder'
import { crc32, createZstdDecompress } from 'node:zlib'
import { AgentError } from '../errors'
import { formatCrc32, type Archive } from '../plan/archive'
import type { CatalogEnd, CatalogEntry, CatalogFrames, CatalogHeader, CatalogLine } from '../plan/catalog'
import { catalogReader, isEnd, isEntry, isFrames, isHeader } from '../plan/catalog-reader'
import { joinFrameTable, READ_BYTES, type FrameTable } from '../plan/reads'
import { frameEndFinder } from '../plan/zstd-frame'
import { mapInOrder } from './in-order'
import { freeBehind } from './memory'
import type { ReaderDeps } from './reader'

const READS_IN_FLIGHT = 4
const TEXT_CHUNK_BYTES = 256 * 1024

const CATALOG_LOST =
  'Look for an earlier version of the object, or restore by hand from the archive: docs/restore-by-hand.md.'

/**
 * The catalog's text, decompressed piece by piece, each valid until the next one is asked for. Only at the end is
 * it known to be the one that the manifest names.
 *
 * @throws AgentError ARCHIVE_DAMAGED where it is not, or does not decompress; OBJECT_MISSING
 */
export async function* readCatalogText(
  deps: ReaderDeps,
  catalog: Archive['catalog'],
): AsyncGenerator<Buffer, void, undefined> {
  const use = freeBehind()
  const text = createZstdDecompress({ chunkSize: TEXT_CHUNK_BYTES })
  const finished = pipeline(cutAtFrames(readCatalogObject(deps, catalog)), text)
  finished.catch(() => undefined) // the same error reaches whoever reads the text
  try {
    for await (const piece of text as AsyncIterable<Buffer>) {
      use(piece)
      yield piece
    }
  } catch (cause) {
    throw cause instanceof AgentError ? cause : damagedCatalog(catalog.key, 'does not decompress', cause)
  }
}

/**
 * The catalog, line by line.
 *
 * @throws AgentError ARCHIVE_DAMAGED where a line is missing, wrong or out of place; FORMAT_UNSUPPORTED, OBJECT_MISSING
 */
export async function* readCatalog(
  deps: ReaderDeps,
  catalog: Archive['catalog'],
): AsyncGenerator<CatalogLine, void, undefined> {
  const reader = catalogReader(catalog.key)
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const chunk of readCatalogText(deps, catalog)) {
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield reader.take(line)
  }
  if (rest !== '') yield reader.take(rest)
  reader.finish()
}

/** The entries alone, in the order of the archive. */
export async function* readEntries(deps: ReaderDeps, archive: Archive): AsyncGenerator<CatalogEntry, void, undefined> {
  for await (const line of readCatalog(deps, archive.catalog)) if (isEntry(line)) yield line
}

/** What a catalog says apart from its entries. */
export interface CatalogIndex {
  readonly header: CatalogHeader
  readonly table: FrameTable
  readonly end: CatalogEnd
}

/** Reads the whole catalog. @throws AgentError as `readCatalog` and `joinFrameTable` */
export async function readCatalogIndex(deps: ReaderDeps, archive: Archive): Promise<CatalogIndex> {
  let header: CatalogHeader | undefined
  let end: CatalogEnd | undefined
  const frames: CatalogFrames[] = []
  for await (const line of readCatalog(deps, archive.catalog)) {
    if (isHeader(line)) header = line
    else if (isFrames(line)) frames.push(line)
    else if (isEnd(line)) end = line
  }
  if (!header || !end) throw damagedCatalog(archive.catalog.key, 'is empty')
  return { header, table: joinFrameTable(archive, frames), end }
}

async function* readCatalogObject(deps: ReaderDeps, catalog: Archive['catalog']): AsyncGenerator<Buffer> {
  const offsets: number[] = []
  for (let offset = 0; offset < catalog.sizeBytes; offset += READ_BYTES) offsets.push(offset)
  const pieces = mapInOrder(offsets, READS_IN_FLIGHT, deps.signal, (offset, signal) =>
    deps.store.getRange(catalog.key, offset, Math.min(READ_BYTES, catalog.sizeBytes - offset), signal),
  )
  let checksum = 0
  for await (const piece of pieces) {
    checksum = crc32(piece, checksum)
    yield piece
  }
  if (formatCrc32(checksum) !== catalog.crc32) {
    throw damagedCatalog(catalog.key, `has CRC32 ${formatCrc32(checksum)}, the manifest says ${catalog.crc32}`)
  }
}

/** Node's decompressor drops what comes behind a frame's end in the same piece, without an error. */
async function* cutAtFrames(compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const findEnds = frameEndFinder()
  for await (const piece of compressed) {
    let start = 0
    for (const end of [...findEnds(piece), piece.length]) {
      if (end > start) yield piece.subarray(start, end)
      start = end
    }
  }
}

function damagedCatalog(key: string, what: string, cause?: unknown): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', `${key} ${what}`, { hint: CATALOG_LOST, cause })
}
