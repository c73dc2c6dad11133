import { createHash } from 'node:crypto'
import { zstdCompressSync } from 'node:zlib'
import { formatCatalogEntry, formatCatalogLine, type CatalogFrames, type CatalogHeader } from '../plan/catalog'
import { scanTar, type TarTotals } from '../plan/tar-scanner'

/** The catalog is compressed in pieces of this size: larger ones are hardly any smaller afterwards. */
const CATALOG_PIECE_BYTES = 1024 * 1024

/** What the whole stream was. */
export interface Inspection extends TarTotals {
  /** Of the stream, in hexadecimal. */
  readonly sha256: string
}

/** Functions throw AgentError ARCHIVE_FAILED where the stream is not a complete tar archive. */
export interface CatalogWriter {
  /** Takes the next piece of the stream. */
  inspect(piece: Buffer): void
  /** Adds frames to the catalog. */
  record(frames: CatalogFrames): void
  /** Ends stream and catalog. */
  finish(frames: number): Inspection
  /** The next piece of the compressed catalog: what came of it since the last time. Often empty. */
  take(): Buffer
}

/** Makes the catalog of a tar stream that passes by, and its checksum. */
export function writeCatalog(header: CatalogHeader): CatalogWriter {
  const hash = createHash('sha256')
  const catalog = catalogText()
  let frameLines = '' // they come after the entries: some 10 MiB for a TiB of archive
  catalog.add(formatCatalogLine(header))
  const scanner = scanTar((entry) => catalog.add(formatCatalogEntry(entry)))
  return {
    inspect(piece) {
      hash.update(piece)
      scanner.push(piece)
    },
    record(frames) {
      frameLines += formatCatalogLine(frames)
    },
    finish(frames) {
      const inspection = { ...scanner.finish(), sha256: hash.digest('hex') }
      catalog.add(frameLines)
      catalog.add(formatCatalogLine({ end: true, ...inspection, frames }))
      catalog.compress()
      return inspection
    },
    take: () => catalog.take(),
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
