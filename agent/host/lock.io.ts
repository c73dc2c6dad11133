import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { ExitStatus, LOCK_FILE, SHARED_LOCK_FILE } from '../contract'
import { AgentError } from '../errors'
import type { HostDeps } from '../context'

/**
 * Takes this host's lock: only one run at a time, in containers too, as far as they have the host's device nodes.
 *
 * The locks are the kernel's and belong to our open files, so that they die with this process, however that ends: there
 * is no stale lock. The commands that we start do not inherit them.
 *
 * @param file - says who holds the lock
 * @param shared - locked too where it can be opened: without it there is no LVM to work with
 * @throws AgentError BUSY, naming the holder
 */
export async function takeLock(
  deps: HostDeps,
  file: string = LOCK_FILE,
  shared: string = SHARED_LOCK_FILE,
): Promise<AsyncDisposable> {
  await using held = new AsyncDisposableStack()
  held.use(await takeFileLock(deps, file))
  const sharedHandle = await open(shared, constants.O_RDONLY).catch(() => undefined)
  if (sharedHandle) {
    held.defer(() => sharedHandle.close())
    if (!(await lock(deps, sharedHandle, shared))) throw busyElsewhere(shared)
  }
  const both = held.move()
  return { [Symbol.asyncDispose]: () => both.disposeAsync() }
}

/**
 * Takes the lock of one file, which goes with this process as that of the host does.
 *
 * @throws AgentError BUSY, naming the holder
 */
export async function takeFileLock(deps: HostDeps, file: string): Promise<AsyncDisposable> {
  await using held = new AsyncDisposableStack()
  const handle = await open(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  held.defer(() => handle.close())
  if (!(await lock(deps, handle, file))) throw await busy(handle)
  await handle.truncate()
  await handle.write(`process ${process.pid} since ${deps.now().toISOString()}\n`, 0)
  const taken = held.move()
  return { [Symbol.asyncDispose]: () => taken.disposeAsync() }
}

/** @returns false where somebody else holds it */
async function lock({ host, signal }: HostDeps, handle: FileHandle, file: string): Promise<boolean> {
  // Node cannot lock a file itself; a lock taken by a child on our descriptor is ours.
  const flock = ['flock', '--exclusive', '--nonblock', '--conflict-exit-code', String(ExitStatus.busy), '3'] as const
  const { status, stderr } = await host.attempt(flock, signal, { descriptors: [handle.fd] })
  if (status === ExitStatus.busy) return false
  if (status === 0) return true
  throw new AgentError('COMMAND_FAILED', `${file} cannot be locked: ${stderr.trim()}`, {
    hint: 'The lock needs the flock command of util-linux, and a /run that is a local filesystem.',
  })
}

function busyElsewhere(file: string): AgentError {
  return new AgentError('BUSY', `another run holds the lock on ${file}, from a container or with another /run`, {
    hint: `Wait until it has ended: "lsof ${file}" names it. The lock goes with its process: there is nothing to remove.`,
  })
}

async function busy(handle: FileHandle): Promise<AgentError> {
  const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(200), position: 0 })
  const holder = buffer.toString('utf8', 0, bytesRead).trim()
  return new AgentError('BUSY', `another run holds the lock${holder === '' ? '' : `: ${holder}`}`, {
    hint: 'Wait until it has ended. The lock goes with its process: there is nothing to remove.',
  })
}
