/** A directory for what another host wrote, which may be anything: only root gets at it, and it goes whatever happens. */
import { randomBytes } from 'node:crypto'
import { lstat, mkdir, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AgentError, describeError, hasCode } from '../errors'
import type { Argv, HostDeps } from '../context'
import { neverAborted } from '../lib/never-aborted'
import { readMounts } from './filesystems.io'
import { takeFileLock } from './lock.io'
import {
  findScratchMounts,
  isScratchName,
  mountScratch,
  removeScratch,
  SCRATCH_PREFIX,
  unmountScratch,
  unmountScratchLazily,
} from './scratch'
import { findWeakness } from './trusted-path.io'

/** Of commands that the kernel answers at once, unless a device does not answer it. */
const KERNEL = { timeoutSeconds: 30 }

export interface Scratch extends AsyncDisposable {
  readonly path: string
}

/** What was removed of scratch directories that killed drills have left, and why some are still there. */
export interface ScratchRemoval {
  readonly removed: readonly string[]
  readonly leftBehind: readonly unknown[]
}

/** Held while a drill is at work in the directory: what is there without it was left behind. */
const LOCK_NAME = '.snapstream-drill.lock'

/**
 * Makes a scratch directory, and removes what killed drills have left there before. Nobody but root gets in, and it is
 * mounted so that nothing in it gives rights, is a device or can be run. Releasing it removes it with all that is in it.
 *
 * @param parent - made where it is not there; one drill at a time is at work in it
 * @throws AgentError BUSY, TARGET_UNFIT where others could put something in its place
 */
export async function takeScratch(deps: HostDeps, parent: string): Promise<Scratch> {
  await using held = new AsyncDisposableStack()
  await assertTrusted(parent)
  held.use(await takeFileLock(deps, join(parent, LOCK_NAME)))
  const { removed, leftBehind } = await removeIn(deps, parent)
  for (const path of removed) deps.log.warn(`removed ${path}, which a killed drill left behind`)
  for (const problem of leftBehind) deps.log.warn(describeError(problem).join('\n'))
  const path = join(parent, `${SCRATCH_PREFIX}${randomBytes(8).toString('hex')}`)
  await mkdir(path, { mode: 0o700 }).catch((cause: unknown) => {
    throw unfit(parent, `nothing can be made in it: ${String(cause)}`, cause)
  })
  held.defer(() => remove(deps, path))
  await restrict(deps, path)
  const all = held.move()
  return { path, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

/**
 * Removes what killed drills have left: in this directory, and wherever one is still mounted. Where a drill is at work, nothing.
 *
 * @param dryRun - only finds it
 */
export async function removeScratches(deps: HostDeps, parent: string, dryRun: boolean): Promise<ScratchRemoval> {
  const removed: string[] = []
  const leftBehind: unknown[] = []
  const mounted = findScratchMounts(await readMounts(deps)).map((path) => dirname(path))
  for (const directory of new Set([parent, ...mounted])) {
    try {
      // Where there is none, or anybody could have put something, no drill was at work.
      if ((await findWeakness(directory).catch(() => 'it is not there')) !== undefined) continue
      await using _lock = await takeFileLock(deps, join(directory, LOCK_NAME))
      const one = dryRun ? { removed: await findIn(deps, directory), leftBehind: [] } : await removeIn(deps, directory)
      removed.push(...one.removed)
      leftBehind.push(...one.leftBehind)
    } catch (error) {
      if (!hasCode(error, 'BUSY')) leftBehind.push(error)
    }
  }
  return { removed, leftBehind }
}

async function removeIn(deps: HostDeps, parent: string): Promise<ScratchRemoval> {
  const removed: string[] = []
  const leftBehind: unknown[] = []
  for (const path of await findIn(deps, parent)) {
    await remove(deps, path).then(
      () => removed.push(path),
      (error: unknown) => leftBehind.push(error),
    )
  }
  return { removed, leftBehind }
}

async function findIn(deps: HostDeps, parent: string): Promise<string[]> {
  const names = await readdir(parent).catch(() => [])
  const here: string[] = []
  for (const name of names.filter(isScratchName)) if (await isOurs(join(parent, name))) here.push(join(parent, name))
  const mounted = findScratchMounts(await readMounts(deps)).filter((path) => dirname(path) === parent)
  return [...new Set([...mounted, ...here])]
}

/** Whatever it is called, what is not a directory of root's alone was not made here. */
async function isOurs(path: string): Promise<boolean> {
  const stat = await lstat(path).catch(() => undefined)
  return stat !== undefined && stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o777) === 0o700
}

/** Its modes alone keep everybody out but root: where it cannot be mounted so, as in many containers, that has to do. */
async function restrict({ host, log, signal }: HostDeps, path: string): Promise<void> {
  for (const argv of mountScratch(path)) {
    const { status, stderr } = await host.attempt(argv, signal, KERNEL)
    if (status === 0) continue
    log.warn(
      `${path} is closed to all but root, and could not be mounted nosuid,nodev,noexec besides: ${stderr.trim()}`,
    )
    return
  }
}

/** Whoever wants to stop: it takes as much room as what was restored. @throws AgentError CLEANUP_FAILED */
async function remove(deps: HostDeps, path: string): Promise<void> {
  const { host } = deps
  // Each mount of it lies over the one before.
  for (let tries = 0; tries < 3 && (await isMounted(deps, path)); tries++) {
    const { status } = await host.attempt(unmountScratch(path), neverAborted(), KERNEL)
    if (status !== 0) await host.attempt(unmountScratchLazily(path), neverAborted(), KERNEL)
  }
  const argv: Argv = removeScratch(path)
  const { status, stderr } = await host.attempt(argv, neverAborted())
  if (status === 0) return
  throw new AgentError('CLEANUP_FAILED', `${path} could not be removed: ${stderr.trim()}`, {
    hint: 'The next drill and "snapstream cleanup" try again. What is in it is another host\'s: run nothing of it.',
  })
}

async function isMounted(deps: HostDeps, path: string): Promise<boolean> {
  return findScratchMounts(await readMounts({ ...deps, signal: neverAborted() })).includes(path)
}

/** Who may write to a directory above could put something else in the place of what was restored. */
async function assertTrusted(parent: string): Promise<void> {
  await mkdir(parent, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw unfit(parent, `it cannot be made: ${String(cause)}`, cause)
  })
  const weakness = await findWeakness(parent)
  if (weakness) throw unfit(parent, weakness.what, undefined, `Run "${weakness.fix}", or `)
}

function unfit(parent: string, what: string, cause: unknown, remedy = ''): AgentError {
  const advice = 'give another directory with --scratch, on a filesystem with room, that only root can write to.'
  return new AgentError('TARGET_UNFIT', `${parent} cannot be restored into: ${what}`, {
    hint: remedy === '' ? advice.replace(/^g/, 'G') : `${remedy}${advice}`,
    cause,
  })
}
