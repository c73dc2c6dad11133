/** Reads the catalog's entries out of a tar stream as it passes by, in pieces of any size. */
import type { CatalogEntry, EntryType } from './catalog'
import {
  BLOCK_BYTES,
  brokenTar,
  decodeName,
  decodePath,
  fieldEnd,
  hasValidChecksum,
  readHeaderPath,
  readNumber,
  readPaxRecords,
  typeOf,
  type Extension,
  type Name,
} from './tar-header'

/** Extended headers are kept in memory: this is far above what xattrs and names can take (64 KiB and 4 KiB each). */
const EXTENSION_BYTES_MAX = 16 * 1024 * 1024

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

/** An entry whose last header is still to come: GNU sparse files have a map after the header. */
interface OpenEntry {
  readonly entry: Omit<CatalogEntry, 'bytes' | 'sparseBytes'>
  /** Headers so far. */
  headerBytes: number
  /** What the header says that follows it, padding not counted. */
  readonly dataBytes: number
  sparseBytes?: number
}

/** What the blocks that come next are. */
type Phase = 'header' | 'data' | 'extension' | 'map in data' | 'map in headers' | 'end'

export interface ScanOptions {
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
  { isStrict = false, onMapStart }: ScanOptions = {},
): TarScanner {
  let phase: Phase = 'header'
  let offset = 0 // in the stream: of the block that comes next, or is being looked at
  let entries = 0
  let zeroBlocks = 0
  let entryOffset = -1 // of the extended headers read so far; -1 if there are none
  let extension: Extension = {}
  const globals: Extension = {}
  let open: OpenEntry | undefined
  let skip = 0 // bytes of data still to pass by
  let numbersLeft = -1 // of a map in the data; -1 before the first is read
  let number = 0
  let map = sparseMap(0)
  // A block or extended header that came in pieces.
  let gathered = Buffer.allocUnsafe(BLOCK_BYTES)
  let gatheredBytes = 0
  let wantedBytes = BLOCK_BYTES
  let extensionFlag = ''
  let extensionBytes = 0

  return {
    push(chunk) {
      let at = 0
      while (at < chunk.length) {
        const rest = chunk.length - at
        if (phase === 'data') at += passBy(Math.min(skip, rest))
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
    else if (phase === 'extension') takeExtension(data, at)
    else if (phase === 'map in data') takeMapBlock(data, at)
    else if (phase === 'map in headers') takeMapHeader(data, at)
    else if (!isZero(data, at)) throw brokenTar(offset, 'something follows the end of the archive')
    offset += bytes
    return bytes
  }

  function takeHeader(data: Buffer, at: number): void {
    if (data[at] === 0 && isZero(data, at)) {
      if (entryOffset >= 0) throw brokenTar(offset, 'an extended header is followed by no entry')
      if (++zeroBlocks === 2) phase = 'end'
      return
    }
    if (zeroBlocks > 0) throw brokenTar(offset, 'a header follows a block of zeros')
    if (!hasValidChecksum(data, at)) throw brokenTar(offset, 'the checksum of a header is wrong')
    const flag = String.fromCharCode(data[at + 156] as number)
    const bytes = readNumber(data, at + 124, 12)
    if (flag === 'x' || flag === 'g' || flag === 'L' || flag === 'K') startExtension(flag, bytes)
    else startEntry(data, at, flag, bytes)
  }

  function startExtension(flag: string, bytes: number): void {
    if (!(bytes > 0 && bytes <= EXTENSION_BYTES_MAX)) throw brokenTar(offset, `an extended header of ${bytes} bytes`)
    if (flag !== 'g' && entryOffset < 0) {
      entryOffset = offset
      extension = { ...globals }
    }
    extensionFlag = flag
    extensionBytes = bytes
    wantedBytes = padded(bytes)
    if (gathered.length < wantedBytes) gathered = Buffer.allocUnsafe(wantedBytes)
    phase = 'extension'
  }

  function takeExtension(data: Buffer, at: number): void {
    const end = at + extensionBytes
    if (extensionFlag === 'x') readPaxRecords(data, at, end, offset, extension)
    else if (extensionFlag === 'L') extension.path = decodePath(data, at, fieldEnd(data, at, extensionBytes))
    else if (extensionFlag === 'K') extension.link = decodeName(data, at, fieldEnd(data, at, extensionBytes))
    else readPaxRecords(data, at, end, offset, globals)
    wantedBytes = BLOCK_BYTES
    phase = 'header'
  }

  function startEntry(data: Buffer, at: number, flag: string, headerSize: number): void {
    const type = typeOf(flag)
    if (!type) throw brokenTar(offset, `an entry of unknown type '${flag}'`)
    const more = entryOffset < 0 ? globals : extension
    const dataBytes = more.storedBytes ?? headerSize
    if (!(dataBytes >= 0) || (type !== 'file' && dataBytes > 0))
      throw brokenTar(offset, `a ${type} of ${dataBytes} bytes`)
    const start = entryOffset < 0 ? offset : entryOffset
    const oldSparse = flag === 'S'
    const size = oldSparse ? readNumber(data, at + 483, 12) : (more.sparseSize ?? dataBytes)
    open = { entry: readEntry(data, at, type, more, size, start), headerBytes: offset + BLOCK_BYTES - start, dataBytes }
    if (oldSparse || more.sparseSize !== undefined) open.sparseBytes = dataBytes
    entryOffset = -1
    if (more.mapInData) {
      phase = 'map in data'
      numbersLeft = -1
      number = 0
      map = sparseMap(size)
      onMapStart?.({ ...open.entry, bytes: open.headerBytes + padded(dataBytes), sparseBytes: 0 })
    } else if (oldSparse && data[at + 482] !== 0) phase = 'map in headers'
    else closeEntry(open, padded(dataBytes))
  }

  function readEntry(data: Buffer, at: number, type: EntryType, more: Extension, size: number, start: number) {
    const path = more.sparsePath ?? more.path ?? readHeaderPath(data, at)
    const link = type === 'symlink' || type === 'hardlink' ? readLink(data, at, type, more.link) : undefined
    const mode = readNumber(data, at + 100, 8) & 0o7777
    const uid = more.uid ?? readNumber(data, at + 108, 8)
    const gid = more.gid ?? readNumber(data, at + 116, 8)
    const seconds = readNumber(data, at + 136, 12)
    if (Number.isNaN(uid + gid + seconds + size)) throw brokenTar(offset, `a number of '${path.text}' is unreadable`)
    const isDevice = type === 'character' || type === 'block'
    return {
      path: path.text,
      ...(path.base64 !== undefined && { path64: path.base64 }),
      type,
      size,
      mode,
      uid,
      gid,
      mtime: more.mtime ?? String(seconds),
      offset: start,
      ...(link && { link: link.text, ...(link.base64 !== undefined && { link64: link.base64 }) }),
      ...(more.xattrs && { xattrs: true as const }),
      ...(isDevice && { device: [readNumber(data, at + 329, 8), readNumber(data, at + 337, 8)] as const }),
    }
  }

  /** One block of the map at the beginning of the data: decimal numbers, one a line, how many pairs there are first. */
  function takeMapBlock(data: Buffer, at: number): void {
    for (let index = at; index < at + BLOCK_BYTES && numbersLeft !== 0; index++) {
      const byte = data[index] as number
      if (byte >= 0x30 && byte <= 0x39) {
        number = number * 10 + (byte - 0x30)
      } else if (byte === 0x0a) {
        if (numbersLeft >= 0) map.take(number)
        numbersLeft = numbersLeft < 0 ? number * 2 : numbersLeft - 1
        number = 0
      } else throw brokenTar(offset, 'the map of a sparse file is malformed')
    }
    const { entry, dataBytes, headerBytes } = open as OpenEntry
    const mapBytes = offset + BLOCK_BYTES - (entry.offset + headerBytes)
    if (mapBytes > dataBytes) throw brokenTar(offset, 'the map of a sparse file is longer than its data')
    if (numbersLeft !== 0) return
    if (isStrict && !map.isGood(dataBytes - mapBytes)) throw brokenTar(offset, 'the map of a sparse file does not fit')
    closeEntry({ ...(open as OpenEntry), sparseBytes: dataBytes - mapBytes }, padded(dataBytes) - mapBytes)
  }

  /** One more header with a piece of an old GNU map; its last bytes say whether another follows. */
  function takeMapHeader(data: Buffer, at: number): void {
    const entry = open as OpenEntry
    entry.headerBytes += BLOCK_BYTES
    if (data[at + 504] === 0) closeEntry(entry, padded(entry.dataBytes))
  }

  function closeEntry({ entry, headerBytes, dataBytes, sparseBytes }: OpenEntry, restBytes: number): void {
    entries++
    onEntry({
      ...entry,
      bytes: headerBytes + padded(dataBytes),
      ...(sparseBytes !== undefined && { sparseBytes }),
    })
    open = undefined
    skip = restBytes
    phase = skip > 0 ? 'data' : 'header'
  }
}

function readLink(data: Buffer, at: number, type: EntryType, long: Name | undefined): Name {
  if (type === 'symlink') return long ?? decodeName(data, at + 157, fieldEnd(data, at + 157, 100))
  if (!long) return decodePath(data, at + 157, fieldEnd(data, at + 157, 100))
  const bytes = Buffer.from(long.base64 ?? long.text, long.base64 === undefined ? 'utf8' : 'base64')
  return decodePath(bytes, 0, bytes.length)
}

/** Takes offsets and sizes by turns. */
function sparseMap(fileBytes: number) {
  let start = -1
  let end = 0
  let dataBytes = 0
  let isInOrder = true
  return {
    take(number: number): void {
      if (start < 0) {
        start = number
        if (start < end) isInOrder = false
      } else {
        end = start + number
        dataBytes += number
        start = -1
      }
    },
    isGood: (expectedBytes: number) => isInOrder && end <= fileBytes && dataBytes === expectedBytes,
  }
}

function isZero(data: Buffer, at: number): boolean {
  for (let index = at; index < at + BLOCK_BYTES; index++) if (data[index] !== 0) return false
  return true
}

function padded(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES
}
