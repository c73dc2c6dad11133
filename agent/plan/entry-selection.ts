/** Which entries of a catalog a restore wants. */
import { AgentError } from '../errors'
import type { CatalogEntry } from './catalog'
import { findNearest } from './nearest'
import { ancestorsOf, isWithin, pathOnHost } from './restore'

/** Names held against a path that is not in the catalog. */
const CANDIDATES_MAX = 10_000

/** An entry is wanted for itself, or because something below it is. */
export type Role = 'wanted' | 'ancestor'

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
  const isWanted = (path: string): boolean => paths.length === 0 || paths.some((wanted) => isWithin(path, wanted))
  return {
    isWanted,
    /** @throws AgentError ARCHIVE_DAMAGED where the entry would be written outside of the target */
    take({ path }: CatalogEntry): Role | undefined {
      throwIfOutside(path)
      missing.delete(path)
      if (isWanted(path)) return 'wanted'
      if (candidates.length < CANDIDATES_MAX && [...missing].some((wanted) => isNear(path, wanted)))
        candidates.push(path)
      return ancestors.has(path) ? 'ancestor' : undefined
    },
    /** @throws AgentError UNKNOWN_PATH with the name that comes nearest */
    throwUnlessAllFound(): void {
      const [path] = missing
      if (path === undefined) return
      const near = findNearest(path, candidates) ?? candidates[0]
      const onHost = (name: string): string => pathOnHost(mountPoint, name)
      throw new AgentError('UNKNOWN_PATH', `'${onHost(path)}' is not in this backup of ${mountPoint}`, {
        hint: `${near === undefined ? '' : `Did you mean '${onHost(near)}'? `}"snapstream find" tells which runs have it.`,
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

function split(path: string): [directory: string, name: string] {
  const slash = path.lastIndexOf('/')
  return [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)]
}

/** No archive of ours has such names; whoever made one wants to write elsewhere. */
function throwIfOutside(path: string): void {
  if (!path.startsWith('/') && !path.split('/').includes('..')) return
  throw new AgentError('ARCHIVE_DAMAGED', `the catalog has an entry that leads out of the volume: '${path}'`, {
    hint: 'Snapstream does not write such catalogs: find out who did, and restore from another run.',
  })
}
