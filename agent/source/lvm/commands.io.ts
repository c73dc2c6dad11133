import type { Argv, HostDeps } from '../../context'
import { runUninterruptible } from '../../host/uninterruptible'

/**
 * LVM takes seconds. What takes longer waits for a device that does not answer, or for the lock of somebody who does
 * (design limit).
 */
export const LVM_TIMEOUT_SECONDS = 60

/**
 * Runs an LVM command to its end, whoever wants to stop: killed between suspending a volume and resuming it, it would leave
 * everything that uses the volume hanging. Throws as `runUninterruptible`.
 */
export async function changeLvm(deps: HostDeps, argv: Argv): Promise<void> {
  await runUninterruptible(deps, argv, LVM_TIMEOUT_SECONDS)
}
