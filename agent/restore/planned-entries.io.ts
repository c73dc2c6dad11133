/** What a plan is made of, entry by entry, in little memory: enough to tell each from whatever else an archive may hold. */
import { hash, randomBytes } from 'node:crypto'
import { formatCatalogEntry } from '../archive/catalog'
import type { CatalogEntry } from '../tar/entry'

/**
 * Of a digest that nobody can compute who does not know this process' key: the odds that another entry passes for the
 * planned one are 1 in 2^64, however it is made. Ten million entries take 80 MB.
 */
const DIGEST_BYTES = 8
const CHUNK_BYTES = 256 * 1024

export interface PlannedEntries {
  /** To be called in the order of the archive. */
  add(entry: CatalogEntry): void
  /** Of an entry that comes back under another name, in a piece of its own. */
  addRenamed(entry: CatalogEntry): void
  /** Reads them again from the first one. */
  start(): PlannedCursor
}

export interface PlannedCursor {
  /** Whether this is the entry that comes next; of a sparse one, when its map has been read too. */
  take(entry: CatalogEntry): boolean
  /** Whether this is, but for its `sparseBytes`, the sparse entry that comes next. `take` has to follow. */
  takeMapStart(entry: CatalogEntry): boolean
  /** Whether this is the entry that comes under another name from its place. */
  isRenamed(entry: CatalogEntry): boolean
  /** True when all but those with another name were taken. */
  isDone(): boolean
}

export function plannedEntries(): PlannedEntries {
  const key = randomBytes(16).toString('hex')
  const digest = (entry: CatalogEntry): Buffer =>
    hash('sha256', key + formatCatalogEntry(entry), 'buffer').subarray(0, DIGEST_BYTES)
  const chunks: Buffer[] = []
  const renamed = new Map<number, Buffer>()
  let bytes = 0

  const append = (entry: CatalogEntry): void => {
    const at = bytes % CHUNK_BYTES
    if (at === 0) chunks.push(Buffer.allocUnsafeSlow(CHUNK_BYTES))
    digest(entry).copy(chunks.at(-1) as Buffer, at)
    bytes += DIGEST_BYTES
  }

  return {
    add(entry) {
      if (entry.sparseBytes !== undefined) append(withoutMap(entry))
      append(entry)
    },
    addRenamed(entry) {
      renamed.set(entry.offset, digest(entry))
    },
    start() {
      let next = 0
      const takeNext = (entry: CatalogEntry): boolean => {
        if (next === bytes) return false
        const chunk = chunks[Math.floor(next / CHUNK_BYTES)] as Buffer
        const at = next % CHUNK_BYTES
        next += DIGEST_BYTES
        return digest(entry).compare(chunk, at, at + DIGEST_BYTES) === 0
      }
      return {
        take: takeNext,
        takeMapStart: (entry) => takeNext(withoutMap(entry)),
        isRenamed: (entry) => renamed.get(entry.offset)?.equals(digest(entry)) === true,
        isDone: () => next === bytes,
      }
    },
  }
}

/** How much of a sparse file's data is its map shows only when all of the map has been read. */
function withoutMap(entry: CatalogEntry): CatalogEntry {
  return { ...entry, sparseBytes: 0 }
}
