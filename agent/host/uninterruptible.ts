import { neverAborted } from '../lib/never-aborted'
import type { HostDeps, Argv } from '../context'

/**
 * LVM takes seconds. What takes longer waits for a device that does not answer, or for the lock of somebody who does
 * (design limit).
 */
export const LVM_TIMEOUT_SECONDS = 60

/**
 * Runs an LVM command that changes something to its end, whoever wants to stop: killed between suspending a volume
 * and resuming it, it would leave everything that uses the volume hanging. One that does not end is left running.
 *
 * @throws AgentError COMMAND_FAILED, or INTERRUPTED without having started
 */
export async function runUninterruptible({ host, signal }: HostDeps, argv: Argv): Promise<void> {
  signal.throwIfAborted()
  await host.run(argv, neverAborted(), { timeoutSeconds: LVM_TIMEOUT_SECONDS, leaveRunning: true })
}
