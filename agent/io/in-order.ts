/**
 * Applies `work` to each item, up to `inFlight` at a time, and yields the results in the order of the items.
 *
 * Items are taken from the source only as results are consumed, so memory is bounded by `inFlight` results. Where the
 * consumer stops early or one piece of work fails, nothing is left running: `work` is given a signal that is then
 * aborted, and what was started is waited for.
 *
 * @throws what the source or `work` throws, for the first item in order that fails
 */
export async function* mapInOrder<Item, Result>(
  source: Iterable<Item> | AsyncIterable<Item>,
  inFlight: number,
  signal: AbortSignal,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const stop = new AbortController()
  const both = AbortSignal.any([signal, stop.signal])
  const started: Promise<Result>[] = []
  try {
    for await (const item of source) {
      const result = work(item, both)
      result.catch(() => undefined) // whoever awaits it sees the error; it must not end the process before
      started.push(result)
      if (started.length >= inFlight) yield await (started.shift() as Promise<Result>)
    }
    while (started.length > 0) yield await (started.shift() as Promise<Result>)
  } finally {
    stop.abort()
    await Promise.allSettled(started)
  }
}
