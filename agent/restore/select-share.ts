/** A share of a volume, whose entries come back and no others: parted by directories, as samples are. */
import { selectEntries, type Role } from '../archive/select-entries'
import { isInSample, type Sample } from '../verify/sample'
import { ancestorsOf, type CatalogEntry } from '../tar/entry'

/**
 * Tells for each entry of a catalog whether a restore of this share wants it. Memory grows with the number of directories of
 * the share.
 *
 * @param mountPoints - directories that have to be there: other volumes are restored to them
 */
export function selectShare(mountPoint: string, share: Sample, mountPoints: readonly string[]) {
  const whole = selectEntries(mountPoint, [])
  const needed = new Set(['.', ...mountPoints.flatMap((path) => [path, ...ancestorsOf(path)])])
  let lastDirectory = ''
  return {
    /** To be given every entry once, before any is taken: directories come before what is in them. */
    learn(entry: CatalogEntry): void {
      const { path } = entry
      const directory = path.slice(0, Math.max(0, path.lastIndexOf('/')))
      if (directory === lastDirectory || !isInSample(entry, share)) return
      lastDirectory = directory
      for (const above of ancestorsOf(path)) needed.add(above)
    },
    /** The data of a hard link may be in another part, so each link brings its own. */
    isWanted: () => false,
    /** @throws AgentError as `selectEntries` */
    take(entry: CatalogEntry): Role | undefined {
      const role = whole.take(entry)
      if (role === undefined || isInSample(entry, share)) return role
      return role === 'wanted' && needed.has(entry.path) ? 'ancestor' : undefined
    },
    assertAllFound: () => undefined,
  }
}
