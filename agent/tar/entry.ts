/** One entry of an archive, and what its paths mean. */

export type EntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'fifo' | 'character' | 'block'

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
  /**
   * Present where whoever wrote the catalog did not understand the entry, or its name is too long: why. It is in the archive,
   * only tar itself may restore it, and of the other fields `offset` and `bytes` alone mean anything.
   */
  readonly undescribed?: string
  /** In the catalog of a differential archive: the entry is as it was, and `offset` and `bytes` are places in the base. */
  readonly base?: true
}

/**
 * Paths and links beyond this get no line of their own in the catalog (design limit): the kernel takes 4,096 bytes at a time.
 */
export const PATH_BYTES_MAX = 64 * 1024

/** Of the name of what cannot be described: enough to find it by. */
const NAME_CHARACTERS_MAX = 256

/** @param why - in words that end a sentence about it */
export function undescribedEntry(path: string, offset: number, bytes: number, why: string): CatalogEntry {
  const name = path.length > NAME_CHARACTERS_MAX ? `${path.slice(0, NAME_CHARACTERS_MAX).toWellFormed()}…` : path
  return { path: name, type: 'file', size: 0, mode: 0, uid: 0, gid: 0, mtime: '0', offset, bytes, undescribed: why }
}

/** A piece of the tar stream, or of an object. */
export interface RawRange {
  readonly offset: number
  readonly bytes: number
}

/**
 * An entry to restore, possibly under another name: the data of a hard link whose file is not wanted comes back under
 * the link's own name.
 */
export interface Renaming {
  /** Of the entry's first header block in the tar stream. */
  readonly offset: number
  readonly path?: Buffer
  readonly link?: Buffer
}

/** A piece of the tar stream to pass on, as it is or with another name. */
export type Piece = RawRange & { readonly renaming?: Renaming }

/** The name of an entry as bytes: names need not be text. */
export function pathBytes({ path, path64 }: Pick<CatalogEntry, 'path' | 'path64'>): Buffer {
  return path64 === undefined ? Buffer.from(path) : Buffer.from(path64, 'base64')
}

export function linkBytes({ link = '', link64 }: Pick<CatalogEntry, 'link' | 'link64'>): Buffer {
  return link64 === undefined ? Buffer.from(link) : Buffer.from(link64, 'base64')
}

/** True if a path is a directory, or something in it. */
export function isWithin(path: string, directory: string): boolean {
  return directory === '/' || directory === '.' || path === directory || path.startsWith(`${directory}/`)
}

/** The directories above a path of a catalog, the volume's root first. */
export function ancestorsOf(path: string): string[] {
  const names = path.split('/').slice(0, -1)
  return ['.', ...names.map((_, index) => names.slice(0, index + 1).join('/'))].slice(0, path === '.' ? 0 : undefined)
}

/** A path of a catalog, as it was on the host. */
export function pathOnHost(mountPoint: string, path: string): string {
  if (path === '.') return mountPoint
  return `${mountPoint === '/' ? '' : mountPoint}/${path}`
}

/** What an entry takes on a filesystem with 4 KiB blocks, its inode not counted. */
export function sizeOnDisk({ type, size, sparseBytes }: CatalogEntry): number {
  return type === 'file' ? Math.ceil((sparseBytes ?? size) / 4096) * 4096 : type === 'directory' ? 4096 : 0
}
