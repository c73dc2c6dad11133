/**
 * Where the hard links of a restore get their data from. The archive has it once, under the name of the file that came
 * first; and that name may not be wanted, may stay as it is in the target, or may be lost.
 */
import { AgentError } from '../errors'
import type { CatalogEntry } from '../tar/entry'

export interface HardLinks {
  /** Does not come back: links to it are lost with it. */
  addUnreadable(entry: CatalogEntry): void
  /** What the target has under that name stays, and is not what was backed up: links get their data under their own names. */
  addKeptDifferent(entry: CatalogEntry): void
  /** Whether it is a link to what does not come back. */
  isUnreadable(entry: CatalogEntry): boolean
  /**
   * How a link comes back: as it is; with the data under its own name, which `takeData` finds; or linked to the one before
   * it that gets the data.
   */
  place(link: CatalogEntry): 'as it is' | 'with data' | CatalogEntry
  /** True where links wait for data that other entries have. */
  needData(): boolean
  /** @returns the link under whose name this entry's data comes back, if there is one */
  takeData(entry: CatalogEntry): CatalogEntry | undefined
  /** To be called when every entry was shown to `takeData`. @throws AgentError ARCHIVE_DAMAGED */
  assertAllFound(): void
}

/** @param isWanted - whether what has this path is restored under it */
export function hardLinks(isWanted: (path: string) => boolean): HardLinks {
  const unreadable = new Set<string>()
  const keptDifferent = new Set<string>()
  /** By the name that the archive has the data under. */
  const waiting = new Map<string, CatalogEntry>()
  let found = 0
  return {
    addUnreadable(entry) {
      if (mayBeLinked(entry)) unreadable.add(entry.path)
    },
    addKeptDifferent(entry) {
      if (mayBeLinked(entry)) keptDifferent.add(nameOf(entry))
    },
    isUnreadable: ({ type, link = '' }) => type === 'hardlink' && unreadable.has(link),
    place(link) {
      const name = link.link64 ?? link.link ?? ''
      if (isWanted(link.link ?? '') && !keptDifferent.has(name)) return 'as it is'
      const first = waiting.get(name)
      if (first) return first
      waiting.set(name, link)
      return 'with data'
    },
    needData: () => waiting.size > 0,
    takeData(entry) {
      const isDescribed = entry.undescribed === undefined
      const link = isDescribed && mayBeLinked(entry) ? waiting.get(nameOf(entry)) : undefined
      if (link) found++
      return link
    },
    assertAllFound() {
      if (found !== waiting.size) throw danglingLink([...waiting.values()])
    },
  }
}

/** Whether hard links may name it: tar keeps those of symbolic links too, of nothing else. */
function mayBeLinked({ type }: CatalogEntry): boolean {
  return type === 'file' || type === 'symlink'
}

/** Names need not be text. */
function nameOf({ path, path64 }: CatalogEntry): string {
  return path64 ?? path
}

function danglingLink([first]: readonly CatalogEntry[]): AgentError {
  return new AgentError(
    'ARCHIVE_DAMAGED',
    `'${first?.path ?? ''}' is a hard link to '${first?.link ?? ''}', which is not in the catalog`,
    { hint: 'Verify the run with "snapstream verify", and restore from another one.' },
  )
}
