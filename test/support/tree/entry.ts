/*
 * What a walk sees of a file, and what a backup has to bring back. Not compared, as no tar archive keeps them: access
 * and change times, inode numbers, sizes of directories, inode flags (chattr), allocation beyond the holes.
 */

export type EntryKind = 'file' | 'directory' | 'symlink' | 'fifo' | 'character' | 'block' | 'socket'

/** From (inclusive) and to (exclusive), in bytes. */
export type Extent = readonly [from: number, to: number]

export interface Entry {
  /** Relative to the tree, `.` for its root; see names.ts for bytes that are not UTF-8. */
  readonly path: string
  readonly kind: EntryKind
  /** Permission bits, set-id and sticky bits included. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Nanoseconds since the epoch. */
  readonly mtime: string
  /** Names in all of the filesystem; of everything but directories. */
  readonly links?: number
  /** For all names of a hard-linked file but the first (in the walk's order): the first. */
  readonly linkedTo?: string
  readonly sizeBytes?: number
  readonly sha256?: string
  /** Where a sparse file has data; absent where it has no hole. */
  readonly data?: readonly Extent[]
  /** Of a symlink. */
  readonly target?: string
  readonly device?: readonly [major: number, minor: number]
  /** All namespaces, ACLs, labels and capabilities included; base64 of the value by name. */
  readonly xattrs?: Readonly<Record<string, string>>
}

const SET_ID_AND_STICKY = 0o7000

/** xfs shows ACLs a second time, in its own format. */
const XFS_ACL = 'trusted.SGI_ACL_'

const COUNTED: Readonly<Record<string, (entry: Entry) => boolean>> = {
  files: ({ kind, linkedTo }) => kind === 'file' && linkedTo === undefined,
  directories: ({ kind }) => kind === 'directory',
  symlinks: ({ kind }) => kind === 'symlink',
  'hard links': ({ linkedTo }) => linkedTo !== undefined,
  'sparse files': ({ data }) => data !== undefined,
  fifos: ({ kind }) => kind === 'fifo',
  devices: ({ kind }) => kind === 'character' || kind === 'block',
  'access ACLs': hasXattr('system.posix_acl_access'),
  'default ACLs': hasXattr('system.posix_acl_default'),
  'SELinux labels': hasXattr('security.selinux'),
  capabilities: hasXattr('security.capability'),
  'user.* attributes': hasXattr('user.'),
  'trusted.* attributes': hasXattr('trusted.', XFS_ACL),
  'set-id or sticky': ({ mode }) => (mode & SET_ID_AND_STICKY) !== 0,
  'times before 1970 or after 2038': ({ mtime }) => BigInt(mtime) < 0n || BigInt(mtime) >= 2n ** 31n * 1_000_000_000n,
  'names that are hard to handle': ({ path }) => /[^\p{L}\p{N}\p{M} /._@%+=:,~!()[\]{}$#^&;-]/u.test(path),
}

/** How many entries have what: for a reader to see that the comparison was of something. Kinds without any are left out. */
export function countEntries(entries: readonly Entry[]): Readonly<Record<string, number>> {
  const counts = Object.entries(COUNTED).map(([kind, test]) => [kind, entries.filter(test).length] as const)
  return Object.fromEntries(counts.filter(([, count]) => count > 0))
}

function hasXattr(prefix: string, butNot?: string) {
  return ({ xattrs }: Entry) =>
    Object.keys(xattrs ?? {}).some(
      (name) => name.startsWith(prefix) && (butNot === undefined || !name.startsWith(butNot)),
    )
}
