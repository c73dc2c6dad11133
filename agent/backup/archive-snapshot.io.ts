/** Archives one volume's snapshot, whole or what has changed of it, proves the archive, and keeps the index of a full one. */
import { catalogKey, dataKey, removedKey, type RunKey } from '../contract'
import { FRAME_BYTES } from '../archive/archive'
import { CATALOG_FORMAT, DIFFERENTIAL_CATALOG_FORMAT } from '../archive/catalog'
import { archiveVolume } from '../archive/write.io'
import type { Bandwidth } from '../bucket/bandwidth.io'
import { planDifferential, type BetterFull, type DifferentialPlan } from '../changes/plan.io'
import type { Deps, Log } from '../context'
import type { Progress } from '../lib/progress.io'
import { counted, formatBytes } from '../lib/text'
import type { BackupRequest } from '../options/commands'
import { checkSnapshot, recordUpload } from '../source/sources.io'
import type { MountedSnapshot, SnapshotPlan } from '../source/source'
import { tarCreateListed } from '../tar/commands'
import { assertRootIsKept } from '../tar/tags'
import { joinWarnings, NO_WARNINGS, type Warnings } from '../tar/messages'
import type { Sample } from '../verify/sample'
import { chooseBase, READ_IN_PLACE, tagsOf, treeOf } from './choose-base.io'
import type { Archived } from './records'
import type { RunIndexes } from './run-indexes.io'
import { verifyAfterUpload } from './verify-after-upload.io'

/** What is archived, and how. */
export interface SnapshotWork {
  readonly request: BackupRequest
  readonly runKey: RunKey
  readonly plan: SnapshotPlan
  readonly mount: MountedSnapshot
  readonly takenAt: Date
  /** By volume: what is compared with the snapshot, where that is only a part. */
  readonly samples: ReadonlyMap<string, Sample>
  readonly indexes: RunIndexes
  readonly indexDirectory: string | undefined
  readonly bandwidth: Bandwidth | undefined
  readonly progress: Progress
}

/** @throws AgentError whatever keeps the archive from being good: nothing of it counts then */
export async function archiveSnapshot(deps: Deps, work: SnapshotWork): Promise<Archived> {
  const { request, runKey, plan, mount, takenAt } = work
  const { mountPoint, volume } = plan.origin
  await using chosen = new AsyncDisposableStack()
  const level = await chooseLevel(deps, work)
  const differential = level && 'base' in level ? chosen.use(level) : undefined
  const fullBecause = level && 'full' in level ? level.full : undefined
  if (fullBecause !== undefined) deps.log.info(`${mountPoint}: a full archive, since ${fullBecause}`)
  const tagged = differential?.tagged ?? mount.tagged
  if (tagged) assertRootIsKept(mountPoint, tagged)
  const tree = treeOf(plan, mount, request)
  const index = differential || !tree ? undefined : await work.indexes.draft(runKey.class, volume)

  let unconfirmed: string | undefined
  const { notes, removed, ...archive } = await archiveVolume(deps, {
    ...sourceOf(work, differential),
    takenAt,
    dataKey: (segment) => dataKey(runKey, volume, request.compression, segment),
    catalogKey: catalogKey(runKey, volume),
    compression: request.compression,
    compressionLevel: request.compressionLevel,
    ...(request.storageClass !== undefined && { storageClass: request.storageClass }),
    ...(work.bandwidth && { bandwidth: work.bandwidth }),
    ...(index && { onCatalog: index.takeCatalog }),
    onUpload: (upload) => recordUpload(deps, plan, upload),
    beforeComplete: () => checkSnapshot(deps, plan),
    onUnconfirmed: (key) => (unconfirmed = key),
    onProgress: (rawBytes) => work.progress.add(rawBytes),
  })
  const collected = [mount.warnings ?? NO_WARNINGS, notes.warnings]
  const proved = await verifyAfterUpload(
    deps,
    plan,
    { archive, base: differential?.base, removed },
    {
      verify: request.verify,
      mount,
      sample: work.samples.get(volume),
      unconfirmed,
      onWarnings: ({ count, lines }) =>
        collected.push({ count, lines: lines.map((line) => `while comparing: ${line}`) }),
    },
  )
  const warnings = joinWarnings(collected)
  logNotes(deps.log, mountPoint, warnings, notes.longPaths)
  // What hangs on a base hangs on all that is wrong with it.
  if (index && tree && warnings.count === 0 && unconfirmed === undefined) {
    const { uuid, filesystem } = plan.origin
    const header = {
      ...runKey,
      volume,
      uuid,
      filesystem,
      mountPoint,
      excludes: [...tree.excludes],
      tags: tagsOf(request),
    }
    await index.complete({ ...header, takenAt: takenAt.toISOString(), archive }, tree, deps.signal)
  }
  const leftOut = tagged ?? notes.tagged
  if (leftOut.count > 0)
    deps.log.info(`${mountPoint}: ${counted(leftOut.count, 'directory', 'directories')} left out by their tags`)
  return {
    source: mount.source,
    ...(mount.takenAt && { takenAt: mount.takenAt }),
    archive,
    ...(differential && { base: differential.base, tarCommand: tarCreateListed(plan.mountPoint) }),
    ...(removed && { removed }),
    ...(fullBecause !== undefined && { fullBecause }),
    ...proved,
    ...(unconfirmed !== undefined && { unconfirmed: true }),
    ...(warnings.count > 0 && { warnings }),
    ...(leftOut.count > 0 && { leftOut }),
    ...(notes.longPaths > 0 && { longPaths: notes.longPaths }),
    ...(notes.recentEntries !== undefined && { recentEntries: notes.recentEntries }),
  }
}

/** @returns what of the volume is archived; undefined where all of it was asked for */
async function chooseLevel(
  deps: Deps,
  { request, runKey, plan, mount, takenAt, indexDirectory }: SnapshotWork,
): Promise<DifferentialPlan | BetterFull | undefined> {
  if (request.level === 'full') return undefined
  const { origin } = plan
  if (mount.tree === undefined || !mount.tarListed) return { full: READ_IN_PLACE }
  const base = await chooseBase(deps, request, { runKey, origin, takenAt, directory: indexDirectory })
  if ('full' in base) return base
  await using index = base
  const tree = { directory: mount.tree, excludes: index.header.excludes, tags: index.header.tags }
  deps.log.info(`${origin.mountPoint}: looking for what has changed since ${index.header.run}`)
  const plannedOrFull = await planDifferential(index, tree, deps.signal)
  if ('base' in plannedOrFull) {
    const { entries, own, unchanged, removed, ownBytes } = plannedOrFull.counts
    deps.log.info(
      `${origin.mountPoint}: of ${counted(entries, 'entry', 'entries')}, ${unchanged} are as they were; archiving ${own} ` +
        `(${formatBytes(ownBytes)}), and ${removed} are gone`,
    )
  }
  return plannedOrFull
}

/** What is read, and what the catalog says of it. */
function sourceOf({ runKey, plan, mount }: SnapshotWork, differential: DifferentialPlan | undefined) {
  const { volume, mountPoint } = plan.origin
  const header = { run: runKey.run, host: runKey.host, volume, mountPoint, frameBytes: FRAME_BYTES }
  if (!differential || !mount.tarListed)
    return { tar: mount.tar, header: { catalog: CATALOG_FORMAT, ...header } } as const
  return {
    tar: mount.tarListed,
    header: { catalog: DIFFERENTIAL_CATALOG_FORMAT, ...header, base: differential.base.run },
    differential: { source: differential, removedKey: removedKey(runKey, volume) },
  } as const
}

function logNotes(log: Log, mountPoint: string, { count, lines }: Warnings, longPaths: number): void {
  if (count > 0) log.warn(`${mountPoint}: ${count} warnings, the archive is not complete: ${lines[0] ?? ''}`)
  if (longPaths > 0) {
    log.warn(`${mountPoint}: ${longPaths} paths longer than 4,096 bytes: only tar -C step by step restores them`)
  }
}
