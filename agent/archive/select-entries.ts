/** Which entries of a catalog a restore wants. */
import { AgentError } from '../errors'
import { shortened } from '../lib/long-names'
import { findNearest } from '../lib/nearest'
import { type CatalogEntry, type EntryType, ancestorsOf, isWithin, pathOnHost } from '../tar/entry'
import { byteNameOf } from '../tar/order'

/** Names held against a path that is not in the catalog. */
const CANDIDATES_MAX = 10_000

/**
 * An entry is wanted for itself, or because something below it is. One that is `by hand` is wanted, and nobody has looked at
 * it, or at the directory that it is in: only tar itself can restore it.
 */
export type Role = 'wanted' | 'ancestor' | 'by hand'

/**
 * Tells for each entry of a catalog whether a restore of these paths wants it.
 *
 * @param mountPoint - of the volume, for messages
 * @param paths - as the catalog has them; empty for the whole volume
 */
export function selectEntries(mountPoint: string, paths: readonly string[]) {
  const missing = new Set(paths)
  const ancestors = new Set(paths.flatMap(ancestorsOf))
  const candidates: string[] = []
  const directories = directoriesSoFar()
  let hasUndescribed = false
  const isWanted = (path: string): boolean => paths.length === 0 || paths.some((wanted) => isWithin(path, wanted))
  return {
    isWanted,
    /** @throws AgentError ARCHIVE_DAMAGED where the entry would be written outside of the target */
    take(entry: CatalogEntry): Role | undefined {
      const { path } = entry
      // Its name may be cut short, and says nothing of where it is: what is beside it must not be refused for that.
      if (entry.undescribed !== undefined) {
        hasUndescribed = true // and may be a directory: what is in it comes after it
        return missing.delete(path) || isWanted(path) ? 'by hand' : undefined
      }
      const name = byteNameOf(entry)
      assertInVolume(name)
      const isInDirectory = directories.enter(name, entry.type)
      if (!isInDirectory && !hasUndescribed)
        throw notOurs(`the catalog has '${shortened(name)}', but not the directory that it is in`)
      missing.delete(path)
      if (isWanted(path)) return isInDirectory ? 'wanted' : 'by hand'
      if (candidates.length < CANDIDATES_MAX && [...missing].some((wanted) => isNear(path, wanted)))
        candidates.push(path)
      return ancestors.has(path) ? 'ancestor' : undefined
    },
    /** @throws AgentError UNKNOWN_PATH with the name that comes nearest */
    assertAllFound(): void {
      const [path] = missing
      if (path === undefined) return
      const near = findNear(path, candidates)
      const onHost = (name: string): string => pathOnHost(mountPoint, name)
      throw new AgentError('UNKNOWN_PATH', `'${onHost(path)}' is not in this backup of ${mountPoint}`, {
        hint: /[*?[]/.test(path)
          ? '--path takes no patterns: "snapstream find" does, and shows which paths match.'
          : `${near === undefined ? '' : `Did you mean '${onHost(near)}'? `}"snapstream find" shows which runs have it.`,
      })
    },
  }
}

/** In the same directory, or of the same name. */
function isNear(path: string, wanted: string): boolean {
  if (path === '.') return false
  const [directory, name] = split(path)
  const [wantedDirectory, wantedName] = split(wanted)
  return directory === wantedDirectory || name === wantedName
}

/** By their last names alone: what they have in common before that would bring anything near. */
function findNear(path: string, candidates: readonly string[]): string | undefined {
  const [, name] = split(path)
  const nearest = findNearest(
    name,
    candidates.map((candidate) => split(candidate)[1]),
  )
  return candidates.find((candidate) => split(candidate)[1] === nearest)
}

function split(path: string): [directory: string, name: string] {
  const slash = path.lastIndexOf('/')
  return [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)]
}

/** No archive of ours has such names; whoever made one wants to write elsewhere. */
function assertInVolume(name: string): void {
  if (name === '.' || !name.split('/').some((part) => part === '' || part === '.' || part === '..')) return
  throw notOurs(`the catalog has an entry that leads out of the volume: '${shortened(name)}'`)
}

/**
 * Each entry has to come after the directory that it is in, as tar goes down one directory at a time. One that does not is
 * to be written through something else: a link, or what happens to be in the target. The root comes once: a second one
 * would open what is being restored to its users before all of it is there.
 */
function directoriesSoFar() {
  const open: string[] = []
  let isRootSeen = false
  return {
    /** @returns false where that directory is not there */
    enter(name: string, type: EntryType): boolean {
      if (name === '.') {
        if (isRootSeen) throw notOurs("the catalog has the volume's root twice")
        isRootSeen = true
      } else {
        const depth = open.lastIndexOf(split(name)[0] || '.')
        if (depth < 0) return false
        open.length = depth + 1
      }
      if (type === 'directory') open.push(name)
      return true
    },
  }
}

function notOurs(message: string): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', message, {
    hint: 'Snapstream does not write such catalogs: find out who did, and restore from another run.',
  })
}
