/** Giving back mounts and snapshots: again and again while they are busy, and done already is done. */
import { setTimeout as sleep } from 'node:timers/promises'
import { SNAPSHOT_TAG } from '../contract'
import { AgentError } from '../errors'
import { FINDMNT, LVS, parseFindmnt, parseLvs } from '../plan/lvm'
import { lvremove, umount } from '../plan/snapshots'
import type { HostDeps } from './deps'

/** A reader that was just killed, or udev looking at a device, keeps it busy for moments only. */
const ATTEMPTS = 20
const BETWEEN_ATTEMPTS_MS = 500
/** A read-only filesystem has nothing to write back: whatever takes longer hangs. */
const UNMOUNT_TIMEOUT_SECONDS = 30

/** Removes a snapshot of ours, and nothing else that has its name. @throws AgentError CLEANUP_FAILED */
export async function removeSnapshot({ host, log }: HostDeps, group: string, name: string): Promise<void> {
  const signal = new AbortController().signal
  const isGone = async () => {
    const all = parseLvs(await host.run(LVS, signal))
    return !all.some((lv) => lv.group === group && lv.name === name && lv.tags.includes(SNAPSHOT_TAG))
  }
  if (await isGone()) return
  const complaint = await attemptUntil(async () => {
    const { status, stderr } = await host.attempt(lvremove(group, name), signal)
    return status === 0 || (await isGone()) ? undefined : stderr.trim()
  })
  if (complaint === undefined) {
    log.debug(`removed ${group}/${name}`)
    return
  }
  throw new AgentError('CLEANUP_FAILED', `the snapshot ${group}/${name} cannot be removed: ${complaint}`, {
    hint: `Find out who uses it with "lsof /dev/${group}/${name}", then run "snapstream cleanup".`,
  })
}

/** Unmounts, and removes the directories that were made for it. @throws AgentError CLEANUP_FAILED */
export async function unmount({ host, log }: HostDeps, mountPoint: string): Promise<void> {
  const signal = new AbortController().signal
  const isMounted = async () =>
    parseFindmnt(await host.run(FINDMNT, signal)).some(({ target }) => target === mountPoint)
  const complaint = await attemptUntil(async () => {
    if (!(await isMounted())) return undefined
    const { status, stderr } = await host.attempt(umount(mountPoint), signal, {
      timeoutSeconds: UNMOUNT_TIMEOUT_SECONDS,
    })
    return status === 0 && !(await isMounted()) ? undefined : stderr.trim()
  })
  if (complaint !== undefined) {
    throw new AgentError('CLEANUP_FAILED', `${mountPoint} cannot be unmounted: ${complaint}`, {
      hint: `Find out who uses it with "fuser --verbose --mount ${mountPoint}", then run "snapstream cleanup".`,
    })
  }
  log.debug(`unmounted ${mountPoint}`)
  // Its directory and those above it, as far as they are empty: nothing else is ever removed.
  await host.attempt(['rmdir', '--parents', '--ignore-fail-on-non-empty', '--', mountPoint], signal)
}

/** @returns undefined once an attempt returns that, otherwise what the last one complained of */
async function attemptUntil(attempt: () => Promise<string | undefined>): Promise<string | undefined> {
  for (let left = ATTEMPTS; ; left--) {
    const complaint = await attempt()
    if (complaint === undefined || left === 1) return complaint
    await sleep(BETWEEN_ATTEMPTS_MS)
  }
}
