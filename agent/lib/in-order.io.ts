/** A wait that is longer than this means that the next result was not on its way early enough. */
const WAIT_MS = 3

/** Pieces of work at a time: a fixed number, or no more than it takes to have results when they are asked for. */
export type InFlight = number | { readonly first: number; readonly most: number }

/**
 * Applies `work` to each item, up to `inFlight` at a time, and yields the results in the order of the items.
 *
 * Items are taken from the source only as results are consumed, so memory is bounded by `inFlight` results. Where the
 * consumer stops early or one piece of work fails, nothing is left running: `work` is given a signal that is then
 * aborted, and what was started is waited for.
 *
 * @param nowMs - a clock that never goes back
 * @throws what the source or `work` throws, for the first item in order that fails
 */
export async function* mapInOrder<Item, Result>(
  source: Iterable<Item> | AsyncIterable<Item>,
  inFlight: InFlight,
  signal: AbortSignal,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
  nowMs: () => number = () => performance.now(),
): AsyncGenerator<Result, void, undefined> {
  const stop = new AbortController()
  const both = AbortSignal.any([signal, stop.signal])
  const started: Promise<Result>[] = []
  const { first, most } = typeof inFlight === 'number' ? { first: inFlight, most: inFlight } : inFlight
  let limit = first
  const takeOldest = async (): Promise<Result> => {
    const askedAt = nowMs()
    const result = await (started.shift() as Promise<Result>)
    if (nowMs() - askedAt > WAIT_MS && limit < most) limit++
    return result
  }
  try {
    for await (const item of source) {
      const result = work(item, both)
      result.catch(() => undefined) // whoever awaits it sees the error; it must not end the process before
      started.push(result)
      while (started.length >= limit) yield await takeOldest()
    }
    while (started.length > 0) yield await takeOldest()
  } finally {
    stop.abort()
    await Promise.allSettled(started)
  }
}
