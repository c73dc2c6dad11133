import { setTimeout as sleep } from 'node:timers/promises'
import type { HostDeps } from '../../context'
import { compareLock, describeLock, isSameFile, LSLOCKS, parseLslocks } from './package-locks'

const KERNEL = { timeoutSeconds: 30 }

const BETWEEN_LOOKS_MS = 2000

/**
 * Waits until no package manager is at work, for a while.
 *
 * @returns who still is, or undefined
 * @throws AgentError TOOL_MISSING, OUTPUT_UNREADABLE, COMMAND_FAILED, INTERRUPTED
 */
export async function waitForPackageManagers(deps: HostDeps, patienceSeconds: number): Promise<string | undefined> {
  const startedAt = performance.now()
  for (let told = false; ; told = true) {
    const holder = await findPackageManager(deps)
    if (holder === undefined || performance.now() - startedAt > patienceSeconds * 1000) return holder
    if (!told) deps.log.info(`waiting: ${holder}`)
    await sleep(BETWEEN_LOOKS_MS, undefined, { signal: deps.signal })
  }
}

/** Throws as `waitForPackageManagers`. */
export async function findPackageManager({ host, signal }: HostDeps): Promise<string | undefined> {
  for (const lock of parseLslocks(await host.run(LSLOCKS, signal, KERNEL))) {
    const { status, stdout } = await host.attempt(compareLock(lock), signal, KERNEL)
    // One of which nothing can be learnt counts: it may be gone the next time.
    if (status !== 0 || isSameFile(stdout)) return describeLock(lock)
  }
  return undefined
}
