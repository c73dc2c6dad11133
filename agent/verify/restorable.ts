/** What keeps entries from coming back, found by looking at them alone: a restore and a verification say the same of it. */
import { AgentError } from '../errors'
import { selectEntries } from '../archive/select-entries'
import { shortened } from '../lib/long-names'
import { type CatalogEntry, linkBytes, pathBytes } from '../tar/entry'

/** NAME_MAX in linux/limits.h. */
const NAME_BYTES_MAX = 255
/** PATH_MAX in linux/limits.h, less the zero behind. */
const LINK_BYTES_MAX = 4095
/** Beyond it, chown(2) leaves the owner as it is. */
const ID_MAX = 2 ** 32 - 2
/** MINORBITS in linux/kdev_t.h leaves twelve bits for the major number. */
const [MAJOR_MAX, MINOR_MAX] = [2 ** 12 - 1, 2 ** 20 - 1]
/** `time_t` has 64 bits. */
const SECONDS_MAX = 2n ** 63n - 1n

/** What Linux has no such thing as, as a clause; undefined where the entry can come back. An archive may say any of it. */
export function findUnrestorable(entry: CatalogEntry): string | undefined {
  const { type, uid, gid, mtime, device: [major, minor] = [0, 0] } = entry
  if (hasLongName(entry)) return `a name in it has more than ${NAME_BYTES_MAX} bytes`
  if (type === 'symlink' && linkBytes(entry).length > LINK_BYTES_MAX)
    return `it leads to more than ${LINK_BYTES_MAX} bytes`
  if (uid > ID_MAX || gid > ID_MAX) return `its owner is ${uid}:${gid}`
  if (major > MAJOR_MAX || minor > MINOR_MAX) return `it is the device ${major}:${minor}`
  return isTime(mtime) ? undefined : `its time is ${mtime}`
}

function hasLongName(entry: CatalogEntry): boolean {
  if (entry.path.length * 3 <= NAME_BYTES_MAX && entry.path64 === undefined) return false
  const path = pathBytes(entry)
  for (let start = 0; start <= path.length;) {
    const slash = path.indexOf('/', start)
    const end = slash < 0 ? path.length : slash
    if (end - start > NAME_BYTES_MAX) return true
    start = end + 1
  }
  return false
}

function isTime(mtime: string): boolean {
  const [seconds = ''] = mtime.replace('-', '').split('.')
  return seconds.length < 19 || BigInt(seconds) <= SECONDS_MAX
}

/** Names and targets of links that are kept at a time (design limit): beyond it, less is looked at. */
const KEPT_MAX = 1_000_000

export interface Rehearsal {
  /** To be given every entry of the catalog before the first is taken. */
  learn(entry: CatalogEntry): void
  /** @returns what a restore would say of the entry, as a clause; undefined where it brings it back */
  take(entry: CatalogEntry): string | undefined
}

/** Takes the entries of a whole volume as a restore does, and writes nothing. */
export function rehearseRestore(mountPoint: string): Rehearsal {
  const selection = selectEntries(mountPoint, [])
  const links = linkTargets()
  const names = namesSoFar()
  let isInOrder = true

  const findDisorder = (entry: CatalogEntry): string | undefined => {
    try {
      const isLeftOut = selection.take(entry) === 'by hand'
      return isLeftOut ? 'the catalog does not describe the directory that it is in' : undefined
    } catch (error) {
      if (!(error instanceof AgentError)) throw error
      isInOrder = false // the first one says it
      return error.message
    }
  }
  return {
    learn: (entry) => links.learn(entry),
    take(entry) {
      if (entry.undescribed !== undefined) {
        selection.take(entry)
        return undefined
      }
      return (
        (isInOrder ? findDisorder(entry) : undefined) ??
        findUnrestorable(entry) ??
        links.take(entry) ??
        names.take(entry)
      )
    },
  }
}

/** A hard link can be made to what is there already. */
function linkTargets() {
  const isThere = new Map<string, boolean>()
  return {
    learn({ type, link, link64 }: CatalogEntry): void {
      const target = link64 ?? link ?? ''
      if (type === 'hardlink' && isThere.size < KEPT_MAX && target.length <= LINK_BYTES_MAX) isThere.set(target, false)
    },
    take({ type, path, path64, link, link64 }: CatalogEntry): string | undefined {
      if (isThere.size === 0) return undefined
      const found = type === 'hardlink' ? isThere.get(link64 ?? link ?? '') : true
      const name = path64 ?? path
      if (type !== 'directory' && isThere.has(name)) isThere.set(name, true)
      return found === false
        ? `it is a hard link to '${shortened(link ?? '')}', which does not come before it`
        : undefined
    },
  }
}

/** Tar archives each name of a directory once, all of them behind the directory itself. */
function namesSoFar() {
  const open: { readonly directory: string; readonly names: Set<string> }[] = []
  let kept = 0
  return {
    take(entry: CatalogEntry): string | undefined {
      if (entry.path === '.') return undefined
      const path = entry.path64 === undefined ? entry.path : pathBytes(entry).toString('latin1')
      const slash = path.lastIndexOf('/')
      const directory = path.slice(0, Math.max(slash, 0))
      while (open.length > 0 && !isAtOrAbove(open.at(-1)?.directory ?? '', directory))
        kept -= open.pop()?.names.size ?? 0
      if (open.at(-1)?.directory !== directory) open.push({ directory, names: new Set() })
      const names = open.at(-1)?.names ?? new Set()
      const name = path.slice(slash + 1)
      if (names.has(name)) return 'the archive has it twice'
      if (kept < KEPT_MAX) {
        names.add(name)
        kept++
      }
      return undefined
    },
  }
}

function isAtOrAbove(directory: string, other: string): boolean {
  return directory === '' || directory === other || other.startsWith(`${directory}/`)
}
