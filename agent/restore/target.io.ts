/** The directory that is restored into: what is there already, and whether the rest fits. */
import { accessSync, constants, lstatSync, readdirSync, readlinkSync, statfsSync, type BigIntStats } from 'node:fs'
import { dirname, join } from 'node:path'
import { AgentError } from '../errors'
import type { ExistingEntry } from './conflicts'
import { formatBytes } from '../lib/text'
import { type CatalogEntry, type EntryType, ancestorsOf, isWithin, linkBytes, pathBytes } from '../tar/entry'

export interface RestoreTarget {
  /** Of the volume's root. */
  readonly directory: string
  /** True where there is nothing to compare with: the directory is bare, or was not there. */
  readonly isFresh: boolean
  /** True where nobody but root gets in, as it is with a target until a restore into it is done. */
  readonly isClosed: boolean
  inspect(entry: CatalogEntry): ExistingEntry
  /** True where another filesystem is mounted: what is seen there is its root. */
  isMountPoint(path: string): boolean
  /**
   * @param path - as text, or its bytes
   * @throws AgentError TARGET_UNFIT where a directory above the path is not a directory: tar would follow a symbolic link
   * there to somewhere else
   */
  assertContained(path: string | Buffer): void
}

/**
 * Looks at what is there. All of it can have changed by the time that something is written, which looks again.
 *
 * @param directory - need not exist
 * @param mountPoints - where other filesystems belong in it
 */
export function openTarget(directory: string, mountPoints: readonly string[] = []): RestoreTarget {
  const base = Buffer.from(`${directory === '/' ? '' : directory}/`)
  const place = (path: Buffer): Buffer => Buffer.concat([base, path])
  const stat = statOf(directory)
  return {
    directory,
    isFresh: readable(directory, () => isBare(directory, mountPoints)),
    isClosed: stat !== undefined && isClosed(stat),
    inspect(entry) {
      const file = place(pathBytes(entry))
      const stat = statOf(file)
      return stat ? compare(entry, stat, file) : { state: 'absent' }
    },
    isMountPoint(path) {
      const [own, above] = [join(directory, path), dirname(join(directory, path))].map((name) => statOf(name)?.dev)
      return own !== undefined && own !== above
    },
    assertContained(path) {
      for (const ancestor of ancestorsOf(Buffer.from(path).toString('latin1'))) {
        const found = statOf(place(Buffer.from(ancestor, 'latin1')))
        if (!found || found.isDirectory()) continue
        throw new AgentError(
          'TARGET_UNFIT',
          `${join(directory, Buffer.from(ancestor, 'latin1').toString())} is not a directory, and ${path.toString()} lies below it`,
          {
            hint: 'Restore into another directory with --target, or restore the directory itself with --path and --on-conflict overwrite.',
          },
        )
      }
    },
  }
}

/** A new ext filesystem has this directory, root's alone, and nothing in it. */
const LOST_AND_FOUND = 'lost+found'

/**
 * True where a directory has nothing but what has to be there before a restore: directories that lead to places where other
 * filesystems are mounted.
 *
 * @throws errno where it is not a directory
 */
export function isBare(directory: string, mountPoints: readonly string[]): boolean {
  if (isMissing(directory)) return true
  const device = statOf(`${directory}/.`)?.dev // of what a link leads to
  const leadsOn = (path: string): boolean => mountPoints.some((mountPoint) => isWithin(mountPoint, path))
  const isBareBelow = (path: string): boolean =>
    readdirSync(join(directory, path), { withFileTypes: true }).every((entry) => {
      const own = path === '.' ? entry.name : `${path}/${entry.name}`
      const isLostAndFound = path === '.' && entry.name === LOST_AND_FOUND
      if (!entry.isDirectory() || !(isLostAndFound || leadsOn(own))) return false
      const stat = statOf(join(directory, own))
      if (mountPoints.includes(own) && stat?.dev !== device) return true
      return stat !== undefined && isRootsAlone(stat) && isBareBelow(own)
    })
  return isBareBelow('.')
}

/** True where nobody else can make anything in it: not even who is in it already when a directory above is closed. */
function isRootsAlone({ uid, mode }: BigIntStats): boolean {
  return uid === BigInt(process.geteuid?.() ?? 0) && (mode & 0o022n) === 0n
}

/** @throws errno ENOTDIR where a file is in the way: nothing can be made there */
function isMissing(directory: string): boolean {
  return lstatSync(directory, { throwIfNoEntry: false }) === undefined
}

/** True where only root, or who runs this, can get at what is in the directory. */
export function isClosed({ uid, mode }: BigIntStats): boolean {
  return uid === BigInt(process.geteuid?.() ?? 0) && (mode & 0o077n) === 0n
}

function readable<T>(directory: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new AgentError('TARGET_UNFIT', `${directory} cannot be restored into: ${String(error)}`, {
      hint: 'Give a directory, or the name of a new one, with --target.',
      cause: error,
    })
  }
}

/** What has to fit under a directory. */
export interface SpaceNeed {
  readonly directory: string
  readonly sizeBytes: number
  readonly entries: number
}

/** @throws AgentError TARGET_UNFIT where a directory cannot be written to, or its filesystem has too little room */
export function assertFits(needs: readonly SpaceNeed[]): void {
  for (const { directory } of needs) assertWritable(directory)
  const filesystems = new Map<bigint, SpaceNeed>()
  for (const { directory, sizeBytes, entries } of needs) {
    const device = lstatSync(existing(directory), { bigint: true }).dev
    const other = filesystems.get(device) ?? { directory, sizeBytes: 0, entries: 0 }
    filesystems.set(device, { ...other, sizeBytes: other.sizeBytes + sizeBytes, entries: other.entries + entries })
  }
  for (const { directory, sizeBytes, entries } of filesystems.values()) {
    const { bsize, bavail, files, ffree } = statfsSync(existing(directory))
    if (bsize * bavail < sizeBytes) {
      throw new AgentError(
        'TARGET_UNFIT',
        `the filesystem of ${directory} has ${formatBytes(bsize * bavail)} free, the restore needs ${formatBytes(sizeBytes)}`,
        { hint: 'Choose another --target, restore less with --path, or make room.' },
      )
    }
    // xfs and btrfs make inodes as they need them; some filesystems report none at all.
    if (files > 0 && ffree < entries) {
      throw new AgentError(
        'TARGET_UNFIT',
        `the filesystem of ${directory} has ${ffree} inodes free, ${entries} are needed`,
        {
          hint: 'Choose another --target, or make a filesystem with more inodes (mkfs -N).',
        },
      )
    }
  }
}

/** Root may write everywhere but where a filesystem is mounted read-only, or a directory made immutable. */
function assertWritable(directory: string): void {
  try {
    accessSync(existing(directory), constants.W_OK)
  } catch (cause) {
    throw new AgentError('TARGET_UNFIT', `${directory} cannot be written to: ${String(cause)}`, {
      hint: 'Choose another --target, or have its filesystem mounted read-write.',
      cause,
    })
  }
}

/** The directory itself, or the nearest one above it that exists. */
function existing(directory: string): string {
  return statOf(directory) ? directory : existing(dirname(directory))
}

/** By that name: what lies deeper than a name can say (ENAMETOOLONG) is not found by it either. */
const CANNOT_BE_THERE: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'])

function statOf(file: string | Buffer): BigIntStats | undefined {
  try {
    return lstatSync(file, { bigint: true })
  } catch (error) {
    if (CANNOT_BE_THERE.has((error as NodeJS.ErrnoException).code)) return undefined
    throw new AgentError('TARGET_UNFIT', `cannot look at ${file.toString()}: ${String(error)}`, {
      hint: 'Restoring needs root: use sudo.',
      cause: error,
    })
  }
}

const FILE_TYPES: Readonly<Record<EntryType, (stat: BigIntStats) => boolean>> = {
  file: (stat) => stat.isFile(),
  hardlink: (stat) => stat.isFile() || stat.isSymbolicLink(),
  directory: (stat) => stat.isDirectory(),
  symlink: (stat) => stat.isSymbolicLink(),
  fifo: (stat) => stat.isFIFO(),
  character: (stat) => stat.isCharacterDevice(),
  block: (stat) => stat.isBlockDevice(),
}

function compare(entry: CatalogEntry, stat: BigIntStats, file: Buffer): ExistingEntry {
  const time = nanoseconds(entry.mtime)
  const equal =
    FILE_TYPES[entry.type](stat) &&
    stat.uid === BigInt(entry.uid) &&
    stat.gid === BigInt(entry.gid) &&
    stat.mtimeNs === time &&
    (entry.type === 'symlink' || Number(stat.mode & 0o7777n) === entry.mode) &&
    (entry.type !== 'file' || stat.size === BigInt(entry.size)) &&
    (entry.type !== 'symlink' || readlinkSync(file, 'buffer').equals(linkBytes(entry)))
  return {
    state: equal ? 'equal' : 'different',
    isDirectory: stat.isDirectory(),
    isSymlink: stat.isSymbolicLink(),
    newer: stat.mtimeNs > time,
    storedBytes: stat.isFile() ? Number(stat.blocks) * 512 : 0,
  }
}

/** `1700000000.5` as 1700000000500000000n, exactly. */
function nanoseconds(mtime: string): bigint {
  const [seconds = '0', fraction = ''] = mtime.replace('-', '').split('.')
  const value = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'))
  return mtime.startsWith('-') ? -value : value
}
