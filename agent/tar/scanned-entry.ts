import { brokenTar, decodeName, decodePath, nameEnd, readHeaderPath, readNumber, typeOf, type Name } from './header'
import { GID, LINK, MAJOR, MINOR, MODE, MTIME, REAL_SIZE, UID } from './layout'
import type { Extension } from './extension'
import type { CatalogEntry, EntryType } from './entry'

/** A header that has come whole, and what is known by then. */
export interface FoundHeader {
  /** Where it lies, and from where on. */
  readonly data: Buffer
  readonly at: number
  /** In the stream, for messages. */
  readonly offset: number
  /** The letter of its type. */
  readonly flag: string
  /** What the extended headers before it said. */
  readonly more: Extension
  /** What the header says that follows it, padding not counted. */
  readonly dataBytes: number
  /** In the stream: where the first of its headers begins. */
  readonly start: number
  /** Of all its headers so far. */
  readonly headerBytes: number
}

/** An entry whose last header may be still to come: GNU sparse files have a map after the header. */
export interface OpenEntry extends Pick<FoundHeader, 'dataBytes'> {
  readonly entry: Omit<CatalogEntry, 'bytes' | 'sparseBytes'>
  headerBytes: number
  sparseBytes?: number
}

/** @throws AgentError ARCHIVE_FAILED where it cannot be described */
export function readEntry(header: FoundHeader): OpenEntry {
  const { data, at, offset, flag, more, dataBytes, headerBytes } = header
  if (more.undescribed !== undefined) throw brokenTar(offset, more.undescribed)
  const type = typeOf(flag)
  if (!type) throw brokenTar(offset, `an entry of unknown type '${flag}'`)
  if (type !== 'file' && dataBytes > 0) throw brokenTar(offset, `a ${type} of ${dataBytes} bytes`)
  if (more.mapInData && dataBytes === 0) throw brokenTar(offset, 'a sparse file without its map')
  const oldSparse = flag === 'S'
  const size = oldSparse ? readNumber(data, at, REAL_SIZE) : (more.sparseSize ?? dataBytes)
  const isSparse = oldSparse || more.sparseSize !== undefined
  return { entry: describe(header, type, size), headerBytes, dataBytes, ...(isSparse && { sparseBytes: dataBytes }) }
}

/** The name of an entry, whatever else is wrong with it. */
export function readPath({ data, at, more }: Pick<FoundHeader, 'data' | 'at' | 'more'>): Name {
  return more.sparsePath ?? more.path ?? readHeaderPath(data, at)
}

function describe({ data, at, offset, more, start }: FoundHeader, type: EntryType, size: number): OpenEntry['entry'] {
  const path = readPath({ data, at, more })
  const link = type === 'symlink' || type === 'hardlink' ? readLink(data, at, type, more.link) : undefined
  const mode = readNumber(data, at, MODE) & 0o7777
  const uid = more.uid ?? readNumber(data, at, UID)
  const gid = more.gid ?? readNumber(data, at, GID)
  const seconds = readNumber(data, at, MTIME)
  const device = type === 'character' || type === 'block' ? readDevice(data, at) : undefined
  // What a catalog's readers refuse must not get into one: negative numbers, and what is no number at all.
  if (!(uid >= 0 && gid >= 0 && size >= 0 && !Number.isNaN(seconds) && (!device || Math.min(...device) >= 0))) {
    throw brokenTar(offset, `a number of '${path.text}' is unreadable`)
  }
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
    ...(device && { device }),
  }
}

function readLink(data: Buffer, at: number, type: EntryType, long: Name | undefined): Name {
  const start = at + LINK.at
  if (type === 'symlink') return long ?? decodeName(data, start, nameEnd(data, start, LINK.bytes))
  if (!long) return decodePath(data, start, nameEnd(data, start, LINK.bytes))
  const bytes = Buffer.from(long.base64 ?? long.text, long.base64 === undefined ? 'utf8' : 'base64')
  return decodePath(bytes, 0, bytes.length)
}

function readDevice(data: Buffer, at: number): readonly [major: number, minor: number] {
  return [readNumber(data, at, MAJOR), readNumber(data, at, MINOR)]
}
