import { neverAborted } from '../lib/never-aborted'
import type { HostDeps, Argv } from '../context'

/**
 * Runs a command that changes something to its end, whoever wants to stop: killed half-way, it would leave the host in
 * between. One that does not end in time is left running.
 *
 * @throws AgentError COMMAND_FAILED, or INTERRUPTED without having started
 */
export async function runUninterruptible(
  { host, signal }: HostDeps,
  argv: Argv,
  timeoutSeconds: number,
): Promise<void> {
  signal.throwIfAborted()
  await host.run(argv, neverAborted(), { timeoutSeconds, leaveRunning: true })
}
