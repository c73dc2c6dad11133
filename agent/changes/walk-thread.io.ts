/** The walk's own side: what runs in its thread. */
import { closeSync, constants, lstatSync, openSync, readdirSync, readSync, type BigIntStats } from 'node:fs'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import {
  CACHE_SIGNATURE,
  CACHE_TAG,
  collectTagged,
  NO_TAGS,
  tagsInOrder,
  type DirectoryTags,
  type TaggedDirectories,
} from '../tar/tags'
import { excluder } from './excludes'
import { formatFacts, type WalkedType } from './walked'
import type { WalkAnswer, WalkTask } from './walk.io'

/** Entries in a message: many enough that messages do not count, few enough that memory does not. */
const BATCH_ENTRIES = 250
/** How far the walk may be ahead. */
const BATCHES_AHEAD = 8

/**
 * To be called before anything else by the program's entry point.
 *
 * @returns true if this is the walk's thread; the program then has nothing else to do
 */
export function runWalkIfAsked(): boolean {
  const port = parentPort
  const task = workerData as WalkTask | undefined
  if (isMainThread || !port || task?.role !== 'walk') return false
  const taken = new Int32Array(task.taken)
  let sent = 0
  const send = (answer: WalkAnswer): void => {
    for (let seen = Atomics.load(taken, 0); sent - seen >= BATCHES_AHEAD; seen = Atomics.load(taken, 0)) {
      Atomics.wait(taken, 0, seen)
    }
    port.postMessage(answer)
    sent++
  }
  try {
    const tagged = walk(task, (batch) => send({ batch }))
    send({ done: true, tagged })
  } catch (error) {
    send({ error: error instanceof Error ? error.message : String(error) })
  }
  return true
}

function walk({ tree }: WalkTask, send: (batch: string) => void): TaggedDirectories {
  const isExcluded = tree.excludes.length === 0 ? () => false : excluder(tree.excludes)
  if (!isExcluded) throw new Error(`one of these patterns cannot be followed: ${tree.excludes.join(' ')}`)
  const root = Buffer.from(tree.directory)
  const { dev } = lstatSync(root, { bigint: true })
  const findTag = tagFinder(tree.tags ?? NO_TAGS)
  const tagged = collectTagged()
  let texts: string[] = []

  const take = (key: string, stat: BigIntStats, type: WalkedType): void => {
    const { ino: inode, nlink, size: sizeBytes, mtimeNs, ctimeNs, mode, uid, gid } = stat
    const facts = formatFacts({
      ...{ type, inode, sizeBytes, mtimeNs, ctimeNs },
      ...{ links: Number(nlink), mode: Number(mode) & 0o7777, uid: Number(uid), gid: Number(gid) },
    })
    texts.push(key, facts)
    if (texts.length < 2 * BATCH_ENTRIES) return
    send(texts.join('/'))
    texts = []
  }

  /** Directories that were begun, each with what is still to be looked at in it, the next one last. */
  const begun: { readonly path: Buffer; readonly key: string; readonly names: Buffer[] }[] = []
  const visit = (path: Buffer, key: string, alone = false): void => {
    const stat = lstatSync(path, { bigint: true })
    const type = typeOf(stat)
    if (!type) return
    take(key, stat, type)
    if (type !== 'directory' || stat.dev !== dev) return
    const within = Buffer.concat([path, SLASH])
    const tag = findTag(within)
    if (tag !== undefined) {
      tagged.add(key === '' ? '.' : key.replaceAll('\0', '/'), tag)
      // It is archived whatever patterns say of it, but not what is in it.
      const tagKey = key === '' ? tag : `${key}\0${tag}`
      visit(Buffer.concat([within, Buffer.from(tag)]), tagKey, alone || isExcluded(`./${tagKey.replaceAll('\0', '/')}`))
      return
    }
    if (alone) return
    const names = readdirSync(path, { encoding: 'buffer' }).sort((a, b) => Buffer.compare(b, a))
    begun.push({ path: within, key, names })
  }

  visit(root, '')
  for (let current = begun.at(-1); current; current = begun.at(-1)) {
    const name = current.names.pop()
    if (!name) begun.pop()
    else {
      const text = name.toString('latin1')
      const key = current.key === '' ? text : `${current.key}\0${text}`
      if (isExcluded(`./${key.replaceAll('\0', '/')}`)) continue
      visit(Buffer.concat([current.path, name]), key)
    }
  }
  if (texts.length > 0) send(texts.join('/'))
  return tagged.list()
}

/** @returns what looks for a directory's tag, given the directory's path with a slash behind it */
function tagFinder(tags: DirectoryTags): (within: Buffer) => string | undefined {
  const inOrder = tagsInOrder(tags).map((name) => ({ name, bytes: Buffer.from(name), isCache: isCacheTag(tags, name) }))
  return (within) =>
    inOrder.find(({ bytes, isCache }) => {
      const path = Buffer.concat([within, bytes])
      const stat = lstatSync(path, { throwIfNoEntry: false })
      // What tar cannot open without following a link is none to it.
      if (!stat || stat.isSymbolicLink() || stat.isSocket()) return false
      return isCache ? stat.isFile() && beginsWithSignature(path) : true
    })?.name
}

/** The last one in order, unless the same name was asked for by itself. */
function isCacheTag({ caches, names }: DirectoryTags, name: string): boolean {
  return caches && name === CACHE_TAG && !names.includes(CACHE_TAG)
}

function beginsWithSignature(path: Buffer): boolean {
  const start = Buffer.alloc(CACHE_SIGNATURE.length)
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    return readSync(file, start, 0, start.length, 0) === start.length && start.toString('latin1') === CACHE_SIGNATURE
  } finally {
    closeSync(file)
  }
}

const SLASH = Buffer.from('/')

/** Undefined where tar archives nothing: of a socket. */
function typeOf(stat: BigIntStats): WalkedType | undefined {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  if (stat.isSymbolicLink()) return 'symlink'
  if (stat.isFIFO()) return 'fifo'
  if (stat.isCharacterDevice()) return 'character'
  return stat.isBlockDevice() ? 'block' : undefined
}
