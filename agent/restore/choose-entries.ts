/** What becomes of each entry that a restore selects. */
import type { Role } from '../archive/select-entries'
import { linkBytes, type CatalogEntry, type RawRange } from '../tar/entry'
import { findUnrestorable } from '../verify/restorable'
import { decide, type ConflictOptions, type ExistingEntry } from './conflicts'
import { hardLinks } from './hard-links'
import { memberName, planTally, type VolumePlan } from './plan-tally'
import type { PlannedEntries } from './planned-entries.io'
import type { RestoreTarget } from './target.io'

/**
 * Longest name that a system call takes, its NUL left out (PATH_MAX in linux/limits.h), less what GNU tar puts in front of
 * it to set ACLs and attributes: `/proc/self/fd/NNNN/`. Longer paths can be made and archived directory by directory, but
 * tar extracts each entry by its whole name.
 */
const MEMBER_BYTES_MAX = 4095 - '/proc/self/fd/1023/'.length

export interface PlanOptions extends ConflictOptions {
  /** Ranges of the tar stream that cannot be read, in ascending order. */
  readonly lost: readonly RawRange[]
  /**
   * What is restored is extracted aside and moved into place. A hard link that is not among it has nothing to be linked
   * to there: its data comes with it.
   */
  readonly staged: boolean
}

export interface EntryChoice {
  /** Looks at an entry that is not selected: links that are may have their data there. To be called in the order of the archive. */
  pass(entry: CatalogEntry): void
  /** Leaves out what is hidden by a mount. */
  skip(entry: CatalogEntry): void
  /** To be called in the order of the archive. @throws AgentError TARGET_UNFIT where it would be written elsewhere */
  take(entry: CatalogEntry, role: Role): void
  /** Whether all entries have to be shown to `takeData` before there is a plan. */
  needsData(): boolean
  takeData(entry: CatalogEntry): void
  /** @throws AgentError ARCHIVE_DAMAGED where hard links lead nowhere, or the root does not come first */
  plan(): VolumePlan
}

/**
 * @param isWanted - whether what has this path is restored under it
 * @param planned - takes note of each entry that tar is given
 * @param ownFrom - where in the whole archive a differential one starts
 */
export function chooseEntries(
  target: RestoreTarget,
  options: PlanOptions,
  isWanted: (path: string) => boolean,
  planned: PlannedEntries,
  ownFrom = 0,
): EntryChoice {
  const links = hardLinks(isWanted)
  const isInLostRange = rangesOfStream(options.lost)
  const tally = planTally(planned, ownFrom)

  /** Tells of what cannot come back, whatever the target has. */
  function isRefused(entry: CatalogEntry, role: Role): boolean {
    if (role === 'by hand') {
      links.addUnreadable(entry)
      tally.told.byHand.add(entry.path)
      return true
    }
    const unrestorable = findUnrestorable(entry)
    if (unrestorable !== undefined || isInLostRange(entry) || links.isUnreadable(entry)) {
      links.addUnreadable(entry)
      if (role !== 'wanted') return true
      if (unrestorable === undefined) tally.told.lost.add(entry.path)
      else tally.told.impossible.add(`${entry.path}: ${unrestorable}, as Linux has none`)
      return true
    }
    if (memberName(entry).length <= MEMBER_BYTES_MAX) return false
    links.addKeptDifferent(entry)
    tally.told.tooLong.add(entry.path)
    return true
  }

  function restore(entry: CatalogEntry, existing: ExistingEntry): void {
    tally.restore(entry, existing)
    if (entry.type === 'hardlink') restoreLink(entry)
    else tally.asItIs(entry, existing)
  }

  function restoreLink(entry: CatalogEntry): void {
    const place = links.place(entry)
    if (place === 'with data') return
    if (place === 'as it is') {
      // What is there already must not lead the link to a file elsewhere.
      if (!target.isFresh && !options.review) target.assertContained(linkBytes(entry))
      tally.asItIs(entry)
    } else tally.linkedTo(entry, place)
  }

  return {
    pass(entry) {
      if (entry.undescribed !== undefined || isInLostRange(entry)) links.addUnreadable(entry)
    },
    skip(entry) {
      tally.skip()
      links.addKeptDifferent(entry)
    },
    take(entry, role) {
      if (isRefused(entry, role)) return
      const existing: ExistingEntry = target.isFresh ? { state: 'absent' } : target.inspect(entry)
      if (role === 'ancestor' && existing.state !== 'absent') return
      const decision = decide(entry, existing, options)
      if (decision === 'conflict') tally.told.conflicts.add(entry.path)
      else if (decision === 'restore') restore(entry, existing)
      else {
        tally.skip()
        if (decision === 'refresh') tally.asItIs(entry, existing)
        else if (options.staged || existing.state === 'different') links.addKeptDifferent(entry)
      }
    },
    needsData: () => links.needData(),
    takeData(entry) {
      const link = links.takeData(entry)
      if (link) tally.under(entry, link)
    },
    plan() {
      links.assertAllFound()
      return tally.plan(options.lost)
    },
  }
}

/** @returns whether an entry lies in one of the ranges, which ascend and do not overlap */
function rangesOfStream(ranges: readonly RawRange[]): (entry: CatalogEntry) => boolean {
  return ({ offset, bytes }) => {
    let [from, to] = [0, ranges.length] // of the first that ends behind the entry's start
    while (from < to) {
      const middle = Math.floor((from + to) / 2)
      const { offset: start, bytes: length } = ranges[middle] as RawRange
      if (start + length <= offset) from = middle + 1
      else to = middle
    }
    const range = ranges[from]
    return range !== undefined && range.offset < offset + bytes
  }
}
