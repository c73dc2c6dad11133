import { Parser, type ReadEntry } from 'tar'
/**
 * Extended attributes are in the pax header: Linux allows 64 KiB each, and xfs any number of them. Node-tar takes a record of
 * 25 bytes apart into some 200 bytes of memory; beyond this, it is not asked (design limit).
 */
const PAX_HEADER_BYTES_MAX = 8 * 1024 * 1024
/** In the place of a header that was not read: no records of it can be told. */
const UNREAD = '?\n'
const EXTENDED_HEADERS: readonly string[] = ['ExtendedHeader', 'OldExtendedHeader', 'GlobalExtendedHeader']

/** Entries that were complete in what has been read, and what node-tar complained about. */
export interface TarReading {
  readonly entries: readonly TarEntry[]
  readonly warnings: readonly string[]
}

export interface TarReader {
  push(raw: Buffer): TarReading
  /** A warning where the stream does not end as a tar archive does. */
  end(): TarReading
}

/**
 * Reads a tar stream entry by entry with node-tar: a second opinion on the catalog, from code that shares nothing with
 * the scanner that wrote it. Contents are skipped.
 */
export function tarReader(): TarReader {
  let entries: TarEntry[] = []
  let warnings: string[] = []
  let pax = ''
  let sawEnd = false
  const parser = new Parser({
    maxMetaEntrySize: PAX_HEADER_BYTES_MAX,
    zstd: false,
    brotli: false,
    onwarn: (code, message) => warnings.push(`${code}: ${message}`),
    onReadEntry: (entry) => {
      entries.push(describe(entry, pax))
      pax = ''
      entry.resume()
    },
  })
  parser.on('meta', (text: string) => (pax += text))
  parser.on('ignoredEntry', (entry: ReadEntry) => {
    if (EXTENDED_HEADERS.includes(entry.type)) pax = UNREAD
    else warnings.push(`ignored an entry of type ${entry.type}: ${entry.path}`)
  })
  parser.on('eof', () => (sawEnd = true))

  const take = (): TarReading => {
    const reading = { entries, warnings }
    entries = []
    warnings = []
    return reading
  }
  return {
    push(raw) {
      parser.write(raw)
      return take()
    },
    end() {
      parser.end()
      if (!sawEnd) warnings.push('the archive does not end with two zero blocks')
      return take()
    },
  }
}

function describe(entry: ReadEntry, pax: string): TarEntry {
  return {
    type: entry.type,
    path: entry.path,
    size: entry.size,
    mode: entry.mode ?? NaN,
    uid: entry.uid ?? NaN,
    gid: entry.gid ?? NaN,
    mtimeMs: entry.mtime?.getTime() ?? NaN,
    link: entry.linkpath ?? '',
    device: [entry.header.devmaj, entry.header.devmin],
    pax,
  }
}

/** An entry of a tar archive as node-tar, which shares no code with the catalog's scanner, reads it. */
export interface TarEntry {
  /** node-tar's name of the type: `File`, `SymbolicLink`, … */
  readonly type: string
  readonly path: string
  readonly size: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtimeMs: number
  readonly link: string
  readonly device: readonly [major: number, minor: number]
  /** Text of the entry's pax extended header, as far as it can be decoded; empty where it has none. */
  readonly pax: string
}
