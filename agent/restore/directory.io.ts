/**
 * Directories that are held open. What is done in one is done there, whatever becomes meanwhile of the names above it: a
 * path can be made to lead elsewhere by everybody who may write to one of its directories.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  statfsSync,
  type BigIntStats,
} from 'node:fs'
import { resolve } from 'node:path'
import { AgentError } from '../errors'

export interface Directory extends Disposable {
  readonly fd: number
}

/** The first descriptor that a command is given. */
export const FIRST_DESCRIPTOR = 3

/** Links that one path may lead through, as in the kernel (path_resolution(7)). */
const LINKS_MAX = 40

/** Others may neither remove nor rename what is not theirs. */
const STICKY = 0o1000

/** A path through which this process, or a command with such a descriptor, gets at an open directory. */
export function pathOf(fd: number): string {
  return `/proc/self/fd/${fd}`
}

/** Something in a directory. Node has no openat(2); for the kernel this is the same. */
export function inside({ fd }: Directory, name: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${pathOf(fd)}/`), Buffer.from(name)])
}

/** @throws errno ENOTDIR where it is a symbolic link, wherever that leads, or anything but a directory */
export function openChild(parent: Directory, name: string | Buffer): Directory {
  return held(openSync(inside(parent, name), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW))
}

/**
 * Makes a directory with this very mode, whatever the umask.
 *
 * @throws errno EEXIST
 */
export function makeChild(parent: Directory, name: string | Buffer, mode: number): Directory {
  mkdirSync(inside(parent, name), { mode: 0o700 })
  const directory = openChild(parent, name)
  fchmodSync(directory.fd, mode)
  return directory
}

/** Of FAT (statfs(2), `MSDOS_SUPER_MAGIC`). */
const FAT = 0x4d44

/** Whether its filesystem knows ACLs, attributes and labels. */
export function hasAttributes({ fd }: Directory): boolean {
  return statfsSync(pathOf(fd)).type !== FAT
}

export function statOfDirectory({ fd }: Directory): BigIntStats {
  return fstatSync(fd, { bigint: true })
}

/** The mount that a directory was reached by: two of the same filesystem differ, and nothing moves from one to the other. */
export function mountOf({ fd }: Directory): string {
  return /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? ''
}

export interface Way {
  /** Follows symbolic links that only root can have laid: an administrator's, which are part of how this host is set up. */
  readonly links: 'follow' | 'refuse'
  /** Of the last directory where it has to be made; those above it get 0755. */
  readonly mode: number
}

/**
 * Opens a directory one name after the other, and makes what is missing.
 *
 * @param path - absolute where there is no directory to start from
 * @throws AgentError TARGET_UNFIT where that leads through a link that is not to be followed, or cannot be made
 */
export function openWay(path: string, way: Way, from?: Directory): Directory {
  const names = namesOf(from ? path : resolve(path))
  let directory = from ? openChild(from, '.') : openRoot()
  let links = 0
  let at = ''
  try {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      at = name
      const link = way.links === 'follow' ? trustedLink(directory, name) : undefined
      if (link === undefined || ++links > LINKS_MAX) {
        directory = step(directory, openOrMake(directory, name, names.length === 0 ? way.mode : 0o755))
        continue
      }
      names.unshift(...namesOf(link))
      if (link.startsWith('/')) directory = step(directory, openRoot())
    }
    return directory
  } catch (cause) {
    directory[Symbol.dispose]()
    throw new AgentError('TARGET_UNFIT', `${path} cannot be opened or made: '${at}': ${reasonOf(cause)}`, {
      hint: 'Choose a directory on a writable filesystem, with no link in its path that leads elsewhere.',
      cause,
    })
  }
}

function held(fd: number): Directory {
  return { fd, [Symbol.dispose]: () => closeSync(fd) }
}

function openRoot(): Directory {
  return held(openSync('/', constants.O_RDONLY | constants.O_DIRECTORY))
}

function step(from: Directory, to: Directory): Directory {
  from[Symbol.dispose]()
  return to
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}

function openOrMake(parent: Directory, name: string, mode: number): Directory {
  try {
    return openChild(parent, name)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  try {
    return makeChild(parent, name, mode)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    return openChild(parent, name)
  }
}

/** Where a link leads, if nobody but root, or who runs this, can have laid it or replace it. */
function trustedLink(parent: Directory, name: string): string | undefined {
  const place = inside(parent, name)
  const link = lstatSync(place, { bigint: true, throwIfNoEntry: false })
  if (!link?.isSymbolicLink()) return undefined
  const { uid, mode } = statOfDirectory(parent)
  const isFixed = (mode & 0o022n) === 0n || (mode & BigInt(STICKY)) !== 0n
  if (isFixed && isTrusted(uid) && isTrusted(link.uid)) return readlinkSync(place, 'utf8')
  throw new Error('a link that a user other than root may have placed')
}

function isTrusted(uid: bigint): boolean {
  return uid === 0n || uid === BigInt(process.geteuid?.() ?? 0)
}

/** `ENOTEMPTY: directory not empty, rmdir '/proc/self/fd/…'` without that name, which tells nobody anything. */
export function reasonOf(error: unknown): string {
  return String((error as Partial<Error> | undefined)?.message).replace(/, \w+ '.*$/s, '')
}

export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code
}
