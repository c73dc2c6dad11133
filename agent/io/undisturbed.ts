import type { Argv } from '../plan/command'
import type { HostDeps } from './deps'

/**
 * Runs an LVM command that changes something to its end, whoever wants to stop: killed between suspending a volume
 * and resuming it, it would leave everything that uses the volume hanging.
 *
 * @throws AgentError COMMAND_FAILED, or INTERRUPTED without having started
 */
export async function runUndisturbed({ host, signal }: HostDeps, argv: Argv): Promise<void> {
  signal.throwIfAborted()
  await host.run(argv, new AbortController().signal)
}
