/**
 * The layout of a tar stream: blocks, and where in a header block its fields lie. ustar is POSIX.1-2017, "ustar Interchange
 * Format"; what only GNU tar has is in its manual, "Basic Tar Format".
 */

export const BLOCK_BYTES = 512

export interface Field {
  /** From the start of the header. */
  readonly at: number
  readonly bytes: number
}

export const NAME: Field = { at: 0, bytes: 100 }
export const MODE: Field = { at: 100, bytes: 8 }
export const UID: Field = { at: 108, bytes: 8 }
export const GID: Field = { at: 116, bytes: 8 }
/** Of the data that follows, padding not counted. */
export const SIZE: Field = { at: 124, bytes: 12 }
export const MTIME: Field = { at: 136, bytes: 12 }
export const CHECKSUM: Field = { at: 148, bytes: 8 }
/** One letter. */
export const TYPE_AT = 156
/** What a link leads to. */
export const LINK: Field = { at: 157, bytes: 100 }
/** With the version: `ustar\0` and `00` in POSIX's headers, `ustar  \0` in GNU's old ones. */
export const MAGIC: Field = { at: 257, bytes: 8 }
export const USER: Field = { at: 265, bytes: 32 }
export const GROUP: Field = { at: 297, bytes: 32 }
export const MAJOR: Field = { at: 329, bytes: 8 }
export const MINOR: Field = { at: 337, bytes: 8 }
/** POSIX only: what comes before the name, and a slash between them. */
export const PREFIX: Field = { at: 345, bytes: 155 }

/** GNU's old sparse files (type `S`): whether a block with more of the map follows the header. */
export const HAS_MORE_MAP_AT = 482
/** The same, in such a block. */
export const HAS_STILL_MORE_MAP_AT = 504
/** The size of such a file, with its holes. */
export const REAL_SIZE: Field = { at: 483, bytes: 12 }

/** With the zeros that fill the last block. */
export function padded(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES
}

export function isZero(data: Buffer, start: number, bytes: number): boolean {
  for (let index = start, end = start + bytes; index < end; index++) if (data[index] !== 0) return false
  return true
}
