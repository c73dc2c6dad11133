/** What a differential archive of a volume is made of: goes through its snapshot and the index of its base, side by side. */
import type { DifferentialSource } from '../archive/archive'
import { cut } from '../archive/frame-reads'
import { formatRemoved } from '../archive/removed-names'
import { AgentError, type ErrorCode } from '../errors'
import { cursorOf } from '../lib/cursor'
import { openUnlinkedFile } from '../host/unlinked-file.io'
import type { Base } from '../run/manifest'
import type { TaggedDirectories } from '../tar/tags'
import { BLOCK_BYTES } from '../tar/layout'
import { pathOfOrderKey } from '../tar/order'
import { compareWithBase } from './compare'
import { baseLineOf, type IndexRecord } from './index-record'
import { unusableBecause, type BaseIndex } from './index.io'
import { openSpool, type Spool } from './spool.io'
import { walkTree, type Tree } from './walk.io'
import { parseFacts, type Walked } from './walked'

/** How many of each there are. */
export interface ChangeCounts {
  /** All that the volume has. */
  readonly entries: number
  /** Of them: what is archived, directories among them. */
  readonly own: number
  readonly unchanged: number
  readonly removed: number
  /** What the archive will take, roughly. */
  readonly ownBytes: number
}

/** Releasing it removes what it keeps on this host. */
export interface DifferentialPlan extends DifferentialSource, AsyncDisposable {
  readonly base: Base
  readonly counts: ChangeCounts
  /** Directories whose contents are left out. */
  readonly tagged: TaggedDirectories
}

/** Why the archive is better a full one, in words that end a sentence. */
export interface BetterFull {
  readonly full: string
}

/** Of what the base takes: beyond it, a differential archive saves little, and each later one would be as large. */
const OWN_SHARE_MAX = 0.5
/** An entry takes two blocks of headers, most often, beside its content. */
const HEADER_BYTES = 3 * BLOCK_BYTES
const NAMES_BYTES = 64 * 1024
/** The kernel takes 4,096 bytes at a time (PATH_MAX), a zero behind among them: longer ones cannot be named to tar. */
const NAME_BYTES_MAX = 4096
/** Of the walk, and of what is kept on the way: they say nothing of the index. */
const PASSING: readonly ErrorCode[] = ['COMMAND_FAILED', 'TARGET_UNFIT']

/** @throws what keeps it from being decided, and would keep the archive from being written too */
export async function planDifferential(
  index: BaseIndex,
  tree: Tree,
  signal: AbortSignal,
): Promise<DifferentialPlan | BetterFull> {
  try {
    const first = await compareTree(index, tree, signal, new Set())
    if (!('torn' in first) || first.torn.size === 0) return first
    // Names of one inode lie in directories that were moved, and in others: all of them have to be archived.
    await first[Symbol.asyncDispose]()
    return await compareTree(index, tree, signal, first.torn)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof AgentError && PASSING.includes(error.code)) return { full: error.message }
    return { full: unusableBecause(error) }
  }
}

async function compareTree(
  index: BaseIndex,
  tree: Tree,
  signal: AbortSignal,
  whole: ReadonlySet<string>,
): Promise<(DifferentialPlan & { readonly torn: ReadonlySet<string> }) | BetterFull> {
  const { header } = index
  await using files = new AsyncDisposableStack()
  const names = files.use(await openNameList())
  const unchanged = files.use(await openSpool())
  const gone = files.use(await openSpool())
  const removed = files.use(await openSpool())
  const comparison = compareWithBase(whole)
  const counts = { entries: 0, own: 0, unchanged: 0, removed: 0, ownBytes: 0 }
  const ownBytesMax = header.archive.rawBytes * OWN_SHARE_MAX

  const before = cursorOf(index.records())
  const passRemoved = async (key: string | undefined): Promise<void> => {
    for (;;) {
      if (before.current === undefined) await before.load()
      const record = before.current
      if (!record || (key !== undefined && record.key >= key)) return
      before.advance()
      await remove(record)
    }
  }
  const remove = async (record: IndexRecord): Promise<void> => {
    const { key } = record
    comparison.takeGone(record)
    counts.removed++
    await gone.add(removedLine(key))
    await removed.add(memberOf(key))
  }
  const archive = async ({ key, facts }: Walked): Promise<void> => {
    counts.own++
    counts.ownBytes += sizeOf(facts)
    const room = names.add(memberOf(key))
    if (room) await room
  }

  await using walk = walkTree(tree, signal)
  for await (const batch of walk.batches()) {
    for (const walked of batch) {
      counts.entries++
      const { key } = walked
      if (before.current === undefined || before.current.key < key) await passRemoved(key)
      const record = before.current?.key === key ? before.current : undefined
      if (record) before.advance()
      const isAsItWas = comparison.isAsItWas(walked, record)
      if (record && isAsItWas) {
        counts.unchanged++
        const room = unchanged.add(baseLineOf(record.line))
        if (room) await room
      } else await archive(walked)
    }
    if (names.longest() > NAME_BYTES_MAX) return { full: 'a path is too long to be named to tar by itself' }
    if (counts.ownBytes > ownBytesMax) return { full: 'more than half of what it holds has changed' }
  }
  await passRemoved(undefined)
  await names.finish()
  for (const spool of [unchanged, gone, removed]) await spool.finish()
  const held = files.move()
  return {
    base: { run: header.run, takenAt: header.takenAt, archive: header.archive },
    counts,
    tagged: walk.tagged(),
    torn: comparison.torn(),
    names: () => names.pieces(),
    namesCount: counts.own,
    section: () => both(unchanged, gone),
    baseEntries: counts.unchanged,
    removed: () => removed.frames(),
    removedCount: counts.removed,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

/** Names for tar, in a file that has no name: written once, and read as often as tar has to be given them. */
async function openNameList() {
  const file = await openUnlinkedFile()
  let names: string[] = []
  let bytes = 0
  let longest = 0
  const finish = async (): Promise<void> => {
    await file.append(Buffer.from(names.join(''), 'latin1'))
    names = []
    bytes = 0
  }
  return {
    /** @param name - a character for each byte, with a zero byte behind it */
    add(name: string): Promise<void> | undefined {
      names.push(name)
      bytes += name.length
      longest = Math.max(longest, name.length)
      return bytes < NAMES_BYTES ? undefined : finish()
    },
    finish,
    longest: () => longest,
    async *pieces(): AsyncGenerator<Buffer> {
      for (const { offset, bytes: length } of cut(file.sizeBytes, NAMES_BYTES)) yield await file.read(offset, length)
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
}

async function* both(first: Spool, second: Spool): AsyncGenerator<Buffer> {
  yield* first.frames()
  yield* second.frames()
}

/** As an archive names it, a character for each byte. */
function memberOf(key: string): string {
  return key === '' ? '.\0' : `./${key.replaceAll('\0', '/')}\0`
}

/** A character for each byte. */
function removedLine(key: string): string {
  return Buffer.from(formatRemoved(pathOfOrderKey(key))).toString('latin1')
}

function sizeOf(facts: string): number {
  const seen = parseFacts(facts)
  return HEADER_BYTES + (seen?.type === 'file' ? Number(seen.sizeBytes) : 0)
}
