/** Decides entry by entry what a restore brings back, from the catalog and what the target has already. */
import { AgentError } from '../errors'
import type { Archive } from '../archive/archive'
import type { CatalogFrames } from '../archive/catalog'
import { isEntry, isFrames } from '../archive/catalog-lines'
import { selectEntries, type Role } from '../archive/select-entries'
import { joinFrameTable, type FrameTable, collectPieces } from '../archive/frame-reads'
import { planFetch, type VolumePlan, type VolumeSelection } from './select-volumes'
import { names, type Names } from '../lib/long-names'
import { findUnrestorable } from '../verify/restorable'
import { decide, type ConflictOptions, type Found } from './conflicts'
import { distinctPaths, type DistinctPaths } from '../archive/distinct-paths.io'
import { plannedEntries, type PlannedEntries } from './planned-entries.io'
import { readCatalog, readEntries } from '../archive/read-catalog.io'
import type { ReaderDeps } from '../archive/read.io'
import type { Target } from './target.io'
import {
  type CatalogEntry,
  type EntryType,
  type RawRange,
  isWithin,
  linkBytes,
  pathBytes,
  sizeOnDisk,
  type Piece,
} from '../tar/entry'

export interface PlanOptions extends ConflictOptions {
  /** Ranges of the tar stream that cannot be read. */
  readonly lost: readonly RawRange[]
  /**
   * What is restored is extracted aside and moved into place. A hard link that is not among it has nothing to be linked
   * to there: its data comes with it.
   */
  readonly staged: boolean
}

/**
 * Longest name that a system call takes, its NUL left out (PATH_MAX in linux/limits.h), less what GNU tar puts in front of
 * it to set ACLs and attributes: `/proc/self/fd/NNNN/`. Longer paths can be made and archived directory by directory, but
 * tar extracts each entry by its whole name.
 */
const MEMBER_BYTES_MAX = 4095 - '/proc/self/fd/1023/'.length

/** What is restored of a volume, what is not, and why. */
export interface PlannedVolume extends VolumePlan {
  readonly table: FrameTable
  /** The entries that the pieces are made of. */
  readonly planned: PlannedEntries
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
  /** Entries to restore. */
  readonly names: Names
  /** What the first of the pieces has of the volume's root, which is restored last; 0 where that is not restored. */
  readonly rootBytes: number
  /** Directories that are there and are given the metadata that the archive has of them, the root left out. */
  readonly directories: readonly Buffer[]
  /** What all the entries take on the target before anything that they replace is gone. */
  readonly stagedBytes: number
  readonly types: Readonly<Partial<Record<EntryType, number>>>
}

/**
 * Reads the volume's catalog and plans its restore.
 *
 * @throws AgentError UNKNOWN_PATH with the names that come nearest, TARGET_UNFIT where the restore would lead out of the
 * target, ARCHIVE_DAMAGED
 */
export async function planVolume(
  deps: ReaderDeps,
  { volume, paths, mountPoints, restoredMountPoints }: VolumeSelection,
  target: Target,
  options: PlanOptions,
): Promise<PlannedVolume> {
  const { archive } = volume
  if (!options.review) for (const path of paths) target.assertContained(path)
  const selection = selectEntries(volume.mountPoint, paths)
  const choice = chooseEntries(target, options, selection.isWanted)
  const mounted = mountPoints.filter((path) => target.isMountPoint(path))
  const assertPassable = (entry: CatalogEntry): void => {
    if (entry.type === 'directory' || entry.undescribed !== undefined) return
    const mountPoint = restoredMountPoints.find((path) => isWithin(path, entry.path))
    if (mountPoint !== undefined) throw notPassable(entry.path, mountPoint)
  }
  // The volume has the directory that a mount hides, and what is in it; and not the root of what is mounted.
  const isHidden = (path: string): boolean =>
    mounted.some((mountPoint) => isWithin(path, mountPoint)) ||
    restoredMountPoints.some((mountPoint) => path !== mountPoint && isWithin(path, mountPoint))
  const frames: CatalogFrames[] = []
  const planned = distinctPaths()
  for await (const line of readCatalog(deps, archive.catalog, archive)) {
    if (isFrames(line)) frames.push(line)
    if (!isEntry(line)) continue
    assertPassable(line)
    const role = selection.take(line)
    if (role === undefined) continue
    if (role !== 'by hand') planned.add(line)
    if (isHidden(line.path)) choice.keep(line)
    else choice.take(line, role)
  }
  selection.assertAllFound()
  await assertDistinct(deps, archive, planned)
  if (choice.links.size > 0) {
    for await (const entry of readEntries(deps, archive)) choice.takeData(entry)
  }
  const pieces = choice.pieces()
  const table = joinFrameTable(archive, frames)
  return {
    volume,
    table,
    pieces,
    planned: choice.planned,
    fetch: planFetch(archive, table, pieces),
    lostRanges: options.lost,
    ...choice.counts(),
  }
}

function chooseEntries(target: Target, options: PlanOptions, isWanted: (path: string) => boolean) {
  const collected = collectPieces()
  const planned = plannedEntries()
  const outside: Piece[] = []
  /** Hard links whose data is under a name that is not restored, by that name. The first one gets the data. */
  const links = new Map<string, CatalogEntry>()
  /** What hard links may name and does not come back: they are lost with it. */
  const lostNames = new Set<string>()
  /** What hard links may name and stays though it is not what was backed up: their data comes back under their own names. */
  const foreignNames = new Set<string>()
  const counts = { entries: 0, sizeBytes: 0, stagedBytes: 0, kept: 0, rootBytes: 0 }
  const [conflicts, lost, tooLong, restoring] = [names(), names(), names(), names()]
  const [impossible, byHand] = [names(), names()]
  const directories: Buffer[] = []
  const types: Partial<Record<EntryType, number>> = {}
  let next = 0

  const isLost = ({ type, offset, bytes, link }: CatalogEntry): boolean => {
    while ((options.lost[next]?.offset ?? Infinity) + (options.lost[next]?.bytes ?? 0) <= offset) next++
    const range = options.lost[next]
    return (range !== undefined && range.offset < offset + bytes) || (type === 'hardlink' && lostNames.has(link ?? ''))
  }

  function collect(entry: CatalogEntry, found: Found): void {
    if (entry.path === '.') counts.rootBytes = entry.bytes
    else if (found.state !== 'absent' && found.isDirectory && entry.type === 'directory')
      directories.push(pathBytes(entry))
    add(entry)
  }

  function add(entry: CatalogEntry): void {
    collected.add(entry)
    planned.add(entry)
  }

  function restore(entry: CatalogEntry, found: Found): void {
    counts.entries++
    types[entry.type] = (types[entry.type] ?? 0) + 1
    restoring.add(entry.path)
    counts.sizeBytes += sizeOnDisk(entry) - (found.state === 'absent' ? 0 : found.storedBytes)
    counts.stagedBytes += sizeOnDisk(entry)
    const data = entry.type === 'hardlink' ? (entry.link64 ?? entry.link ?? '') : undefined
    if (data === undefined) collect(entry, found)
    else if (isWanted(entry.link ?? '') && !foreignNames.has(data)) {
      // What is there already must not lead the link to a file elsewhere.
      if (!target.isFresh && !options.review) target.assertContained(linkBytes(entry))
      add(entry)
    } else if (links.has(data)) {
      planned.addRenamed(entry)
      collected.add(entry, { offset: entry.offset, link: memberName(links.get(data) as CatalogEntry) })
    } else links.set(data, entry)
  }

  return {
    links,
    planned,
    keep(entry: CatalogEntry): void {
      counts.kept++
      if (mayBeLinked(entry)) foreignNames.add(entry.path64 ?? entry.path)
    },
    take(entry: CatalogEntry, role: Role): void {
      if (role === 'by hand') {
        if (mayBeLinked(entry)) lostNames.add(entry.path)
        byHand.add(entry.path)
        return
      }
      const unrestorable = findUnrestorable(entry)
      if (unrestorable !== undefined || isLost(entry)) {
        if (mayBeLinked(entry)) lostNames.add(entry.path)
        if (role !== 'wanted') return
        if (unrestorable === undefined) lost.add(entry.path)
        else impossible.add(`${entry.path}: ${unrestorable}, as Linux has none`)
        return
      }
      if (memberName(entry).length > MEMBER_BYTES_MAX) {
        if (mayBeLinked(entry)) foreignNames.add(entry.path64 ?? entry.path)
        tooLong.add(entry.path)
        return
      }
      const found: Found = target.isFresh ? { state: 'absent' } : target.inspect(entry)
      if (role === 'ancestor' && found.state !== 'absent') return
      const decision = decide(entry, found, options)
      if (decision === 'restore') restore(entry, found)
      else if (decision === 'conflict') conflicts.add(entry.path)
      else {
        counts.kept++
        if (decision === 'refresh') collect(entry, found)
        else if (mayBeLinked(entry) && (options.staged || found.state === 'different'))
          foreignNames.add(entry.path64 ?? entry.path)
      }
    },
    takeData(entry: CatalogEntry): void {
      const isDescribed = entry.undescribed === undefined
      const link = isDescribed && mayBeLinked(entry) ? links.get(entry.path64 ?? entry.path) : undefined
      if (!link) return
      counts.sizeBytes += sizeOnDisk(entry)
      planned.addRenamed(entry)
      counts.stagedBytes += sizeOnDisk(entry)
      outside.push({
        offset: entry.offset,
        bytes: entry.bytes,
        renaming: { offset: entry.offset, path: memberName(link) },
      })
    },
    pieces: (): Piece[] => {
      if (outside.length !== links.size) throw danglingLink([...links.values()])
      const pieces = [...collected.list(), ...outside].sort((a, b) => a.offset - b.offset)
      if (counts.rootBytes > 0 && pieces[0]?.offset !== 0) throw rootNotFirst()
      return pieces
    },
    counts: () => ({
      ...counts,
      sizeBytes: Math.max(0, counts.sizeBytes),
      ...{ conflicts, lost, tooLong, impossible, byHand, names: restoring, directories, types },
    }),
  }
}

/** Whether hard links may name it: tar keeps those of symbolic links too, of nothing else. */
function mayBeLinked({ type }: CatalogEntry): boolean {
  return type === 'file' || type === 'symlink'
}

/** As the archive names it. */
function memberName(entry: CatalogEntry): Buffer {
  return Buffer.concat([Buffer.from('./'), pathBytes(entry)])
}

function notPassable(path: string, mountPoint: string): AgentError {
  return new AgentError(
    'TARGET_UNFIT',
    `'${path}' is no directory in the backup, and another volume is restored to '${mountPoint}'`,
    { hint: 'Restore each volume into a directory of its own, with --volume and --target.' },
  )
}

function rootNotFirst(): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', "the archive does not begin with the volume's root", {
    hint: 'Snapstream does not write such archives: find out who did, and restore from another run.',
  })
}

async function assertDistinct(deps: ReaderDeps, archive: Archive, paths: DistinctPaths): Promise<void> {
  const isTwice = paths.findTwice()
  if (!isTwice) return
  for await (const entry of readEntries(deps, archive)) {
    if (!isTwice(entry)) continue
    throw new AgentError('ARCHIVE_DAMAGED', `the catalog has '${entry.path}' twice`, {
      hint:
        'Snapstream writes no such archive of a sound filesystem: find out who did, and restore from another run. ' +
        'What does not come twice can be restored with --path.',
    })
  }
}

function danglingLink(links: readonly CatalogEntry[]): AgentError {
  const [first] = links
  return new AgentError(
    'ARCHIVE_DAMAGED',
    `'${first?.path ?? ''}' is a hard link to '${first?.link ?? ''}', which is not in the catalog`,
    {
      hint: 'Verify the run with "snapstream verify", and restore from another one.',
    },
  )
}
