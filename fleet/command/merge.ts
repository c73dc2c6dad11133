/** Goes through sorted entries of several sources at once. */
import { compareFacts, type Difference, type EntryFacts } from './entry-facts'

/** What became of an entry from one run to the other. */
export type Change =
  | { readonly change: 'new'; readonly after: EntryFacts }
  | { readonly change: 'gone'; readonly before: EntryFacts }
  | {
      readonly change: 'changed'
      readonly before: EntryFacts
      readonly after: EntryFacts
      readonly what: readonly Difference[]
    }
  /** The catalog of one of the runs does not describe it. */
  | { readonly change: 'unknown'; readonly before: EntryFacts; readonly after: EntryFacts }

type Sorted = AsyncIterable<EntryFacts>

/**
 * What differs between two runs of a volume, in the order of paths.
 *
 * @param onSame - called for each entry that is the same
 */
export async function* findChanges(before: Sorted, after: Sorted, onSame: () => void): AsyncGenerator<Change> {
  const [old, young] = [before[Symbol.asyncIterator](), after[Symbol.asyncIterator]()]
  let [a, b] = [await old.next(), await young.next()]
  while (!a.done || !b.done) {
    if (b.done || (!a.done && a.value.path < b.value.path)) {
      if (a.done) break
      yield { change: 'gone', before: a.value }
      a = await old.next()
    } else if (a.done || b.value.path < a.value.path) {
      yield { change: 'new', after: b.value }
      b = await young.next()
    } else {
      const change = changeOf(a.value, b.value)
      if (change) yield change
      else onSame()
      ;[a, b] = [await old.next(), await young.next()]
    }
  }
}

function changeOf(before: EntryFacts, after: EntryFacts): Change | undefined {
  if (before.isUndescribed || after.isUndescribed) return { change: 'unknown', before, after }
  const what = compareFacts(before, after)
  return what.length === 0 ? undefined : { change: 'changed', before, after, what }
}

/** Several sorted sources as one; of entries with the same path, the last source's last one: so does tar extract them. */
export async function* mergeSorted(sources: readonly Sorted[]): AsyncGenerator<EntryFacts> {
  const heads: Head[] = []
  for (const [rank, source] of sources.entries()) await advance(heads, source[Symbol.asyncIterator](), rank)
  let waiting: EntryFacts | undefined
  for (;;) {
    const head = heads.shift()
    if (!head) break
    if (waiting && waiting.path !== head.entry.path) yield waiting
    waiting = head.entry
    await advance(heads, head.source, head.rank)
  }
  if (waiting) yield waiting
}

interface Head {
  readonly entry: EntryFacts
  readonly rank: number
  readonly source: AsyncIterator<EntryFacts>
}

/** Puts the next entry of a source where it belongs among the others. */
async function advance(heads: Head[], source: AsyncIterator<EntryFacts>, rank: number): Promise<void> {
  const next = await source.next()
  if (next.done) return
  const head = { entry: next.value, rank, source }
  let [low, high] = [0, heads.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (isBefore(heads[middle] as Head, head)) low = middle + 1
    else high = middle
  }
  heads.splice(low, 0, head)
}

function isBefore(a: Head, b: Head): boolean {
  return a.entry.path === b.entry.path ? a.rank < b.rank : a.entry.path < b.entry.path
}
