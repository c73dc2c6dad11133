/** Snapshots as leases: what is taken here is given back, and what a killed run could not give back is found again. */
import { Prefix } from '../../contract'
import { AgentError, describeError, hasCode } from '../../errors'
import { findLeftovers, formatUploadTag, selectAbandoned, type Leftovers } from './leftovers'
import { LVS, parseLvs, parseVgs, VGS, type HostStorage, type SnapshotState } from './reports'
import {
  DF,
  DF_INODES,
  FINDMNT,
  findmntWithIds,
  LSBLK,
  parseDf,
  parseFindmnt,
  parseLsblk,
  type Mount,
} from '../../host/mounts'
import { checkHealth, snapshotInvalid } from './health'
import { lvaddtag, type SnapshotPlan } from './plan'
import type { Deps, HostDeps, ListedUpload, UploadRef } from '../../context'
import { removeSnapshot, removeSnapshotIfOurs, unmount } from './teardown.io'
import { LVM_TIMEOUT_SECONDS, runUninterruptible } from '../../host/uninterruptible'
/** Reports of LVM. */
const LVM = { timeoutSeconds: LVM_TIMEOUT_SECONDS }
/** What the kernel answers at once, unless a device or a server does not answer it. */
const KERNEL = { timeoutSeconds: 30 }
/** The kernel replays a journal first: a full one takes minutes on slow disks, whatever takes longer hangs. */
const MOUNT_TIMEOUT_SECONDS = 600
/** Of several that are asked one after another. */
const DEVICE = { timeoutSeconds: 5 }

/**
 * Reads all that LVM, the mount table and the kernel say about this host's storage.
 *
 * @throws AgentError TOOL_MISSING where LVM is not installed, OUTPUT_UNREADABLE, COMMAND_FAILED
 */
export async function readStorage(deps: HostDeps): Promise<HostStorage> {
  const { host, signal } = deps
  const state = await readSnapshotState(deps)
  return {
    ...state,
    mounts: await readIds(deps, state.mounts),
    devices: parseLsblk(await host.run(LSBLK, signal, KERNEL)),
    usedBytes: parseDf((await host.attempt(DF, signal, KERNEL)).stdout),
  }
}

/** By device, of filesystems that can be backed up. Empty where df cannot tell. */
export async function readUsedInodes({ host, signal }: HostDeps): Promise<ReadonlyMap<string, number>> {
  return parseDf((await host.attempt(DF_INODES, signal, KERNEL)).stdout)
}

/** What the health of snapshots shows in. Throws as `readStorage`. */
export async function readSnapshotState({ host, signal }: HostDeps): Promise<SnapshotState> {
  return {
    logicalVolumes: parseLvs(await host.run(LVS, signal, LVM)),
    groups: parseVgs(await host.run(VGS, signal, LVM)),
    mounts: parseFindmnt(await host.run(FINDMNT, signal, KERNEL)),
  }
}

/**
 * Reading the ids of filesystems reads devices, one of which may not answer: then each is asked by itself, and that one
 * has no id.
 */
async function readIds({ host, signal, log }: HostDeps, mounts: readonly Mount[]): Promise<readonly Mount[]> {
  const all = await host.attempt(findmntWithIds(), signal, KERNEL)
  if (all.status === 0) return parseFindmnt(all.stdout)
  log.warn('a device does not answer: the ids of filesystems are read from each by itself')
  const found: Mount[] = []
  for (const source of new Set(mounts.map(({ source }) => source).filter((source) => source.startsWith('/dev/')))) {
    const one = await host.attempt(findmntWithIds(source), signal, DEVICE)
    if (one.status === 0) found.push(...parseFindmnt(one.stdout))
  }
  return mounts.map((mount) => ({ ...found.find(({ source }) => source === mount.source), ...mount }))
}

/** All snapshots of a run: a lease of each, and of all that are left. */
export interface Snapshots extends AsyncDisposable {
  /** Removes that one; a second time it does nothing. @throws AgentError CLEANUP_FAILED */
  release(plan: SnapshotPlan): Promise<void>
}

/**
 * Takes all snapshots back to back, so that together they show one moment.
 *
 * @returns a lease that removes them
 * @throws AgentError COMMAND_FAILED or INTERRUPTED, with none of them left
 */
export async function takeSnapshots(deps: HostDeps, plans: readonly SnapshotPlan[]): Promise<Snapshots> {
  await using taken = new AsyncDisposableStack()
  const releases = new Map<SnapshotPlan, () => Promise<void>>()
  for (const plan of plans) {
    const snapshot = { group: plan.origin.group, name: plan.name }
    let remove: typeof removeSnapshot | undefined = removeSnapshotIfOurs
    const release = async () => {
      const removeOnce = remove
      remove = undefined
      await removeOnce?.(deps, snapshot)
    }
    taken.defer(release) // before the command: one that fails may have done half of its work
    releases.set(plan, release)
    await runUninterruptible(deps, plan.create)
    remove = removeSnapshot
  }
  const all = taken.move()
  return {
    release: async (plan) => releases.get(plan)?.(),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/**
 * Mounts a snapshot read-only.
 *
 * @returns a lease that unmounts it, once
 * @throws AgentError MOUNT_FAILED
 */
export async function mountSnapshot(deps: HostDeps, plan: SnapshotPlan): Promise<AsyncDisposable> {
  const { mount, origin, device, mountPoint } = plan
  await using mounted = new AsyncDisposableStack()
  mounted.defer(() => unmount(deps, mountPoint)) // before the command: one that fails may have made directories
  try {
    await deps.host.run(mount, deps.signal, { timeoutSeconds: MOUNT_TIMEOUT_SECONDS })
  } catch (cause) {
    if (!hasCode(cause, 'COMMAND_FAILED')) throw cause
    throw new AgentError(
      'MOUNT_FAILED',
      `the snapshot of ${origin.mountPoint} cannot be mounted: ${(cause as Error).message}`,
      {
        hint:
          `"dmesg" says what the kernel found on ${device}. A journal on another device cannot be snapshotted; damage ` +
          `shows in a check of ${origin.device}.`,
        cause,
      },
    )
  }
  return mounted.move()
}

/**
 * Makes the snapshot remember an unfinished upload, so that whoever removes it aborts that, too. To be called before
 * the first part is sent.
 */
export async function recordUpload(deps: HostDeps, plan: SnapshotPlan, upload: UploadRef): Promise<void> {
  await runUninterruptible(deps, lvaddtag(plan.origin.group, plan.name, formatUploadTag(upload)))
}

/**
 * Checks that a snapshot still is what it was: to be called after the last byte was read from it, and before anybody
 * is told that the archive is good.
 *
 * @throws AgentError SNAPSHOT_INVALID
 */
export async function checkSnapshot(deps: HostDeps, plan: SnapshotPlan): Promise<void> {
  const fault = checkHealth(await readSnapshotState(deps), plan)
  if (fault !== undefined) throw snapshotInvalid(plan, fault)
}

export interface LeftoverScope {
  /** Only find them. */
  readonly dryRun: boolean
  /** Where given, unfinished uploads of this class and host are looked for in the bucket, too. */
  readonly class?: string | undefined
  readonly host?: string | undefined
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
  const onHost = findLeftovers(await readSnapshotState(deps))
  const { leftBehind, ...removed } = scope.dryRun ? { ...onHost, leftBehind: [] } : await removeFromHost(deps, onHost)
  // Last, so that a bucket that cannot be reached keeps no snapshot on the host.
  const uploads = await findUploads(deps, scope, onHost).catch((error: unknown) => {
    throw leftBehind.reduce((first, later) => new SuppressedError(later, first), error)
  })
  const aborted = scope.dryRun ? uploads : await abortUploads(deps, uploads)
  return { ...removed, uploads: [...removed.uploads, ...aborted], leftBehind }
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
    snapshots: await removeAll(snapshots, (snapshot) => removeSnapshot(deps, snapshot)),
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
