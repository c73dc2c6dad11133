/** Decides entry by entry what a restore brings back, from the catalog and what the target has already. */
import { AgentError } from '../errors'
import { ownOffset } from '../archive/whole-archive'
import type { DistinctPaths } from '../archive/distinct-paths.io'
import { selectEntries } from '../archive/select-entries'
import { isWithin, type CatalogEntry } from '../tar/entry'
import { selectShare } from './select-share'
import { chooseEntries, type PlanOptions } from './choose-entries'
import type { VolumePlan } from './plan-tally'
import type { PlannedEntries } from './planned-entries.io'
import type { VolumeSelection } from './select-volumes'
import type { RestoreTarget } from './target.io'

/** The entries of a catalog, in its order, as often as they are asked for. */
export type Entries = () => Iterable<CatalogEntry> | AsyncIterable<CatalogEntry>

/** What a plan notes of the entries: digests, in little memory, with keys that nobody can guess. */
export interface PlanNotes {
  readonly planned: PlannedEntries
  readonly distinct: DistinctPaths
}

/**
 * Plans the restore of a volume. Goes through the entries once, and a second time where the data of hard links has to be
 * found.
 *
 * @throws AgentError UNKNOWN_PATH with the names that come nearest, TARGET_UNFIT where the restore would lead out of the
 * target, ARCHIVE_DAMAGED
 */
export async function planVolume(
  entries: Entries,
  selection: VolumeSelection,
  target: RestoreTarget,
  options: PlanOptions,
  { planned, distinct }: PlanNotes,
): Promise<VolumePlan> {
  const { paths, restoredMountPoints } = selection
  if (!options.review) for (const path of paths) target.assertContained(path)
  const selected = await select(entries, selection)
  const choice = chooseEntries(target, options, selected.isWanted, planned, ownOffset(selection.volume))
  const isHidden = hiddenBy(selection, target)
  for await (const entry of entries()) {
    assertPassable(entry, restoredMountPoints)
    const role = selected.take(entry)
    if (role === undefined) {
      choice.pass(entry)
      continue
    }
    if (role !== 'by hand') distinct.add(entry)
    if (isHidden(entry.path)) choice.skip(entry)
    else choice.take(entry, role)
  }
  selected.assertAllFound()
  await assertDistinct(entries, distinct)
  if (choice.needsData()) for await (const entry of entries()) choice.takeData(entry)
  return choice.plan()
}

async function select(entries: Entries, { volume, paths, restoredMountPoints, share }: VolumeSelection) {
  if (!share) return selectEntries(volume.mountPoint, paths)
  const selected = selectShare(volume.mountPoint, share, restoredMountPoints)
  for await (const entry of entries()) selected.learn(entry)
  return selected
}

/** The volume has the directory that a mount hides, and what is in it; and not the root of what is mounted. */
function hiddenBy(
  { mountPoints, restoredMountPoints }: VolumeSelection,
  target: RestoreTarget,
): (path: string) => boolean {
  const mounted = mountPoints.filter((path) => target.isMountPoint(path))
  return (path) =>
    mounted.some((mountPoint) => isWithin(path, mountPoint)) ||
    restoredMountPoints.some((mountPoint) => path !== mountPoint && isWithin(path, mountPoint))
}

function assertPassable({ path, type, undescribed }: CatalogEntry, restoredMountPoints: readonly string[]): void {
  if (type === 'directory' || undescribed !== undefined) return
  const mountPoint = restoredMountPoints.find((below) => isWithin(below, path))
  if (mountPoint === undefined) return
  throw new AgentError(
    'TARGET_UNFIT',
    `'${path}' is no directory in the backup, and another volume is restored to '${mountPoint}'`,
    { hint: 'Restore each volume into a directory of its own, with --volume and --target.' },
  )
}

async function assertDistinct(entries: Entries, paths: DistinctPaths): Promise<void> {
  const isTwice = paths.findTwice()
  if (!isTwice) return
  for await (const entry of entries()) {
    if (!isTwice(entry)) continue
    throw new AgentError('ARCHIVE_DAMAGED', `the catalog has '${entry.path}' twice`, {
      hint:
        'Snapstream writes no such archive of a sound filesystem: find out who did, and restore from another run. ' +
        'Paths that it has only once can be restored with --path.',
    })
  }
}
