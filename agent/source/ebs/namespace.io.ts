/**
 * A mount namespace for one reader. What is mounted in it is seen by nobody else on the host, keeps nobody from detaching its
 * disk, and is gone when we are: the process that holds it ends when its standard input does.
 */
import { once } from 'node:events'
import type { Argv, HostDeps } from '../../context'
import { AgentError, describeError } from '../../errors'
import { neverAborted } from '../../lib/never-aborted'

/** It is there at once, on a busy host too (design limit). */
const START_SECONDS_MAX = 60
const END_SECONDS_MAX = 10

/**
 * What is unmounted on the host is unmounted in it, too; what is mounted in it stays in it. The first thing that it prints is its
 * process id.
 */
const HOLD: Argv = ['unshare', '--mount', '--propagation', 'slave', 'cat', '/proc/self/stat', '-']

export interface Namespace extends AsyncDisposable {
  /** The same command, run in it. */
  readonly within: (argv: Argv) => Argv
  /** Where this process sees what is at that absolute path in it. */
  readonly seen: (path: string) => string
}

/** @throws AgentError MOUNT_FAILED where this host makes none, TOOL_MISSING */
export async function openNamespace({ host, log }: Pick<HostDeps, 'host' | 'log'>): Promise<Namespace> {
  const holder = host.start(HOLD, neverAborted(), { ownSession: true })
  const timer = setTimeout(() => holder.kill(), START_SECONDS_MAX * 1000)
  const began = once(holder.stdout, 'data') as Promise<[Buffer]>
  began.catch(() => undefined)
  const ended = holder.succeeded.then(() => {
    throw new AgentError('COMMAND_FAILED', 'it ended', { hint: '' })
  })
  try {
    const [chunk] = await Promise.race([began, ended])
    const pid = /^\d+/.exec(chunk.toString())?.[0]
    if (pid === undefined) throw new AgentError('COMMAND_FAILED', `it printed ${chunk.toString()}`, { hint: '' })
    return {
      within: (argv) => ['nsenter', `--target=${pid}`, '--mount', '--', ...argv],
      seen: (path) => `/proc/${pid}/root${path}`,
      async [Symbol.asyncDispose]() {
        holder.stdin.end()
        const late = setTimeout(() => holder.kill(), END_SECONDS_MAX * 1000)
        await holder.succeeded.catch((error: unknown) => log.debug(describeError(error).join(' ')))
        clearTimeout(late)
      },
    }
  } catch (cause) {
    holder.kill()
    throw new AgentError('MOUNT_FAILED', `no mount namespace can be made: ${describeError(cause)[0] ?? ''}`, {
      hint: 'Copies of disks are mounted out of sight of the host, for which root needs CAP_SYS_ADMIN: a container has to be privileged.',
      cause,
    })
  } finally {
    clearTimeout(timer)
  }
}
