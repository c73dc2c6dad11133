/** Reads catalogs back, as text, line by line, or for what they say apart from their entries. */
import { hash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { createZstdDecompress } from 'node:zlib'
import { onPage } from '../pages'
import { AgentError } from '../errors'
import { type Archive } from './archive'
import type { CatalogEnd, CatalogFrames, CatalogHeader, CatalogLine } from './catalog'
import { catalogParser, isEnd, isEntry, isFrames, isHeader } from './catalog-lines'
import { cut, joinFrameTable, READ_BYTES, type FrameTable } from './frame-reads'
import { frameEndFinder } from './zstd-frame'
import { mapInOrder } from '../lib/in-order.io'
import { freeBehind, freeNow } from '../lib/buffers.io'
import { lookUntilAgreed, readTwice, useOrReadAgain } from '../bucket/read-again'
import type { ReaderDeps } from './read.io'
import type { RangeReadOptions } from '../context'
import { digestStored } from './stored-digest.io'
import type { CatalogEntry } from '../tar/entry'

const READS_IN_FLIGHT = 4
/** A catalog that is not larger costs no more memory than reading a larger one piece by piece: some 600,000 entries. */
const HELD_BYTES_MAX = READS_IN_FLIGHT * READ_BYTES
const TEXT_CHUNK_BYTES = 256 * 1024
/** Of the text, while nobody takes them. */
const PIECES_AHEAD = 2

const CATALOG_LOST = `Look for an earlier version of the object, or restore by hand from the archive: ${onPage('restore-by-hand')}.`

/**
 * The catalog's text, decompressed piece by piece, each valid until the next one is asked for. All of it is what the
 * manifest says, from the first byte on: the object is read to its end before, twice where it is large.
 *
 * @throws AgentError ARCHIVE_DAMAGED where it is not, or does not decompress; OBJECT_MISSING
 */
export function readCatalogText(
  deps: ReaderDeps,
  catalog: Archive['catalog'],
): AsyncGenerator<Buffer, void, undefined> {
  return decompressCatalog(readCatalogObject(deps, catalog), catalog.key)
}

/**
 * @param stored - the whole object, piece by piece
 * @param pieceBytes - of the text, at most
 * @returns its text, piece by piece, each valid until the next one is asked for
 * @throws AgentError ARCHIVE_DAMAGED where it does not decompress
 */
export async function* decompressCatalog(
  stored: AsyncIterable<Buffer>,
  key: string,
  pieceBytes = TEXT_CHUNK_BYTES,
): AsyncGenerator<Buffer, void, undefined> {
  const use = freeBehind()
  // Pieces must come as they are made: joined to another one, a piece is freed while the decompressor still fills what is
  // left of its buffer.
  const text = createZstdDecompress({
    ...{ chunkSize: pieceBytes, readableObjectMode: true, readableHighWaterMark: PIECES_AHEAD },
  })
  const finished = pipeline(cutAtFrames(stored), text)
  finished.catch(() => undefined) // the same error reaches whoever reads the text
  try {
    for await (const piece of text as AsyncIterable<Buffer>) {
      use(piece)
      yield piece
    }
  } catch (cause) {
    throw cause instanceof AgentError ? cause : damagedCatalog(key, 'does not decompress', cause)
  }
}

/**
 * The catalog, line by line.
 *
 * @param archive - as in the manifest, where the catalog has to agree with it in all that both say
 * @throws AgentError ARCHIVE_DAMAGED where a line is missing, wrong or out of place; FORMAT_UNSUPPORTED, OBJECT_MISSING
 */
export async function* readCatalog(
  deps: ReaderDeps,
  catalog: Archive['catalog'],
  archive?: Archive,
): AsyncGenerator<CatalogLine, void, undefined> {
  const parser = catalogParser(catalog.key, archive)
  for await (const text of readCatalogText(deps, catalog)) {
    for (const line of parser.push(text)) yield line
  }
  for (const line of parser.finish()) yield line
}

/** The entries alone, in the order of the archive, and those of its base behind them. */
export async function* readEntries(deps: ReaderDeps, archive: Archive): AsyncGenerator<CatalogEntry, void, undefined> {
  for await (const line of readCatalog(deps, archive.catalog)) if (isEntry(line)) yield line
}

/** Those that are in the archive itself: all of them, but in a differential one. */
export async function* readOwnEntries(
  deps: ReaderDeps,
  archive: Archive,
): AsyncGenerator<CatalogEntry, void, undefined> {
  for await (const entry of readEntries(deps, archive)) if (!entry.base) yield entry
}

/** What a catalog says apart from its entries. */
export interface CatalogIndex {
  readonly header: CatalogHeader
  readonly table: FrameTable
  readonly end: CatalogEnd
}

/** Reads the whole catalog. @throws AgentError as `readCatalog` and `joinFrameTable` */
export async function readCatalogIndex(
  deps: ReaderDeps,
  archive: Archive,
  onEntry: (entry: CatalogEntry) => void = () => undefined,
): Promise<CatalogIndex> {
  let header: CatalogHeader | undefined
  let end: CatalogEnd | undefined
  const frames: CatalogFrames[] = []
  for await (const line of readCatalog(deps, archive.catalog)) {
    if (isEntry(line)) onEntry(line)
    else if (isHeader(line)) header = line
    else if (isFrames(line)) frames.push(line)
    else if (isEnd(line)) end = line
  }
  if (!header || !end) throw damagedCatalog(archive.catalog.key, 'is empty')
  return { header, table: joinFrameTable(archive, frames), end }
}

/** What a catalog's pieces have to be, and the pieces themselves where all fit into what is in flight anyway. */
interface Proven {
  readonly digests: readonly string[]
  readonly held?: readonly Buffer[]
}

/** Of large catalogs, which are read several times: each piece's digest, once all together were the manifest's. */
const provenDigests = new WeakMap<Archive['catalog'], readonly string[]>()
/** Not a CRC32: whoever puts another object there between two readings can give it any. */
const digestOf = (piece: Buffer): string => hash('sha256', piece, 'base64')

/** The object's bytes, none of which is given out before it is known to be what the manifest says. */
async function* readCatalogObject(deps: ReaderDeps, catalog: Archive['catalog']): AsyncGenerator<Buffer> {
  const known = provenDigests.get(catalog)
  const { digests, held } = known ? { digests: known } : await proveCatalog(deps, catalog)
  if (held) {
    yield* held
    return
  }
  provenDigests.set(catalog, digests)
  let index = 0
  for await (const piece of fetchCatalog(deps, catalog)) {
    const digest = digests[index++]
    const check = (): void => {
      if (digestOf(piece) !== digest) throw damagedCatalog(catalog.key, 'is not what it was when it was read before')
    }
    const offset = (index - 1) * READ_BYTES
    const readAgain = (how: RangeReadOptions) =>
      deps.store.getRange(catalog.key, offset, piece.length, deps.signal, how)
    await useOrReadAgain(piece, check, readAgain, catalog.key)
    yield piece
  }
}

/**
 * Reads the whole object, again where it is not what the manifest says.
 *
 * @throws AgentError ARCHIVE_DAMAGED where two readings agree that it is not
 */
async function proveCatalog(deps: ReaderDeps, catalog: Archive['catalog']): Promise<Proven> {
  const read = await lookUntilAgreed(
    (how) => readWhole(deps, catalog, how),
    ({ difference }) => difference,
    catalog.key,
  )
  if (read.difference === undefined) return read
  throw damagedCatalog(catalog.key, `has ${read.difference}`)
}

async function readWhole(
  deps: ReaderDeps,
  catalog: Archive['catalog'],
  how?: RangeReadOptions,
): Promise<Proven & { readonly difference: string | undefined }> {
  const held: Buffer[] | undefined = catalog.sizeBytes <= HELD_BYTES_MAX ? [] : undefined
  const digests: string[] = []
  const digest = digestStored(catalog)
  for await (const piece of fetchCatalog(deps, catalog, how)) {
    digest.update(piece)
    if (held) held.push(piece)
    else {
      digests.push(digestOf(piece))
      freeNow(piece)
    }
  }
  return { difference: digest.difference(), digests, ...(held && { held }) }
}

/** @param how - all of it is read; what is lost of it is read again in any case */
export function fetchCatalog(
  { store, signal }: ReaderDeps,
  { key, sizeBytes }: Archive['catalog'],
  how?: RangeReadOptions,
): AsyncGenerator<Buffer> {
  return mapInOrder(cut(sizeBytes, READ_BYTES), READS_IN_FLIGHT, signal, ({ offset, bytes }, both) =>
    readTwice((again = how) => store.getRange(key, offset, bytes, both, again)),
  )
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

export function damagedCatalog(key: string, what: string, cause?: unknown): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', `${key} ${what}`, { hint: CATALOG_LOST, cause })
}
