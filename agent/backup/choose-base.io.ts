/** By what a volume is archived: a base that serves, or nothing, and why. Any doubt makes the archive a full one. */
import { manifestKey, type RunKey } from '../contract'
import { retrievalStateOf } from '../bucket/glacier'
import { describeError, hasCode } from '../errors'
import type { Deps } from '../context'
import type { Archive, StoredObject } from '../archive/archive'
import { findObstacle } from '../changes/choose-level'
import { excluder } from '../changes/excludes'
import { openIndex, type BaseIndex, type IndexHeader } from '../changes/index.io'
import type { BetterFull } from '../changes/plan.io'
import type { Tree } from '../changes/walk.io'
import { findInBase } from '../run/manifest-claims'
import type { BackupRequest } from '../options/commands'
import type { MountedSnapshot, SnapshotPlan, Volume } from '../source/source'
import { excludesWithin } from '../tar/commands'
import type { DirectoryTags } from '../tar/tags'

/** What decides. */
export type LevelRequest = Pick<
  BackupRequest,
  'fullEvery' | 'exclude' | 'excludeCaches' | 'excludeIfPresent' | 'compression' | 'verify'
>

/** What an index has to be of. */
export interface BaseRequest {
  readonly runKey: RunKey
  readonly origin: Volume
  /** Of the snapshot; when it would be taken, before it is. */
  readonly takenAt: Date
  /** Where indexes are kept: the usual place unless told. */
  readonly directory?: string | undefined
}

/** Of a source that nobody but tar sees the files of. */
export const READ_IN_PLACE = 'it is read in place, where nobody sees what has changed'

/**
 * Opens the index of a volume's last full archive, if a differential one may be made by it.
 *
 * @throws AgentError INTERRUPTED
 */
export async function chooseBase(
  deps: Pick<Deps, 'store' | 'signal' | 'log'>,
  request: LevelRequest,
  { runKey, origin, takenAt, directory }: BaseRequest,
): Promise<BaseIndex | BetterFull> {
  const { volume } = origin
  const excludes = excludesWithin(origin.mountPoint, request.exclude)
  if (!excluder(excludes)) return { full: 'a pattern of --exclude is one that tools read in different ways' }
  const index = await openIndex({ class: runKey.class, volume, ...(directory !== undefined && { directory }) })
  if ('unusable' in index) return { full: index.unusable }
  await using held = new AsyncDisposableStack()
  held.use(index)
  const { header } = index
  const obstacle =
    findObstacle(header, {
      ...runKey,
      ...origin,
      excludes,
      tags: tagsOf(request),
      compression: request.compression,
      takenAt,
      fullEverySeconds: request.fullEvery,
    }) ??
    contradictionIn(header, { volume, takenAt }, runKey) ??
    (await findGone(deps, header, request.verify))
  if (obstacle !== undefined) return { full: obstacle }
  held.move()
  return index
}

/** What of a volume's snapshot is walked through; undefined where nobody can. */
export function treeOf({ origin }: SnapshotPlan, { tree }: MountedSnapshot, request: LevelRequest): Tree | undefined {
  const excludes = excludesWithin(origin.mountPoint, request.exclude)
  return tree !== undefined && excluder(excludes) ? { directory: tree, excludes, tags: tagsOf(request) } : undefined
}

/** By which directories say that their contents are left out. */
export function tagsOf({
  excludeCaches,
  excludeIfPresent,
}: Pick<LevelRequest, 'excludeCaches' | 'excludeIfPresent'>): DirectoryTags {
  return { caches: excludeCaches, names: excludeIfPresent }
}

/** What no reader would take for a base must not become one. */
function contradictionIn(...given: Parameters<typeof findInBase>): string | undefined {
  const wrong = findInBase(...given)
  return wrong === undefined ? undefined : `its last full archive ${wrong}`
}

/** A host that may not look at its backups goes by what it has written. */
async function findGone(
  { store, signal, log }: Pick<Deps, 'store' | 'signal' | 'log'>,
  { archive, ...runKey }: IndexHeader,
  verify: LevelRequest['verify'],
): Promise<string | undefined> {
  const objects: readonly (Pick<StoredObject, 'key'> & { readonly sizeBytes?: number })[] = [
    { key: manifestKey(runKey) },
    ...objectsOf(archive),
  ]
  for (const { key, sizeBytes } of objects) {
    try {
      const head = await store.head(key, signal)
      if (sizeBytes !== undefined && head.sizeBytes !== sizeBytes) {
        return `of its last full archive, ${key} has ${head.sizeBytes} bytes, not ${sizeBytes}`
      }
      const readsBack = verify === 'stream' || verify === 'source'
      if (readsBack && retrievalStateOf(head.storageClass, head.restore) !== 'readable') {
        return `--verify ${verify} cannot read its last full archive, which is in ${head.storageClass}`
      }
    } catch (error) {
      if (hasCode(error, 'OBJECT_MISSING')) return `of its last full archive, ${key} is gone`
      signal.throwIfAborted()
      if (!hasCode(error, 'ACCESS_DENIED')) {
        return `whether its last full archive is there cannot be learnt: ${describeError(error)[0] ?? ''}`
      }
      log.debug(`this host may not look at its backups: whether ${key} is there is not known`)
      return undefined
    }
  }
  return undefined
}

function objectsOf({ segments, catalog }: Archive): readonly StoredObject[] {
  return [...segments, catalog]
}
