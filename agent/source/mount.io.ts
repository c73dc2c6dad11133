/**
 * Mounting the devices of snapshots, and giving the mounts back. Nothing here waits for ever: a device that does not answer
 * must not keep the run from its end.
 */
import { AgentError, hasCode } from '../errors'
import type { Argv, HostDeps } from '../context'
import { FINDMNT, parseFindmnt } from '../host/mounts'
import { neverAborted } from '../lib/never-aborted'
import { umount, umountLazily } from './mount'
import { attemptUntil, failedAttempt, type FailedAttempt } from './patience.io'
import type { DeviceSnapshotPlan } from './source'

/** The kernel replays a journal first: a full one takes minutes on slow disks, whatever takes longer hangs. */
const MOUNT_TIMEOUT_SECONDS = 600
/** A read-only filesystem has nothing to write back: whatever takes longer hangs. */
const UNMOUNT_TIMEOUT_SECONDS = 15

/**
 * Mounts the device of a snapshot read-only.
 *
 * @returns a lease that unmounts it, once
 * @throws AgentError MOUNT_FAILED
 */
export async function mountDevice(deps: HostDeps, plan: DeviceSnapshotPlan): Promise<AsyncDisposable> {
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
 * Unmounts, and removes the directories that were made for it. What stays busy is detached at least: it is read-only, and
 * its snapshot cannot be removed before its last user has gone.
 *
 * @throws AgentError CLEANUP_FAILED
 */
export async function unmount(deps: HostDeps, mountPoint: string): Promise<void> {
  const { host, log } = deps
  const options = { timeoutSeconds: UNMOUNT_TIMEOUT_SECONDS }
  const failed = await attemptUntil(async () => {
    if (!(await isMounted(deps, mountPoint))) return undefined
    const result = await host.attempt(umount(mountPoint), neverAborted(), options)
    return result.status === 0 && !(await isMounted(deps, mountPoint)) ? undefined : failedAttempt(result)
  })
  if (failed !== undefined) {
    log.warn(`${mountPoint} is busy, and detached while it is: ${failed.text}`)
    await host.attempt(umountLazily(mountPoint), neverAborted(), options)
    if (await isMounted(deps, mountPoint)) throw stillMounted(mountPoint, failed)
  }
  log.debug(`unmounted ${mountPoint}`)
  await removeMountPoint(deps, mountPoint)
}

/** Its directory and those above it, as far as they are empty: nothing else is ever removed. */
export async function removeMountPoint({ host }: HostDeps, mountPoint: string): Promise<void> {
  const argv: Argv = ['rmdir', '--parents', '--ignore-fail-on-non-empty', '--', mountPoint]
  await host.attempt(argv, neverAborted(), { timeoutSeconds: UNMOUNT_TIMEOUT_SECONDS })
}

/**
 * Whether a device is still what is seen at a mount point. Where it is not, tar finds an empty directory, and succeeds: to be
 * asked after the last byte was read.
 *
 * @param deviceNumber - `259:1`
 * @param within - the same command, where the mount point is seen; on the host unless told
 */
export async function shows(
  { host, signal }: HostDeps,
  mountPoint: string,
  deviceNumber: string,
  within: (argv: Argv) => Argv = (argv) => argv,
): Promise<boolean> {
  const { status, stdout } = await host.attempt(within(FINDMNT), signal, { timeoutSeconds: UNMOUNT_TIMEOUT_SECONDS })
  if (status !== 0) return false
  return parseFindmnt(stdout).findLast(({ target }) => target === mountPoint)?.deviceNumber === deviceNumber
}

async function isMounted({ host }: HostDeps, mountPoint: string): Promise<boolean> {
  const mounts = parseFindmnt(await host.run(FINDMNT, neverAborted(), { timeoutSeconds: UNMOUNT_TIMEOUT_SECONDS }))
  return mounts.some(({ target }) => target === mountPoint)
}

function stillMounted(mountPoint: string, failed: FailedAttempt): AgentError {
  return new AgentError('CLEANUP_FAILED', `${mountPoint} cannot be unmounted: ${failed.text}`, {
    hint: `Find out who uses it with "fuser --verbose --mount ${mountPoint}", then run "snapstream cleanup".`,
  })
}
