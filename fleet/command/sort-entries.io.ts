/**
 * Sorts the entries of a catalog, which are in the order of the archive, by their paths, in memory that does not grow with their
 * number: what fits is sorted at a time and put into a file without a name, and these are merged.
 */
import { cut } from '../../agent/archive/frame-reads'
import { openUnlinkedFile, type UnlinkedFile } from '../../agent/host/unlinked-file.io'
import type { CatalogEntry } from '../../agent/tar/entry'
import { factsOf, formatFacts, parseFacts, type EntryFacts } from './entry-facts'
import { mergeSorted } from './merge'

/** Sorted in memory at a time: some 40,000 entries (design limit). */
const RUN_BYTES = 4 * 1024 * 1024
/** For reading all runs at once, together. */
const READ_BYTES = 8 * 1024 * 1024
const PIECE_BYTES_MIN = 4096
const PIECE_BYTES_MAX = 256 * 1024
/** Lengths of a path and of the rest. */
const HEAD_BYTES = 8

/** Releasing it gives its file back. */
export interface SortedEntries extends AsyncDisposable {
  /** By path, each once; from the first one each time. */
  entries(): AsyncGenerator<EntryFacts>
}

interface Piece {
  readonly offset: number
  readonly bytes: number
}

/** @throws AgentError TARGET_UNFIT where there is no room, as reading the entries does */
export async function sortEntries(entries: AsyncIterable<CatalogEntry>, runBytes = RUN_BYTES): Promise<SortedEntries> {
  await using stack = new AsyncDisposableStack()
  const file = stack.use(await openUnlinkedFile())
  const runs: Piece[] = []
  let waiting: EntryFacts[] = []
  let waitingBytes = 0
  const flush = async () => {
    const offset = file.sizeBytes
    for (const piece of packSorted(waiting)) await file.append(piece)
    if (waiting.length > 0) runs.push({ offset, bytes: file.sizeBytes - offset })
    ;[waiting, waitingBytes] = [[], 0]
  }
  for await (const entry of entries) {
    const facts = factsOf(entry)
    waiting.push(facts)
    waitingBytes += facts.path.length + facts.leadsTo.length + 100
    if (waitingBytes >= runBytes) await flush()
  }
  await flush()
  const pieceBytes = Math.max(PIECE_BYTES_MIN, Math.min(PIECE_BYTES_MAX, Math.floor(READ_BYTES / (runs.length || 1))))
  stack.move()
  return {
    entries: () => mergeSorted(runs.map((run) => unpack(file, run, pieceBytes))),
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
}

/** So many are made into one piece of the file. */
const ENTRIES_A_PIECE = 4096

function* packSorted(facts: EntryFacts[]): Generator<Buffer> {
  // Sorting is stable: of one path, the last in the archive stays the last.
  facts.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  for (let at = 0; at < facts.length; at += ENTRIES_A_PIECE) {
    yield Buffer.concat(facts.slice(at, at + ENTRIES_A_PIECE).flatMap(pack))
  }
}

function pack(facts: EntryFacts): Buffer[] {
  const [path, rest] = [Buffer.from(facts.path, 'latin1'), Buffer.from(formatFacts(facts))]
  const head = Buffer.allocUnsafe(HEAD_BYTES)
  head.writeUInt32LE(path.length, 0)
  head.writeUInt32LE(rest.length, 4)
  return [head, path, rest]
}

async function* unpack(file: UnlinkedFile, run: Piece, pieceBytes: number): AsyncGenerator<EntryFacts> {
  let begun: Buffer = Buffer.alloc(0)
  for (const { offset, bytes } of cut(run.bytes, pieceBytes)) {
    const piece = await file.read(run.offset + offset, bytes)
    const text = begun.length === 0 ? piece : Buffer.concat([begun, piece])
    let at = 0
    while (text.length - at >= HEAD_BYTES) {
      const pathEnd = at + HEAD_BYTES + text.readUInt32LE(at)
      const end = pathEnd + text.readUInt32LE(at + 4)
      if (end > text.length) break
      yield parseFacts(text.toString('latin1', at + HEAD_BYTES, pathEnd), text.toString('utf8', pathEnd, end))
      at = end
    }
    begun = text.subarray(at)
  }
}
