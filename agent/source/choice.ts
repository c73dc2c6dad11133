/** Which source an operator wants for which filesystem: `--source`. */
import { SNAPSHOT_SOURCES, type SnapshotSourceName } from '../contract'
import type { MountedFilesystem } from './filesystems'

/** What may take the snapshot of a filesystem. */
export interface SourceChoice {
  /** For all filesystems that are not named: undefined leaves it to the sources. */
  readonly everywhere: SnapshotSourceName | undefined
  /** By mount point. */
  readonly named: ReadonlyMap<string, SnapshotSourceName>
}

/** The best there is for each filesystem. */
export const AUTOMATIC: SourceChoice = { everywhere: undefined, named: new Map() }

/** @param values - `auto`, the name of a source, or `/mount=source`, checked; the last one of each counts */
export function parseSourceChoice(values: readonly string[]): SourceChoice {
  let everywhere: SnapshotSourceName | undefined
  const named = new Map<string, SnapshotSourceName>()
  for (const value of values) {
    const at = value.lastIndexOf('=')
    const source = SNAPSHOT_SOURCES.find((name) => name === value.slice(at + 1))
    if (at < 0) everywhere = source
    else if (source) named.set(value.slice(0, at), source)
  }
  return { everywhere, named }
}

/** The source that somebody named for this filesystem, as opposed to all of them. */
export function namedSource(
  { named }: SourceChoice,
  { targets }: Pick<MountedFilesystem, 'targets'>,
): SnapshotSourceName | undefined {
  return targets.flatMap((target) => named.get(target) ?? [])[0]
}

/** Whether a source may take the snapshot of a filesystem. */
export function isAllowed(
  choice: SourceChoice,
  source: SnapshotSourceName,
  filesystem: Pick<MountedFilesystem, 'targets'>,
): boolean {
  const chosen = namedSource(choice, filesystem) ?? choice.everywhere
  return chosen === undefined || chosen === source
}
