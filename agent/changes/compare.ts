/** Holds what is on a volume now against its base, entry by entry in tar's order: what is new, changed, as it was, gone. */
import type { IndexRecord } from './index-record'
import type { Walked } from './walked'

export interface Comparison {
  /**
   * To be asked of each entry of the volume.
   *
   * @param before - the entry of that key in the base
   * @returns whether it is as it was, and need not be archived again; directories always are
   */
  isAsItWas(walked: Walked, before: IndexRecord | undefined): boolean
  /** To be told of each entry of the base that is gone. */
  takeGone(before: IndexRecord): void
  /** Inodes of which some names are archived or gone and others are as they were: they are to be `whole` in another comparison. */
  torn(): ReadonlySet<string>
}

/** @param whole - inodes all names of which are to be archived */
export function compareWithBase(whole: ReadonlySet<string> = new Set()): Comparison {
  const archived = new Set<string>()
  const kept = new Set<string>()
  // A name may go without a trace at the inode: with a directory that was moved to where nothing is archived. The base's entry of
  // another name may be a link to it, and would lead nowhere, or to what has that name now.
  const takeGone = (before: IndexRecord): void => {
    const inode = inodeOfLinked(before.facts)
    if (inode !== undefined) archived.add(inode)
  }
  return {
    takeGone,
    isAsItWas({ facts }, before) {
      if (before && before.facts !== facts) takeGone(before)
      if (facts.startsWith('d')) return false
      const inode = inodeOfLinked(facts)
      const asItWas = before?.facts === facts && (inode === undefined || !whole.has(inode))
      if (inode !== undefined) (asItWas ? kept : archived).add(inode)
      return asItWas
    },
    torn: () => new Set([...archived].filter((inode) => kept.has(inode))),
  }
}

/** Undefined where the inode has no other name, is a directory, or the facts are in doubt: so are they of all its names then. */
function inodeOfLinked(facts: string): string | undefined {
  if (facts.startsWith('d') || !facts.includes(' ')) return undefined
  const start = facts.indexOf(' ') + 1
  const end = facts.indexOf(' ', start)
  return facts.startsWith(' 1 ', end) ? undefined : facts.slice(start, end)
}
