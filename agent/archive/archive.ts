import type { TaggedDirectories } from '../tar/tags'
import type { Compression } from '../contract'
import type { Warnings } from '../tar/messages'

/** Each frame holds this much of the tar stream, the last one of an archive less. */
export const FRAME_BYTES = 2 * 1024 * 1024

/** What one object holds at most, so that 8 MiB parts stay below S3's 10,000 and memory flat, however large a volume. */
export const SEGMENT_BYTES = 64 * 1024 ** 3

/** Bounds the seek table of a segment whose frames compress to almost nothing: 2 TiB of zeros, an 8 MiB table. */
export const SEGMENT_FRAMES_MAX = 1024 ** 2

/** An S3 object, as it was stored. */
export interface StoredObject {
  readonly key: string
  readonly sizeBytes: number
  /** CRC32 of the whole object: eight lower-case hexadecimal digits, as S3 confirmed it. */
  readonly crc32: string
  /** SHA-256 of the whole object, in hexadecimal. Runs of format 1 have none. */
  readonly sha256?: string | undefined
}

/** One S3 object of an archive, its seek table included. Segments are cut at frame boundaries. */
export interface Segment extends StoredObject {
  /** Where in the tar stream this segment starts. */
  readonly rawOffset: number
  /** How much of the tar stream it holds. */
  readonly rawBytes: number
}

/** What the archive of one volume is, as recorded in the manifest once S3 has confirmed every segment. */
export interface Archive {
  readonly compression: Compression
  readonly frameBytes: number
  readonly segments: readonly Segment[]
  readonly catalog: StoredObject
  /** Length of the tar stream. */
  readonly rawBytes: number
  /** Sum of the segments' sizes. */
  readonly storedBytes: number
  /** SHA-256 of the tar stream, in hexadecimal: in runs of format 1, in the place of those of the segments. */
  readonly sha256?: string | undefined
  readonly entries: number
  readonly frames: number
}

/** Names that a base has and its volume no longer had, as an object. */
export interface RemovedNames extends StoredObject {
  readonly names: number
}

/** What makes an archive a differential one: what it holds itself, and what is as it was in its base. */
export interface DifferentialSource {
  /** What tar is to archive: each name ends with a zero byte. Any number of times. */
  names(): AsyncIterable<Buffer>
  readonly namesCount: number
  /** Complete zstd frames: the catalog's lines of what is as it was, and of what is gone. */
  section(): AsyncIterable<Buffer>
  readonly baseEntries: number
  /** Complete zstd frames: the names that are gone, as members of an archive are named, each with a zero byte behind it. */
  removed(): AsyncIterable<Buffer>
  readonly removedCount: number
}

/** What the catalog tells of what is not as it was on the volume, or hard to get back, though the archive itself is good. */
export interface EntryNotes {
  /** Metadata that tar could not read, and entries that the catalog could not describe: the archive is not complete. */
  readonly warnings: Warnings
  /** Entries whose path is longer than what the kernel takes at a time: tar has to be led to their directory step by step. */
  readonly longPaths: number
  /** Entries modified within the day before the snapshot; absent where it is not known when that was taken. */
  readonly recentEntries?: number
}

/** The same with what tar said. */
export interface ArchiveNotes extends EntryNotes {
  /** Directories whose contents tar left out, as they ask for it. */
  readonly tagged: TaggedDirectories
}

/** An archive that has just been written. */
export interface WrittenArchive extends Archive {
  readonly notes: ArchiveNotes
  /** Of a differential archive. */
  readonly removed?: RemovedNames
}
