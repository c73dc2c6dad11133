/** Adds up what is decided of a volume's entries, and makes the plan of it. */
import { AgentError } from '../errors'
import { collectPieces } from '../archive/frame-reads'
import { names, type Names } from '../lib/long-names'
import { pathBytes, sizeOnDisk, type CatalogEntry, type EntryType, type Piece, type RawRange } from '../tar/entry'
import type { ExistingEntry } from './conflicts'
import type { PlannedEntries } from './planned-entries.io'

/** What is restored of a volume, what is not, and why. */
export interface VolumePlan {
  /** Of the tar stream, in ascending order. */
  readonly pieces: readonly Piece[]
  /** The entries that the pieces are made of. */
  readonly planned: PlannedEntries
  /** Entries to restore: how many there are, and the names of the first. */
  readonly entries: number
  readonly names: Names
  readonly types: Readonly<Partial<Record<EntryType, number>>>
  /** What the entries take on the target once what they replace is gone. */
  readonly sizeBytes: number
  /** What they take before anything that they replace is gone. */
  readonly stagedBytes: number
  /** What the first of the pieces has of the volume's root, which is restored last; 0 where that is not restored. */
  readonly rootBytes: number
  /** Directories that are there and are given the metadata that the archive has of them, the root left out. */
  readonly directories: readonly Buffer[]
  /** Entries that the conflict policy or `resume` leaves alone, and those hidden by mounts. */
  readonly kept: number
  /** With policy `fail`: names that are taken. */
  readonly conflicts: Names
  /** Entries that lie in ranges that cannot be read. */
  readonly lost: Names
  readonly lostRanges: readonly RawRange[]
  /** Entries whose paths are longer than the kernel takes: no command can make them by name. */
  readonly tooLong: Names
  /** Entries that are such as Linux has none, each with the reason. */
  readonly impossible: Names
  /** Entries that the catalog does not describe, and what is in directories that it does not. */
  readonly byHand: Names
}

/**
 * @param planned - takes note of each entry that tar is given
 * @param ownFrom - where in the whole archive a differential one starts: it has every directory
 */
export function planTally(planned: PlannedEntries, ownFrom = 0) {
  const collected = collectPieces()
  /** The data of hard links, which need not lie among the rest. */
  const outside: Piece[] = []
  const counts = { entries: 0, sizeBytes: 0, stagedBytes: 0, kept: 0, rootBytes: 0 }
  const told = { conflicts: names(), lost: names(), tooLong: names(), impossible: names(), byHand: names() }
  const restoring = names()
  const directories: Buffer[] = []
  const types: Partial<Record<EntryType, number>> = {}

  function addSize(entry: CatalogEntry): void {
    counts.sizeBytes += sizeOnDisk(entry)
    counts.stagedBytes += sizeOnDisk(entry)
  }

  return {
    /** The first names, by why they are told of. */
    told,
    /** Stays as the target has it. */
    skip(): void {
      counts.kept++
    },
    /** Comes back, in one of the ways below. */
    restore(entry: CatalogEntry, existing: ExistingEntry): void {
      counts.entries++
      types[entry.type] = (types[entry.type] ?? 0) + 1
      restoring.add(entry.path)
      addSize(entry)
      if (existing.state !== 'absent') counts.sizeBytes -= existing.storedBytes
    },
    /** As the archive has it. */
    asItIs(entry: CatalogEntry, existing?: ExistingEntry): void {
      if (entry.path === '.') counts.rootBytes = entry.bytes
      else if (entry.type === 'directory' && isDirectory(existing)) directories.push(pathBytes(entry))
      collected.add(entry)
      planned.add(entry)
    },
    /** As a hard link to another name than in the archive. */
    linkedTo(entry: CatalogEntry, other: CatalogEntry): void {
      planned.addRenamed(entry)
      collected.add(entry, { offset: entry.offset, link: memberName(other) })
    },
    /** As data under the name of a hard link. */
    under(entry: CatalogEntry, link: CatalogEntry): void {
      addSize(entry)
      planned.addRenamed(entry)
      const { offset, bytes } = entry
      outside.push({ offset, bytes, renaming: { offset, path: memberName(link) } })
    },
    /** @throws AgentError ARCHIVE_DAMAGED where the root is restored and is not the first entry */
    plan(lost: readonly RawRange[]): VolumePlan {
      const pieces = placeAmong(collected.list(), outside, ownFrom)
      if (counts.rootBytes > 0 && pieces[0]?.offset !== ownFrom) throw rootNotFirst()
      return {
        ...{ pieces, planned, ...counts, ...told, names: restoring, types, directories },
        sizeBytes: Math.max(0, counts.sizeBytes),
        lostRanges: lost,
      }
    },
  }
}

/**
 * Puts pieces among others that are in the order of the entries, so that those of the base and those of the differential
 * archive still ascend, each by themselves: a stream is read forwards.
 */
function placeAmong(pieces: readonly Piece[], others: readonly Piece[], ownFrom: number): Piece[] {
  if (others.length === 0) return [...pieces]
  const isOwn = ({ offset }: Piece): boolean => offset >= ownFrom
  const [base, own]: [Piece[], Piece[]] = [[], []]
  for (const piece of others.toSorted((a, b) => b.offset - a.offset)) (isOwn(piece) ? own : base).push(piece)
  const placed: Piece[] = []
  for (const piece of pieces) {
    const waiting = isOwn(piece) ? own : base
    for (let next = waiting.at(-1); next && next.offset < piece.offset; next = waiting.at(-1)) {
      placed.push(next)
      waiting.pop()
    }
    placed.push(piece)
  }
  return [...placed, ...base.reverse(), ...own.reverse()]
}

/** As the archive names it. */
export function memberName(entry: CatalogEntry): Buffer {
  return Buffer.concat([Buffer.from('./'), pathBytes(entry)])
}

function isDirectory(existing: ExistingEntry | undefined): boolean {
  return existing !== undefined && existing.state !== 'absent' && existing.isDirectory
}

function rootNotFirst(): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', "the archive does not begin with the volume's root", {
    hint: 'Snapstream does not write such archives: find out who did, and restore from another run.',
  })
}
