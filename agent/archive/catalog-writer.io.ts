import { createHash } from 'node:crypto'
import { zstdCompressSync } from 'node:zlib'
import type { EntryNotes } from './archive'
import {
  formatCatalogEntry,
  formatCatalogLine,
  parseCatalogLine,
  type CatalogEnd,
  type CatalogFrames,
  type CatalogHeader,
} from './catalog'
import { collectWarnings } from '../tar/messages'
import { scanTar, type TarTotals } from '../tar/scanner'
import type { CatalogEntry } from '../tar/entry'

/** The catalog is compressed in pieces of this size: larger ones are hardly any smaller afterwards. */
const CATALOG_PIECE_BYTES = 1024 * 1024

/** What the whole stream was. */
export interface StreamSummary extends TarTotals {
  /** Of the stream, in hexadecimal: catalogs of format 1 have it. */
  readonly sha256?: string
  readonly notes: EntryNotes
}

/** Of what is not in the stream of a differential archive. */
export interface OtherLines {
  readonly baseEntries: number
  readonly removed: number
}

/** Functions throw AgentError ARCHIVE_FAILED where the stream is not a complete tar archive. */
export interface CatalogWriter {
  /** Takes the next piece of the stream. */
  inspect(piece: Buffer): void
  /** Adds frames to the catalog. */
  record(frames: CatalogFrames): void
  /** Ends the stream: `take` then gives the last of its entries, as complete frames. */
  endEntries(): void
  /**
   * Ends the catalog, and the stream where that was not done.
   *
   * @param others - how many lines of a differential archive have been added behind the entries
   */
  finish(frames: number, others?: OtherLines): StreamSummary
  /** The next piece of the compressed catalog: what came of it since the last time. Often empty. */
  take(): Buffer
}

/**
 * Makes the catalog of a tar stream that passes by, in the format that its header says.
 *
 * @param takenAt - when the snapshot was taken, in seconds since 1970: then it is counted what was modified just before
 */
export function writeCatalog(header: CatalogHeader, takenAt?: number): CatalogWriter {
  const hash = header.catalog === 1 ? createHash('sha256') : undefined
  const catalog = catalogText()
  let frameLines = '' // they come after the entries: some 10 MiB for a TiB of archive
  catalog.add(readable(header))
  const notes = collectNotes(takenAt)
  const scanner = scanTar(
    (entry) => {
      catalog.add(formatCatalogEntry(entry))
      notes.take(entry)
    },
    { isTolerant: true },
  )
  let ended: TarTotals | undefined
  return {
    inspect(piece) {
      hash?.update(piece)
      scanner.push(piece)
    },
    record(frames) {
      frameLines += readable(frames)
    },
    endEntries() {
      ended ??= scanner.finish()
      catalog.compress()
    },
    finish(frames, others) {
      ended ??= scanner.finish()
      const totals = { ...ended, ...(hash && { sha256: hash.digest('hex') }) }
      catalog.add(frameLines)
      catalog.add(readable({ end: true, ...totals, frames, ...others }))
      catalog.compress()
      return { ...totals, notes: notes.list() }
    },
    take: () => catalog.take(),
  }
}

/** The line, read back: a catalog that its own readers refuse must not be stored. Entries are readable as the scanner makes them. */
function readable(line: CatalogHeader | CatalogFrames | CatalogEnd): string {
  const text = formatCatalogLine(line)
  parseCatalogLine(text)
  return text
}

/** What Linux takes as one path, its last zero byte included (PATH_MAX); members are named from `./` on. */
const MEMBER_BYTES_MAX = 4096 - 1 - './'.length

/** What was modified within it shows how much of a volume changes in a day. */
const RECENT_SECONDS = 24 * 3600
/** The time is that before all snapshots; whoever writes goes on until the last one. What is dated far later is not recent. */
const AHEAD_SECONDS_MAX = 3600

function collectNotes(takenAt: number | undefined) {
  const warnings = collectWarnings()
  let longPaths = 0
  let recentEntries = 0
  const isRecent = (seconds: number): boolean =>
    takenAt !== undefined && seconds > takenAt - RECENT_SECONDS && seconds <= takenAt + AHEAD_SECONDS_MAX
  return {
    take({ path, mtime, undescribed }: CatalogEntry): void {
      if (isRecent(Number(mtime))) recentEntries++
      if (undescribed !== undefined)
        warnings.add(`'${path}' is not in the catalog, so only tar can restore it: ${undescribed}`)
      else if (path.length * 3 > MEMBER_BYTES_MAX && Buffer.byteLength(path) > MEMBER_BYTES_MAX) longPaths++
    },
    list: (): EntryNotes => ({
      ...{ warnings: warnings.list(), longPaths },
      ...(takenAt !== undefined && { recentEntries }),
    }),
  }
}

/** The catalog's text, written straight into a buffer: millions of short strings would be a lot of garbage. */
function catalogText() {
  const text = Buffer.allocUnsafeSlow(CATALOG_PIECE_BYTES)
  let textBytes = 0
  let compressed: Buffer[] = []

  const compress = () => {
    if (textBytes > 0) compressed.push(zstdCompressSync(text.subarray(0, textBytes)))
    textBytes = 0
  }
  return {
    add(lines: string): void {
      const bytesMax = lines.length * 3 // UTF-8 takes no more
      if (textBytes + bytesMax > text.length) compress()
      if (bytesMax > text.length) compressed.push(zstdCompressSync(lines))
      else textBytes += text.write(lines, textBytes)
    },
    compress,
    /** What was compressed since the last time, as complete frames. */
    take(): Buffer {
      const pieces = compressed
      compressed = []
      return Buffer.concat(pieces)
    },
  }
}
