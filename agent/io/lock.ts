import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { ExitStatus, LOCK_FILE } from '../contract'
import { AgentError } from '../errors'
import type { HostDeps } from './deps'

/**
 * Takes this host's lock: only one run at a time.
 *
 * The lock is the kernel's and belongs to our open file, so that it dies with this process, however that ends: there
 * is no stale lock. The commands that we start do not inherit it.
 *
 * @throws AgentError BUSY, naming the holder
 */
export async function takeLock({ host, now, signal }: HostDeps, file: string = LOCK_FILE): Promise<AsyncDisposable> {
  const handle = await open(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  try {
    // Node cannot lock a file itself; a lock taken by a child on our descriptor is ours.
    const flock = ['flock', '--exclusive', '--nonblock', '--conflict-exit-code', String(ExitStatus.busy), '3'] as const
    const { status, stderr } = await host.attempt(flock, signal, { descriptors: [handle.fd] })
    if (status === ExitStatus.busy) throw await busy(handle)
    if (status !== 0) {
      throw new AgentError('COMMAND_FAILED', `${file} cannot be locked: ${stderr.trim()}`, {
        hint: 'The lock needs the flock command of util-linux, and a /run that is a local filesystem.',
      })
    }
    await handle.truncate()
    await handle.write(`process ${process.pid} since ${now().toISOString()}\n`, 0)
  } catch (error) {
    await handle.close()
    throw error
  }
  return { [Symbol.asyncDispose]: () => handle.close() }
}

async function busy(handle: FileHandle): Promise<AgentError> {
  const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(200), position: 0 })
  const holder = buffer.toString('utf8', 0, bytesRead).trim()
  return new AgentError('BUSY', `another run holds the lock${holder === '' ? '' : `: ${holder}`}`, {
    hint: 'Wait until it has ended. The lock goes with its process: there is nothing to remove.',
  })
}
