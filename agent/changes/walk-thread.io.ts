/** The walk's own side: what runs in its thread. */
import { lstatSync, readdirSync, type BigIntStats } from 'node:fs'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
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
    walk(task, (batch) => send({ batch }))
    send({ done: true })
  } catch (error) {
    send({ error: error instanceof Error ? error.message : String(error) })
  }
  return true
}

function walk({ tree }: WalkTask, send: (batch: string) => void): void {
  const isExcluded = tree.excludes.length === 0 ? () => false : excluder(tree.excludes)
  if (!isExcluded) throw new Error(`one of these patterns cannot be followed: ${tree.excludes.join(' ')}`)
  const root = Buffer.from(tree.directory)
  const { dev } = lstatSync(root, { bigint: true })
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
  const visit = (path: Buffer, key: string): void => {
    const stat = lstatSync(path, { bigint: true })
    const type = typeOf(stat)
    if (!type) return
    take(key, stat, type)
    if (type !== 'directory' || stat.dev !== dev) return
    const names = readdirSync(path, { encoding: 'buffer' }).sort((a, b) => Buffer.compare(b, a))
    begun.push({ path: Buffer.concat([path, SLASH]), key, names })
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
