/** Decides entry by entry what a restore brings back, from the catalog and what the target has already. */
import { AgentError } from '../errors'
import type { Archive } from '../plan/archive'
import type { CatalogEnd, CatalogEntry, CatalogFrames, EntryType } from '../plan/catalog'
import { compareEnd, isEnd, isEntry, isFrames } from '../plan/catalog-reader'
import { selectEntries, type Role } from '../plan/entry-selection'
import { joinFrameTable, type FrameTable, type RawRange } from '../plan/reads'
import {
  collectPieces,
  isWithin,
  pathBytes,
  planFetch,
  sizeOnDisk,
  type Piece,
  type VolumePlan,
  type Wanted,
} from '../plan/restore'
import type { ConflictPolicy } from '../plan/tar'
import { plannedEntries, type PlannedEntries } from './planned-entries'
import { readCatalog, readEntries } from './read-catalog'
import type { ReaderDeps } from './reader'
import type { Found, Target } from './restore-target'

export interface PlanOptions {
  readonly onConflict: ConflictPolicy
  /** Leaves out what is there already and equal: an earlier restore was interrupted. */
  readonly resume: boolean
  /** Ranges of the tar stream that cannot be read. */
  readonly lost: readonly RawRange[]
}

/** What is restored of a volume, what is not, and why. */
export interface PlannedVolume extends VolumePlan {
  readonly table: FrameTable
  /** The entries that the pieces are made of. */
  readonly planned: PlannedEntries
  /** Entries that the conflict policy or `resume` leaves alone, and those hidden by mounts. */
  readonly kept: number
  /** With policy `fail`: names that are taken. The first ones, for the message. */
  readonly conflicts: readonly string[]
  /** Entries that lie in ranges that cannot be read. */
  readonly lost: readonly string[]
  readonly lostRanges: readonly RawRange[]
  /** Entries to restore, the first ones. */
  readonly names: readonly string[]
  readonly types: Readonly<Partial<Record<EntryType, number>>>
}

/** Names that are told of; more help nobody. */
const NAMES_MAX = 20

/**
 * Reads the volume's catalog and plans its restore.
 *
 * @throws AgentError UNKNOWN_PATH with the names that come nearest, TARGET_UNFIT where the restore would lead out of the
 * target, ARCHIVE_DAMAGED
 */
export async function planVolume(
  deps: ReaderDeps,
  { volume, paths, mountPoints, restoredMountPoints }: Wanted,
  target: Target,
  options: PlanOptions,
): Promise<PlannedVolume> {
  const { archive } = volume
  for (const path of paths) target.throwUnlessContained(path)
  const selection = selectEntries(volume.mountPoint, paths)
  const choice = chooseEntries(target, options, selection.isWanted)
  const mounted = mountPoints.filter((path) => target.isMountPoint(path))
  // The volume has the directory that a mount hides, and what is in it; and not the root of what is mounted.
  const isHidden = (path: string): boolean =>
    mounted.some((mountPoint) => isWithin(path, mountPoint)) ||
    restoredMountPoints.some((mountPoint) => path !== mountPoint && isWithin(path, mountPoint))
  const frames: CatalogFrames[] = []
  for await (const line of readCatalog(deps, archive.catalog)) {
    if (isFrames(line)) frames.push(line)
    if (isEnd(line)) throwUnlessCounted(archive, line)
    if (!isEntry(line)) continue
    const role = selection.take(line)
    if (role === undefined) continue
    if (isHidden(line.path)) choice.keep(line)
    else choice.take(line, role)
  }
  selection.throwUnlessAllFound()
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
  const counts = { entries: 0, sizeBytes: 0, kept: 0 }
  const conflicts: string[] = []
  const lost: string[] = []
  const names: string[] = []
  const types: Partial<Record<EntryType, number>> = {}
  let next = 0

  const isLost = ({ type, offset, bytes, link }: CatalogEntry): boolean => {
    while ((options.lost[next]?.offset ?? Infinity) + (options.lost[next]?.bytes ?? 0) <= offset) next++
    const range = options.lost[next]
    return (range !== undefined && range.offset < offset + bytes) || (type === 'hardlink' && lostNames.has(link ?? ''))
  }

  const collect = (entry: CatalogEntry): void => {
    collected.add(entry)
    planned.add(entry)
  }

  return {
    links,
    planned,
    keep(entry: CatalogEntry): void {
      counts.kept++
      if (mayBeLinked(entry)) foreignNames.add(entry.path64 ?? entry.path)
    },
    take(entry: CatalogEntry, role: Role): void {
      if (isLost(entry)) {
        if (mayBeLinked(entry)) lostNames.add(entry.path)
        if (role === 'wanted') lost.push(entry.path)
        return
      }
      const found: Found = target.isFresh ? { state: 'absent' } : target.inspect(entry)
      if (role === 'ancestor' && found.state !== 'absent') return
      const decision = decide(entry, found, options)
      if (decision === 'keep') {
        counts.kept++
        if (mayBeLinked(entry) && found.state === 'different') foreignNames.add(entry.path64 ?? entry.path)
      } else if (decision === 'refresh') {
        counts.kept++
        collect(entry)
      } else if (decision === 'conflict') {
        if (conflicts.length < NAMES_MAX) conflicts.push(entry.path)
      } else {
        counts.entries++
        types[entry.type] = (types[entry.type] ?? 0) + 1
        if (names.length < NAMES_MAX) names.push(entry.path)
        counts.sizeBytes += sizeOnDisk(entry) - (found.state === 'absent' ? 0 : found.storedBytes)
        const data = entry.type === 'hardlink' ? (entry.link64 ?? entry.link ?? '') : undefined
        if (data === undefined || (isWanted(entry.link ?? '') && !foreignNames.has(data))) collect(entry)
        else if (links.has(data)) {
          planned.addRenamed(entry)
          collected.add(entry, { offset: entry.offset, link: memberName(links.get(data) as CatalogEntry) })
        } else links.set(data, entry)
      }
    },
    takeData(entry: CatalogEntry): void {
      const link = mayBeLinked(entry) ? links.get(entry.path64 ?? entry.path) : undefined
      if (!link) return
      counts.sizeBytes += sizeOnDisk(entry)
      planned.addRenamed(entry)
      outside.push({
        offset: entry.offset,
        bytes: entry.bytes,
        renaming: { offset: entry.offset, path: memberName(link) },
      })
    },
    pieces: (): Piece[] => {
      if (outside.length !== links.size) throw danglingLink([...links.values()])
      return [...collected.list(), ...outside].sort((a, b) => a.offset - b.offset)
    },
    counts: () => ({ ...counts, conflicts, lost, names, types, sizeBytes: Math.max(0, counts.sizeBytes) }),
  }
}

/** Whether hard links may name it: tar keeps those of symbolic links too, of nothing else. */
function mayBeLinked({ type }: CatalogEntry): boolean {
  return type === 'file' || type === 'symlink'
}

/** `refresh`: it is there and equal, but what is restored into it will change its time. */
type Decision = 'restore' | 'refresh' | 'keep' | 'conflict'

function decide(entry: CatalogEntry, found: Found, { onConflict, resume }: PlanOptions): Decision {
  if (found.state === 'absent') return 'restore'
  const isDone = found.state === 'equal' && (resume || onConflict === 'newer')
  if (isDone) return entry.type === 'directory' ? 'refresh' : 'keep'
  const bothDirectories = entry.type === 'directory' && found.isDirectory
  const policy = resume && onConflict === 'fail' ? 'overwrite' : onConflict
  if (policy === 'fail') return bothDirectories ? 'restore' : 'conflict'
  if (policy === 'overwrite') return 'restore'
  // What is kept in a directory's place must not lead what is restored below it to somewhere else.
  if (entry.type === 'directory' && !found.isDirectory) throw notADirectory(entry.path)
  return policy === 'newer' && !found.newer ? 'restore' : 'keep'
}

/** As the archive names it. */
function memberName(entry: CatalogEntry): Buffer {
  return Buffer.concat([Buffer.from('./'), pathBytes(entry)])
}

function notADirectory(path: string): AgentError {
  return new AgentError('TARGET_UNFIT', `'${path}' is a directory in the backup, and something else in the target`, {
    hint: 'Remove it, restore into another directory with --target, or replace it with --on-conflict overwrite.',
  })
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

function throwUnlessCounted(archive: Archive, end: CatalogEnd): void {
  const [difference] = compareEnd(end, archive)
  if (difference === undefined) return
  throw new AgentError('ARCHIVE_DAMAGED', `${archive.catalog.key} ${difference}`, {
    hint: 'It is not the catalog of this archive. Restore from another run, or by hand: docs/restore-by-hand.md.',
  })
}
