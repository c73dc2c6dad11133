/** Moves a tree that was restored aside to where it belongs, holding on to each directory of both sides. */
import { linkSync, lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync, type BigIntStats } from 'node:fs'
import type { ConflictPolicy } from './conflicts'
import type { HostDeps } from '../context'
import { inside, mountOf, openChild, pathOf, reasonOf, type Directory } from './directory.io'
import { keyOf, setDirectories, type DirectoryHeaders } from './directory-metadata.io'
import { copyTree, takeStaging } from './staging.io'

/** Directories whose metadata tar sets at a time: each takes a descriptor. */
const BATCH = 128
/** Of their headers: most take a KiB, those with many attributes up to 64 MiB. */
const BATCH_BYTES = 64 * 1024 ** 2

export interface MoveOptions {
  /** What becomes of names that are taken, as it is found at that moment. */
  readonly onConflict: ConflictPolicy
  /** What a directory that is there already is given; nothing where it stays as it is. */
  headersOf(path: string): Promise<Buffer | undefined>
}

export interface Moved {
  /** One line for each name that could not be moved. */
  readonly complaints: readonly string[]
  /** Whether something came into the directory itself, which has another time for it. */
  readonly changedTop: boolean
}

/**
 * Moves everything of a tree into a directory. What has become a link or a file since is never gone through: what would
 * lie below it stays behind, and is complained of.
 *
 * @throws AgentError INTERRUPTED; TARGET_UNFIT where another filesystem lies below and has no room
 */
export async function moveIntoPlace(
  deps: HostDeps,
  tree: Directory,
  target: Directory,
  options: MoveOptions,
): Promise<Moved> {
  const complaints: string[] = []
  const batch: DirectoryHeaders[] = []
  let batchBytes = 0
  let changedTop = false

  async function flush(): Promise<void> {
    batchBytes = 0
    if (batch.length === 0) return
    const complaint = await setDirectories(deps, batch)
    if (complaint !== '') complaints.push(complaint)
    for (const { directory } of batch.splice(0)) directory[Symbol.dispose]()
  }

  async function moveAll(from: Directory, to: Directory, path: string): Promise<void> {
    for (const name of readdirSync(pathOf(from.fd), { encoding: 'buffer' })) {
      deps.signal.throwIfAborted()
      const own = path === '' ? keyOf(name) : `${path}/${keyOf(name)}`
      try {
        if (isDirectory(inside(from, name)) && isDirectory(inside(to, name))) await merge(from, to, name, own)
        else if (moveOne(inside(from, name), inside(to, name), options.onConflict)) changedTop ||= path === ''
      } catch (error) {
        if (!isRefusal(error)) throw error
        complaints.push(`${Buffer.from(own, 'latin1').toString()}: ${reasonOf(error)}`)
      }
    }
  }

  async function merge(from: Directory, to: Directory, name: Buffer, path: string): Promise<void> {
    const headers = await options.headersOf(path) // first of all: to wait keeps a deep tree from filling the stack
    using here = openChild(from, name)
    using there = openChild(to, name)
    if (mountOf(there) === mountOf(to)) await moveAll(here, there, path)
    else {
      // Nothing moves from one mount to another: what belongs on this one is copied there first.
      await using staging = await takeStaging(deps, there)
      await copyTree(deps, here, staging.tree)
      await moveAll(staging.tree, there, path)
    }
    if (!headers) return
    if (batchBytes + headers.length > BATCH_BYTES) await flush()
    batch.push({ directory: openChild(there, '.'), headers })
    batchBytes += headers.length
    if (batch.length === BATCH) await flush()
  }

  try {
    await moveAll(tree, target, '')
    await flush()
  } finally {
    for (const { directory } of batch) directory[Symbol.dispose]()
  }
  return { complaints, changedTop }
}

/** @returns whether it was moved */
function moveOne(from: Buffer, to: Buffer, onConflict: ConflictPolicy): boolean {
  const ours = lstatSync(from, { bigint: true })
  const theirs = lstatSync(to, { bigint: true, throwIfNoEntry: false })
  if (!theirs) moveAside(ours, from, to)
  else if (!mayReplace(ours, theirs, onConflict)) return false
  else replace(ours, from, theirs, to)
  return true
}

/** @throws errno EEXIST where the policy does not let what is there stand in for what was restored */
function mayReplace(ours: BigIntStats, theirs: BigIntStats, onConflict: ConflictPolicy): boolean {
  if (onConflict === 'overwrite') return true
  if (onConflict === 'newer' && theirs.mtimeNs <= ours.mtimeNs) return true
  if (onConflict === 'fail' || ours.isDirectory()) throw refusal('something else has come there meanwhile')
  return false
}

/** Never over anything: rename(2) would replace what has come there since it was looked for, link(2) does not. */
function moveAside(ours: BigIntStats, from: Buffer, to: Buffer): void {
  if (ours.isDirectory()) {
    renameSync(from, to) // replaces an empty directory at most
    return
  }
  linkSync(from, to)
  unlinkSync(from)
}

function replace(ours: BigIntStats, from: Buffer, theirs: BigIntStats, to: Buffer): void {
  if (theirs.isDirectory()) rmdirSync(to)
  else if (ours.isDirectory()) unlinkSync(to)
  renameSync(from, to)
}

function isDirectory(path: Buffer): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** Of the system: what it says no to for one name need not hold for the next. */
function isRefusal(error: unknown): error is NodeJS.ErrnoException {
  return typeof (error as Partial<NodeJS.ErrnoException> | undefined)?.syscall === 'string'
}

/** Told of as the system's own refusals are. */
function refusal(message: string): Error {
  return Object.assign(new Error(message), { code: 'EEXIST', syscall: 'rename' })
}
