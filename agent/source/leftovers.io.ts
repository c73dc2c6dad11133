/** What killed runs left behind: mounts, snapshots, unfinished uploads. */
import { MOUNT_ROOT, Prefix } from '../contract'
import type { Deps, HostDeps, ListedUpload, UploadRef } from '../context'
import { describeError, hasCode } from '../errors'
import { readMounts } from '../host/filesystems.io'
import { selectAbandoned } from './abandoned'
import { unmount } from './mount.io'
import type { LeftoverSnapshot } from './source'
import { sourceOf, SOURCES } from './sources.io'

export interface LeftoverScope {
  /** Only find them. */
  readonly dryRun: boolean
  /** Where given, unfinished uploads of this class and host are looked for in the bucket, too. */
  readonly class?: string | undefined
  readonly host?: string | undefined
  /** Snapshots are looked for also where nothing on this host tells of any. */
  readonly everywhere?: boolean
}

/** What killed runs left behind. */
export interface Leftovers {
  /** Mount points, in the order to unmount them. */
  readonly mounts: readonly string[]
  readonly snapshots: readonly LeftoverSnapshot[]
  readonly uploads: readonly UploadRef[]
}

/** What was removed, or with `dryRun` would be. */
export interface Removal extends Leftovers {
  /** Why some of it is still there. */
  readonly leftBehind: readonly unknown[]
}

/**
 * Removes what killed runs left behind: mounts, snapshots, unfinished uploads. To be called with the lock held.
 *
 * @returns what was removed, and why some is still there: busy, or on a device that does not answer. An upload that
 * cannot be aborted only gets a warning: the bucket's lifecycle rule ends it in some days.
 * @throws AgentError where uploads cannot be looked for, with what is still on the host as failures of its clean-up
 */
export async function removeLeftovers(deps: Deps, scope: LeftoverScope): Promise<Removal> {
  const onHost = await findLeftovers(deps, scope.everywhere)
  const { leftBehind, ...removed } = scope.dryRun ? { ...onHost, leftBehind: [] } : await removeFromHost(deps, onHost)
  // Last, so that a bucket that cannot be reached keeps no snapshot on the host.
  const uploads = await findUploads(deps, scope, onHost).catch((error: unknown) => {
    throw leftBehind.reduce((first, later) => new SuppressedError(later, first), error)
  })
  const aborted = scope.dryRun ? uploads : await abortUploads(deps, uploads)
  return { ...removed, uploads: [...removed.uploads, ...aborted], leftBehind }
}

/** Looks for what bears our marks, and changes nothing. Throws as `surveyHost`. */
export async function findLeftovers(deps: HostDeps, everywhere = false): Promise<Leftovers> {
  const snapshots: LeftoverSnapshot[] = []
  for (const source of SOURCES) snapshots.push(...(await source.findLeftovers(deps, everywhere)))
  return {
    mounts: (await readMounts(deps))
      .map(({ target }) => target)
      .filter((target) => target.startsWith(`${MOUNT_ROOT}/`))
      .sort((a, b) => b.length - a.length),
    snapshots,
    uploads: snapshots.flatMap(({ uploads }) => uploads),
  }
}

/** Goes on after a failure. */
async function removeFromHost(deps: Deps, { mounts, snapshots, uploads }: Leftovers): Promise<Removal> {
  const leftBehind: unknown[] = []
  const removeAll = async <T>(all: readonly T[], remove: (one: T) => Promise<void>): Promise<T[]> => {
    const removed: T[] = []
    for (const one of all) {
      await remove(one).then(
        () => removed.push(one),
        (error: unknown) => leftBehind.push(error),
      )
    }
    return removed
  }
  return {
    // First, since the snapshots are what remembers them.
    uploads: await abortUploads(deps, uploads),
    mounts: await removeAll(mounts, (mountPoint) => unmount(deps, mountPoint)),
    snapshots: await removeAll(snapshots, (snapshot) => sourceOf(snapshot).removeLeftover(deps, snapshot)),
    leftBehind,
  }
}

/**
 * What killed runs left of uploads that no snapshot remembers. A host need not be allowed to list the bucket.
 *
 * Only what no run can still be at work on is one: another machine may have this host's name, or another container its
 * volumes.
 */
async function findUploads({ store, log, signal }: Deps, scope: LeftoverScope, known: Leftovers): Promise<UploadRef[]> {
  if (scope.class === undefined || scope.host === undefined) return []
  const listed: ListedUpload[] = []
  try {
    for (const prefix of [Prefix.data, Prefix.catalogs]) {
      for await (const upload of store.listUploads(`${prefix}/${scope.class}/${scope.host}/`, signal)) {
        if (!known.uploads.some(({ uploadId }) => uploadId === upload.uploadId)) listed.push(upload)
      }
    }
  } catch (error) {
    if (!hasCode(error, 'ACCESS_DENIED')) throw error
    log.debug('this host may not list unfinished uploads')
  }
  if (listed.length === 0) return []
  const { clockSkewSeconds } = await store.readFacts(signal) // the times are the server's
  return selectAbandoned(listed, Date.now() + clockSkewSeconds * 1000)
}

/** @returns those that are gone */
async function abortUploads(deps: Deps, uploads: readonly UploadRef[]): Promise<UploadRef[]> {
  const aborted: UploadRef[] = []
  for (const upload of uploads) if (await abortUpload(deps, upload)) aborted.push(upload)
  return aborted
}

async function abortUpload({ store, log, signal }: Deps, upload: UploadRef): Promise<boolean> {
  try {
    await store.abortUpload(upload, signal)
    log.debug(`aborted the upload of ${upload.key}`)
    return true
  } catch (error) {
    log.warn(`the upload of ${upload.key} could not be aborted: ${describeError(error).join(' ')}`)
    return false
  }
}
