/** Restores a volume to its place: what its archive has is extracted where only root gets at it, and moved from there. */
import { fchmodSync, fchownSync, lstatSync, unlinkSync } from 'node:fs'
import type { Deps } from '../context'
import { AgentError } from '../errors'
import { openUnlinkedFile } from '../host/unlinked-file.io'
import { tarExtract } from '../tar/commands'
import { pathBytes } from '../tar/entry'
import type { ConflictPolicy } from './conflicts'
import { FIRST_DESCRIPTOR, hasAttributes, inside, pathOf, statOfDirectory, type Directory } from './directory.io'
import { keepHeaders, setDirectories } from './directory-metadata.io'
import { extractPieces, type Extracted } from './extract-pieces.io'
import { moveIntoPlace } from './move-into-place.io'
import type { RestoreTask } from './restore-task'
import { takeStaging } from './staging.io'
import { isBare, isClosed } from './target.io'

/** Complaints that are told of; more help nobody. */
const COMPLAINTS_MAX = 20

/** The volume's root on this host, held open. */
export interface VolumePlace {
  readonly directory: Directory
  /** For messages: where it was when it was opened. */
  readonly name: string
}

export interface RestoreOptions {
  /** What becomes of names that are taken. */
  readonly onConflict: ConflictPolicy
  /** Where other filesystems belong in the volume. */
  readonly mountPoints: readonly string[]
  /** Goes on in a directory that an earlier restore has closed. */
  readonly goesOn: boolean
}

/**
 * Restores a volume into a directory.
 *
 * A directory that is bare is closed to all but root, and stays so: opening it again is up to the caller. Any other may be
 * changed by its users meanwhile, so that a path in it leads anywhere: what is restored to it is extracted aside, in a
 * directory that only root gets into, and moved into place one held directory after the other.
 *
 * @throws AgentError ARCHIVE_DAMAGED with the names of what is lost, TARGET_UNFIT where the disk did not take it all;
 * what was restored before stays there
 */
export async function restoreVolume(
  deps: Deps,
  task: RestoreTask,
  place: VolumePlace,
  options: RestoreOptions,
): Promise<Extracted> {
  deps.log.info(`restoring ${task.selection.volume.mountPoint} to ${place.name}: ${task.plan.entries} entries`)
  const isOurs = options.goesOn && isClosed(statOfDirectory(place.directory))
  if (!isOurs && !closeIfBare(place.directory, options.mountPoints)) return restoreAside(deps, task, place, options)
  const restored = await extractInto(deps, task, place.directory)
  await assertOnDisk(deps, place)
  return restored
}

/** Whoever could write to it can no longer; what they have left there until then shows afterwards. */
function closeIfBare(directory: Directory, mountPoints: readonly string[]): boolean {
  const { fd } = directory
  if (!isBare(pathOf(fd), mountPoints)) return false
  const { uid, gid, mode } = statOfDirectory(directory)
  fchownSync(fd, process.geteuid?.() ?? 0, process.getegid?.() ?? 0)
  fchmodSync(fd, 0o700)
  if (isBare(pathOf(fd), mountPoints)) return true
  fchownSync(fd, Number(uid), Number(gid))
  fchmodSync(fd, Number(mode & 0o7777n))
  return false
}

async function restoreAside(
  deps: Deps,
  task: RestoreTask,
  place: VolumePlace,
  { onConflict }: RestoreOptions,
): Promise<Extracted> {
  const before = statOfDirectory(place.directory)
  const { moved, ...extraction } = await moveFromStaging(deps, task, place, onConflict)
  await assertOnDisk(deps, place)
  const complaints = [...(extraction.complaint === '' ? [] : [extraction.complaint]), ...moved.complaints]
  // To make a directory there and remove it again has changed its time, which is for the archive to say, or stays.
  if (!extraction.root && !moved.changedTop) await setTime(deps, place.directory, before.mtimeNs)
  return { ...extraction, ok: extraction.ok && moved.complaints.length === 0, complaint: cap(complaints).join('\n') }
}

async function moveFromStaging(deps: Deps, task: RestoreTask, place: VolumePlace, onConflict: ConflictPolicy) {
  await using staging = await takeStaging(deps, place.directory)
  const extraction = await extractInto(deps, task, staging.tree)
  if (!extraction.ok) await dropUnfinished(task, staging.tree)
  await assertOnDisk(deps, place) // before anything is replaced by it
  await using headers = await openUnlinkedFile(pathOf(staging.tree.fd))
  const { places, complaints } = await keepHeaders(deps, staging.tree, task.plan.directories, headers)
  const moved = await moveIntoPlace(deps, staging.tree, place.directory, {
    onConflict,
    async headersOf(path) {
      const at = places.get(path)
      return at && (await headers.read(at.offset, at.bytes))
    },
  })
  return { ...extraction, moved: { ...moved, complaints: [...complaints, ...moved.complaints] } }
}

async function extractInto(deps: Deps, task: RestoreTask, directory: Directory): Promise<Extracted> {
  // What comes from FAT has none of what FAT cannot have; of anything else, tar is to complain.
  const withAttributes = task.selection.volume.filesystem !== 'vfat' || hasAttributes(directory)
  const argv = tarExtract(pathOf(FIRST_DESCRIPTOR), { withAttributes })
  return extractPieces(deps, task, argv, { descriptors: [directory.fd] })
}

/** A file that tar could not write to its end must not take the place of one that is whole, under none of its names. */
async function dropUnfinished({ plan, catalog }: RestoreTask, tree: Directory): Promise<void> {
  const renamed = new Map<number, Buffer>() // of a hard link that comes back alone
  for (const { renaming } of plan.pieces) if (renaming?.path) renamed.set(renaming.offset, renaming.path)
  const unfinished = new Set<number>() // inodes: hard links come after the file that they are links to
  for await (const entry of catalog.entries()) {
    if (entry.type !== 'file' && entry.type !== 'hardlink') continue
    const file = inside(tree, renamed.get(entry.offset) ?? pathBytes(entry))
    const stat = statIfThere(file)
    if (!stat?.isFile()) continue
    if (entry.type === 'file' && stat.size !== entry.size) unfinished.add(stat.ino)
    if (unfinished.has(stat.ino)) unlinkSync(file)
  }
}

function statIfThere(file: Buffer) {
  try {
    return lstatSync(file)
  } catch {
    return undefined // nor could it be made, then
  }
}

/** Node's own call knows no nanoseconds. */
async function setTime({ host, signal }: Deps, { fd }: Directory, mtimeNs: bigint): Promise<void> {
  const seconds = mtimeNs / 1_000_000_000n
  const date = `--date=@${seconds}.${String(mtimeNs % 1_000_000_000n).padStart(9, '0')}`
  await host.run(['touch', '--no-create', '--time=modify', date, pathOf(FIRST_DESCRIPTOR)], signal, {
    descriptors: [fd],
  })
}

/**
 * Gives the root of a volume what the archive has of it: the volume is opened to its users.
 *
 * @returns what tar complained of, or nothing
 */
export async function openToUsers(deps: Deps, { directory }: VolumePlace, root: Buffer): Promise<string> {
  return setDirectories(deps, [{ directory, headers: root }])
}

/** What tar wrote may still be in memory: a volume that is out of space, or a failing disk, shows only now. */
async function assertOnDisk({ host, signal }: Deps, { directory, name }: VolumePlace): Promise<void> {
  const argv = ['sync', '--file-system', pathOf(FIRST_DESCRIPTOR)] as const
  const { status, stderr } = await host.attempt(argv, signal, { descriptors: [directory.fd] })
  if (status === 0) return
  throw new AgentError('TARGET_UNFIT', `what was restored to ${name} is not all on disk: ${stderr.trim()}`, {
    hint:
      'The kernel log tells why: a thin pool that is full, or a failing disk. Remove the cause and restore all of it again, ' +
      'with --on-conflict overwrite: --resume would take what is in memory for what is on disk.',
  })
}

function cap(complaints: readonly string[]): readonly string[] {
  if (complaints.length <= COMPLAINTS_MAX) return complaints
  return [...complaints.slice(0, COMPLAINTS_MAX), `and ${complaints.length - COMPLAINTS_MAX} more`]
}
