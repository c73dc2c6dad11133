/**
 * The catalog of an archive: JSON lines, zstd-compressed. docs/format.md is the authority.
 *
 * One header, one line per tar entry in archive order, frame tables, one end line. A catalog without its end line is cut
 * short and must not be trusted.
 */

export type EntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'fifo' | 'character' | 'block'

/** First line. */
export interface CatalogHeader {
  readonly catalog: 1
  readonly run: string
  readonly host: string
  /** Device-mapper name of the volume. */
  readonly volume: string
  readonly mountPoint: string
  readonly frameBytes: number
}

/** One entry of the tar archive. */
export interface CatalogEntry {
  /** As in the archive, without the leading `./`; the root is `.`. Directories have no trailing slash. */
  readonly path: string
  /** Base64 of the path's bytes, present only where they are not valid UTF-8; `path` is then for people only. */
  readonly path64?: string
  readonly type: EntryType
  /** Apparent size of a file: of a sparse file, its size with the holes. 0 for everything else. */
  readonly size: number
  /** Permission bits, set-id and sticky bits included. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Seconds since the epoch with up to nine decimals, as a string so that nothing is rounded. */
  readonly mtime: string
  /** Byte offset in the tar stream of the entry's first header block, extended headers included. */
  readonly offset: number
  /** Bytes of the tar stream that the entry takes: headers, data, padding. */
  readonly bytes: number
  /** Target of a symlink; for a hard link, the path of the entry it is linked to. */
  readonly link?: string
  readonly link64?: string
  /** Present on sparse files: bytes of data stored. */
  readonly sparseBytes?: number
  /** Present where the entry has extended attributes, ACLs, a SELinux label or capabilities. */
  readonly xattrs?: true
  readonly device?: readonly [major: number, minor: number]
}

/** Stored sizes of consecutive frames of one segment. */
export interface CatalogFrames {
  readonly segment: number
  /** Index in the archive of the first frame listed here. */
  readonly firstFrame: number
  readonly storedBytes: readonly number[]
  /**
   * With compression `none`: CRC32 of each frame. Compressed frames carry a checksum of their own content instead.
   */
  readonly crc32?: readonly number[]
}

/** Last line. */
export interface CatalogEnd {
  readonly end: true
  readonly entries: number
  readonly frames: number
  readonly rawBytes: number
  /** SHA-256 of the tar stream. */
  readonly sha256: string
}

export type CatalogLine = CatalogHeader | CatalogEntry | CatalogFrames | CatalogEnd
