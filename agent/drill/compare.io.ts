/** Holds what was restored against what it was restored from: the catalog, and the archive itself. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Deps } from '../context'
import { more } from '../lib/long-names'
import { counted } from '../lib/text'
import { FIRST_DESCRIPTOR, openWay, pathOf } from '../restore/directory.io'
import { extractPieces } from '../restore/extract-pieces.io'
import { planFrom } from '../restore/plan-tasks.io'
import type { RestoreTask } from '../restore/restore-task'
import { openTarget, type RestoreTarget } from '../restore/target.io'
import { tarCompare } from '../tar/commands'
import { pathOnHost, type CatalogEntry } from '../tar/entry'
import type { Problems } from './problems'

/** Of what tar says: whoever wants more restores it, and looks. */
const DIFFERENCES_BYTES_MAX = 16 * 1024
/** Lines of it that are told of. */
const DIFFERENCES_MAX = 10

/**
 * Compares a volume that was restored. Where another one was restored into it, that is passed over.
 *
 * @param aside - a directory of root's alone, outside of what was restored
 * @throws AgentError ARCHIVE_DAMAGED and whatever else keeps the archive from being read once more
 */
export async function compareVolume(deps: Deps, task: RestoreTask, aside: string, problems: Problems): Promise<void> {
  deps.log.info(`comparing ${task.selection.volume.mountPoint} with its catalog and its archive`)
  await compareWithCatalog(task, problems)
  if (task.plan.pieces.length > 0) await compareWithArchive(deps, task, aside, problems)
}

/** Paths, types, sizes, owners, modes, times and links. */
async function compareWithCatalog({ selection, catalog, target }: RestoreTask, problems: Problems): Promise<void> {
  const { mountPoint } = selection.volume
  // What a restore would still have to do is what is not as it should be.
  const rest = await planFrom(catalog, selection, asItWasLeft(target, selection.restoredMountPoints), {
    ...{ onConflict: 'overwrite', resume: true, staged: false, lost: [] },
    review: { keepDirectories: false },
  })
  const { count, first } = rest.names
  if (count === 0) return
  const named = [...first.slice(0, DIFFERENCES_MAX).map((path) => `'${pathOnHost(mountPoint, path)}'`)]
  const others = more({ count, first: named })
  problems.add(
    `${counted(count, 'entry', 'entries')} of ${mountPoint} not as the catalog says: ${[...named, ...(others === undefined ? [] : [others])].join(', ')}`,
  )
}

/** A directory with another volume in it looks like the root of that one. */
function asItWasLeft({ directory }: RestoreTarget, mountPoints: readonly string[]): RestoreTarget {
  const target = openTarget(directory)
  const covered = { state: 'equal', isDirectory: true, isSymlink: false, newer: false, storedBytes: 0 } as const
  return {
    ...target,
    isFresh: false, // an empty volume is nothing but its root, which is to be looked at
    inspect: (entry: CatalogEntry) => (mountPoints.includes(entry.path) ? covered : target.inspect(entry)),
  }
}

/** Content, too: the archive is read once more, and tar compares it. */
async function compareWithArchive(deps: Deps, task: RestoreTask, aside: string, problems: Problems): Promise<void> {
  const { volume, restoredMountPoints } = task.selection
  using directory = openWay(task.target.directory, { links: 'refuse', mode: 0o700 })
  await using differences = await open(join(aside, 'differences'), 'w+', 0o600)
  const { ok, complaint } = await extractPieces(deps, task, tarCompare(pathOf(FIRST_DESCRIPTOR), restoredMountPoints), {
    descriptors: [directory.fd],
    stdout: differences.fd,
  })
  const { buffer, bytesRead } = await differences.read({ buffer: Buffer.alloc(DIFFERENCES_BYTES_MAX), position: 0 })
  const lines = `${buffer.toString('utf8', 0, bytesRead)}\n${complaint}`
    .split('\n')
    .filter((line) => line.trim() !== '')
  if (ok && lines.length === 0) return
  const said = lines.length === 0 ? ['tar --compare failed without a message'] : lines
  for (const line of said.slice(0, DIFFERENCES_MAX)) problems.add(`${volume.mountPoint}: ${line}`)
  if (said.length > DIFFERENCES_MAX) problems.add(`${volume.mountPoint}: tar --compare found more differences`)
}
