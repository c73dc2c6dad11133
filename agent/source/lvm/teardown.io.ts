/**
 * Giving back mounts and snapshots: again and again while they are busy, and done already is done. Nothing here waits
 * for ever: a device that does not answer must not keep the run from its end.
 */
import { neverAborted } from '../../lib/never-aborted'
import { setTimeout as sleep } from 'node:timers/promises'
import { SNAPSHOT_TAG } from '../../contract'
import { AgentError, describeError } from '../../errors'
import type { SnapshotRef } from './leftovers'
import { LVS, parseLvs, type LogicalVolume } from './reports'
import { FINDMNT, parseFindmnt } from '../../host/mounts'
import { lvremove, umount, umountLazily } from './plan'
import type { HostDeps, CommandResult } from '../../context'
import { LVM_TIMEOUT_SECONDS } from '../../host/uninterruptible'

/** A reader that was just killed, or udev looking at a device, keeps it busy for moments only. */
const BUSY_SECONDS_MAX = 10
const BETWEEN_ATTEMPTS_MS = 500
/** A read-only filesystem has nothing to write back: whatever takes longer hangs. */
const UNMOUNT_TIMEOUT_SECONDS = 15

/**
 * Removes a snapshot that is known to be ours, by its name. That it is gone is believed only of LVM itself: of the
 * command that removed it, or of a report that is understood.
 *
 * @throws AgentError CLEANUP_FAILED
 */
export async function removeSnapshot(deps: HostDeps, { group, name }: SnapshotRef): Promise<void> {
  const complaint = await attemptUntil(async () => {
    // Left running where it does not end: half of a removal is worse than a late one.
    const options = { timeoutSeconds: LVM_TIMEOUT_SECONDS, leaveRunning: true }
    const result = await deps.host.attempt(lvremove(group, name), neverAborted(), options)
    if (result.status === 0) return undefined
    return (await listSnapshot(deps, { group, name })) ? complaintOf(result) : undefined
  })
  if (complaint === undefined) {
    deps.log.debug(`removed ${group}/${name}`)
    return
  }
  throw new AgentError('CLEANUP_FAILED', `the snapshot ${group}/${name} cannot be removed: ${complaint.text}`, {
    hint:
      `Find out who uses it with "lsof /dev/${group}/${name}", and whether "dmsetup info" calls a device of it SUSPENDED; ` +
      'then run "snapstream cleanup".',
  })
}

/** Removes what a failed command may have made, where it bears our tag: somebody else's of that name is not touched. */
export async function removeSnapshotIfOurs(deps: HostDeps, snapshot: SnapshotRef): Promise<void> {
  const found = await listSnapshot(deps, snapshot)
  if (found?.tags.includes(SNAPSHOT_TAG)) await removeSnapshot(deps, snapshot)
}

async function listSnapshot({ host }: HostDeps, { group, name }: SnapshotRef): Promise<LogicalVolume | undefined> {
  const all = parseLvs(await host.run(LVS, neverAborted(), { timeoutSeconds: LVM_TIMEOUT_SECONDS }))
  return all.find((lv) => lv.group === group && lv.name === name)
}

/**
 * Unmounts, and removes the directories that were made for it. What stays busy is detached at least: it is read-only, and
 * its snapshot cannot be removed before its last user has gone.
 *
 * @throws AgentError CLEANUP_FAILED
 */
export async function unmount(deps: HostDeps, mountPoint: string): Promise<void> {
  const { host, log } = deps
  const options = { timeoutSeconds: UNMOUNT_TIMEOUT_SECONDS }
  const complaint = await attemptUntil(async () => {
    if (!(await isMounted(deps, mountPoint))) return undefined
    const result = await host.attempt(umount(mountPoint), neverAborted(), options)
    return result.status === 0 && !(await isMounted(deps, mountPoint)) ? undefined : complaintOf(result)
  })
  if (complaint !== undefined) {
    log.warn(`${mountPoint} is busy, and detached while it is: ${complaint.text}`)
    await host.attempt(umountLazily(mountPoint), neverAborted(), options)
    if (await isMounted(deps, mountPoint)) throw stillMounted(mountPoint, complaint)
  }
  log.debug(`unmounted ${mountPoint}`)
  // Its directory and those above it, as far as they are empty: nothing else is ever removed.
  await host.attempt(['rmdir', '--parents', '--ignore-fail-on-non-empty', '--', mountPoint], neverAborted(), options)
}

async function isMounted({ host }: HostDeps, mountPoint: string): Promise<boolean> {
  const mounts = parseFindmnt(await host.run(FINDMNT, neverAborted(), { timeoutSeconds: UNMOUNT_TIMEOUT_SECONDS }))
  return mounts.some(({ target }) => target === mountPoint)
}

function stillMounted(mountPoint: string, complaint: Complaint): AgentError {
  return new AgentError('CLEANUP_FAILED', `${mountPoint} cannot be unmounted: ${complaint.text}`, {
    hint: `Find out who uses it with "fuser --verbose --mount ${mountPoint}", then run "snapstream cleanup".`,
  })
}

interface Complaint {
  readonly text: string
  /** Another attempt would hang as this one did. */
  readonly hangs: boolean
}

function complaintOf({ stderr, hangs }: CommandResult): Complaint {
  return hangs ? { text: 'the command does not end', hangs } : { text: stderr.trim(), hangs: false }
}

/** @returns undefined once an attempt returns that, otherwise what the last one complained of */
async function attemptUntil(attempt: () => Promise<Complaint | undefined>): Promise<Complaint | undefined> {
  const startedAt = performance.now()
  for (;;) {
    const complaint = await attempt().catch((error: unknown) => ({
      text: describeError(error).join(' '),
      hangs: false,
    }))
    if (!complaint || complaint.hangs || performance.now() - startedAt > BUSY_SECONDS_MAX * 1000) return complaint
    await sleep(BETWEEN_ATTEMPTS_MS)
  }
}
