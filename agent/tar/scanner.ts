/** Reads the catalog's entries out of a tar stream as it passes by, in pieces of any size. */
import { undescribedEntry, type CatalogEntry } from './entry'
import { extendedHeaders, HEADERS_BYTES_MAX, headersTooLong, isExtended, toleratedFlaw } from './extended-headers'
import { brokenTar, hasValidChecksum, readNumber } from './header'
import { BLOCK_BYTES, HAS_MORE_MAP_AT, HAS_STILL_MORE_MAP_AT, isZero, padded, SIZE, TYPE_AT } from './layout'
import { readEntry, readPath, type OpenEntry } from './scanned-entry'
import { sparseMapReader } from './sparse-map'

export interface TarTotals {
  readonly entries: number
  /** Length of the stream. */
  readonly rawBytes: number
}

/** Both functions throw AgentError ARCHIVE_FAILED at the first byte that is not as it must be. */
export interface TarScanner {
  push(chunk: Buffer): void
  /** To be called after the last piece: throws too where the archive has no end, or something follows its end. */
  finish(): TarTotals
}

/** What the blocks that come next are. */
type Phase = 'header' | 'data' | 'records' | 'long name' | 'map in data' | 'map in headers' | 'end'

export interface ScanOptions {
  /**
   * An entry that cannot be described costs its own description only: it is told of as `undescribed`, and what follows is
   * read on. Without this it is an error. A stream that is cut short or out of step is an error in any case.
   */
  readonly isTolerant?: boolean
  /** Refuses maps of sparse files that do not say in order, within the file's size, where all of the data belongs. */
  readonly isStrict?: boolean
  /** Told of a sparse file whose map is to follow, before any of it has passed by; `sparseBytes` is 0 until then. */
  readonly onMapStart?: (entry: CatalogEntry) => void
}

/**
 * Understands what GNU tar writes: ustar, pax and GNU headers, every kind of sparse file.
 *
 * @param onEntry - called for each entry, in the order of the archive, before its data has passed by
 */
export function scanTar(
  onEntry: (entry: CatalogEntry) => void,
  { isTolerant = false, isStrict = false, onMapStart }: ScanOptions = {},
): TarScanner {
  let phase: Phase = 'header'
  let offset = 0 // in the stream: of the block that comes next, or is being looked at
  let entries = 0
  let zeroBlocks = 0
  const extended = extendedHeaders(isTolerant)
  let open: OpenEntry | undefined
  let skip = 0 // bytes of data still to pass by
  const map = sparseMapReader()
  // A block or extended header that came in pieces.
  let gathered = Buffer.allocUnsafe(BLOCK_BYTES)
  let gatheredBytes = 0
  let wantedBytes = BLOCK_BYTES

  return {
    push(chunk) {
      let at = 0
      while (at < chunk.length) {
        const rest = chunk.length - at
        if (phase === 'data') at += passBy(Math.min(skip, rest))
        else if (phase === 'records') at += passRecords(chunk, at, rest)
        else if (gatheredBytes === 0 && rest >= wantedBytes) at += takeBlocks(chunk, at)
        else at += gather(chunk, at, Math.min(wantedBytes - gatheredBytes, rest))
      }
    },

    finish() {
      if (phase !== 'end') throw brokenTar(offset, 'the archive is cut short')
      if (gatheredBytes > 0) throw brokenTar(offset, 'its last block is not whole')
      return { entries, rawBytes: offset }
    },
  }

  function passBy(bytes: number): number {
    skip -= bytes
    offset += bytes
    if (skip === 0) phase = 'header'
    return bytes
  }

  function gather(chunk: Buffer, at: number, bytes: number): number {
    chunk.copy(gathered, gatheredBytes, at, at + bytes)
    gatheredBytes += bytes
    if (gatheredBytes === wantedBytes) {
      gatheredBytes = 0
      takeBlocks(gathered, 0)
    }
    return bytes
  }

  /** `wantedBytes` bytes of `data` from `at` on are there: what they are depends on the phase. */
  function takeBlocks(data: Buffer, at: number): number {
    const bytes = wantedBytes
    if (phase === 'header') takeHeader(data, at)
    else if (phase === 'long name') takeName(data, at)
    else if (phase === 'map in data') takeMapBlock(data, at)
    else if (phase === 'map in headers') takeMapHeader(data, at)
    else if (!isZero(data, at, BLOCK_BYTES)) throw brokenTar(offset, 'something follows the end of the archive')
    offset += bytes
    return bytes
  }

  function takeHeader(data: Buffer, at: number): void {
    if (data[at] === 0 && isZero(data, at, BLOCK_BYTES)) {
      if (extended.areOpen()) throw brokenTar(offset, 'an extended header is followed by no entry')
      if (++zeroBlocks === 2) phase = 'end'
      return
    }
    if (zeroBlocks > 0) throw brokenTar(offset, 'a header follows a block of zeros')
    if (!hasValidChecksum(data, at)) throw brokenTar(offset, 'the checksum of a header is wrong')
    const flag = String.fromCharCode(data[at + TYPE_AT] as number)
    const bytes = readNumber(data, at, SIZE)
    if (isExtended(flag)) startExtension(flag, bytes)
    else startEntry(data, at, flag, bytes)
  }

  function startExtension(flag: string, bytes: number): void {
    const nameBytes = extended.start(flag, bytes, offset)
    phase = nameBytes === undefined ? 'records' : 'long name'
    wantedBytes = nameBytes ?? BLOCK_BYTES
    if (gathered.length < wantedBytes) gathered = Buffer.allocUnsafe(wantedBytes)
  }

  function takeName(data: Buffer, at: number): void {
    extended.takeName(data, at)
    wantedBytes = BLOCK_BYTES
    phase = 'header'
  }

  /** Records, and the zeros behind them. */
  function passRecords(data: Buffer, at: number, rest: number): number {
    const bytes = extended.push(data, at, rest)
    offset += bytes
    if (extended.isWhole()) phase = 'header'
    return bytes
  }

  function startEntry(data: Buffer, at: number, flag: string, headerSize: number): void {
    const { extension: more, start = offset } = extended.take()
    const dataBytes = more.storedBytes ?? headerSize
    // Where the next entry begins is then unknown.
    if (!(dataBytes >= 0)) throw brokenTar(offset, `an entry of ${dataBytes} bytes`)
    const headerBytes = offset + BLOCK_BYTES - start
    const header = { data, at, offset, flag, more, dataBytes, start, headerBytes }
    try {
      open = readEntry(header)
    } catch (error) {
      skipEntry(
        toleratedFlaw(error, isTolerant),
        readPath(header).text,
        start,
        headerBytes + padded(dataBytes),
        padded(dataBytes),
      )
      return
    }
    if (more.mapInData) {
      phase = 'map in data'
      map.start(open.entry.size)
      onMapStart?.({ ...open.entry, bytes: headerBytes + padded(dataBytes), sparseBytes: 0 })
    } else if (flag === 'S' && data[at + HAS_MORE_MAP_AT] !== 0) phase = 'map in headers'
    else closeEntry(open, padded(dataBytes))
  }

  /** @param restBytes - of it that are still to pass by */
  function skipEntry(flaw: string, path: string, start: number, bytes: number, restBytes: number): void {
    entries++
    onEntry(undescribedEntry(path, start, bytes, flaw))
    passOver(restBytes)
  }

  /** One block of the map at the beginning of the data. */
  function takeMapBlock(data: Buffer, at: number): void {
    const { entry, dataBytes, headerBytes } = open as OpenEntry
    const mapBytes = offset + BLOCK_BYTES - (entry.offset + headerBytes)
    const restBytes = padded(dataBytes) - mapBytes
    try {
      map.push(data, at, at + BLOCK_BYTES, offset)
      const isLonger = mapBytes > dataBytes || (!map.isWhole() && restBytes === 0)
      if (isLonger) throw brokenTar(offset, 'the map of a sparse file is longer than its data')
    } catch (error) {
      skipEntry(toleratedFlaw(error, isTolerant), entry.path, entry.offset, headerBytes + padded(dataBytes), restBytes)
      return
    }
    if (!map.isWhole()) return
    if (isStrict && !map.isGood(dataBytes - mapBytes)) throw brokenTar(offset, 'the map of a sparse file does not fit')
    closeEntry({ ...(open as OpenEntry), sparseBytes: dataBytes - mapBytes }, restBytes)
  }

  /** One more header with a piece of an old GNU map; its last bytes say whether another follows. */
  function takeMapHeader(data: Buffer, at: number): void {
    const sparse = open as OpenEntry
    sparse.headerBytes += BLOCK_BYTES
    const flaw = sparse.headerBytes > HEADERS_BYTES_MAX ? toleratedFlaw(headersTooLong(offset), isTolerant) : undefined
    if (data[at + HAS_STILL_MORE_MAP_AT] !== 0) return
    const { entry, headerBytes, dataBytes } = sparse
    const restBytes = padded(dataBytes)
    if (flaw === undefined) closeEntry(sparse, restBytes)
    else skipEntry(flaw, entry.path, entry.offset, headerBytes + restBytes, restBytes)
  }

  function closeEntry({ entry, headerBytes, dataBytes, sparseBytes }: OpenEntry, restBytes: number): void {
    const bytes = headerBytes + padded(dataBytes)
    entries++
    onEntry({ ...entry, bytes, ...(sparseBytes !== undefined && { sparseBytes }) })
    passOver(restBytes)
  }

  function passOver(restBytes: number): void {
    open = undefined
    skip = restBytes
    phase = skip > 0 ? 'data' : 'header'
  }
}
