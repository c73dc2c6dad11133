/** This process: who it runs as, and what stops it. */
import { AgentError } from '../errors'
import type { Argv } from '../context'

const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/**
 * Turns the first signal into an abort, so that whatever runs can clean up; a second one ends the process at once.
 *
 * @param exitStatus - of the process that did not wait for its clean-up
 * @param hint - what to do next
 */
export function listenForSignals(exitStatus: number, hint: string): AbortController {
  const interruption = new AbortController()
  let asked = false
  for (const name of STOP_SIGNALS) {
    process.on(name, () => {
      if (asked) process.exit(exitStatus)
      asked = true // not by the deadline, which may have come before: that was nobody's first word
      interruption.abort(new AgentError('INTERRUPTED', `stopped by ${name}`, { hint }))
    })
  }
  return interruption
}

/**
 * Stops the command when its time is over. A timer alone does not keep the process alive.
 *
 * @returns aborted just before the interruption, where it was this that stopped the command
 */
export function stopAfter(interruption: AbortController, seconds: number): AbortSignal {
  const deadline = new AbortController()
  const stop = () => {
    if (interruption.signal.aborted) return
    deadline.abort()
    interruption.abort(
      new AgentError('INTERRUPTED', `stopped by --deadline after ${seconds} s`, {
        hint: 'Give it more time, back up fewer volumes in one run, or raise --bandwidth-limit and --parallel.',
      }),
    )
  }
  setTimeout(stop, seconds * 1000).unref()
  return deadline.signal
}

/** How this program is started anew. */
export function ownProgram(): Argv {
  return [process.execPath, ...process.execArgv, process.argv[1] ?? '']
}

export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** What this process may still take, by the kernel's own estimate and the limit of its control group. */
export function availableMemoryBytes(): number {
  return process.availableMemory()
}

/** @throws AgentError NOT_ROOT */
export function assertRoot(command: string): void {
  if (isRoot()) return
  throw new AgentError('NOT_ROOT', `${command} has to run as root, not as user ${process.getuid?.() ?? 'unknown'}`, {
    hint: 'Snapshots, mounts and the files of all owners need root: use sudo.',
  })
}
