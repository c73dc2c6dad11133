/** A fixed number of reusable things, buffers above all: what bounds the memory of everything that streams. */
export interface Pool<Item> {
  /** Waits while all items are taken. @throws the signal's reason once it is aborted */
  take(): Promise<Item>
  give(item: Item): void
}

/** @param make - called only when an item is first needed */
export function createPool<Item>(items: number, make: () => Item, signal: AbortSignal): Pool<Item> {
  const free: Item[] = []
  const waiting: PromiseWithResolvers<Item>[] = []
  let made = 0
  signal.addEventListener('abort', () => waiting.splice(0).forEach(({ reject }) => reject(signal.reason)))
  return {
    async take() {
      signal.throwIfAborted()
      const item = free.pop()
      if (item !== undefined) return item
      if (made < items) {
        made++
        return make()
      }
      const turn = Promise.withResolvers<Item>()
      waiting.push(turn)
      return await turn.promise
    },
    give(item) {
      const next = waiting.shift()
      if (next) next.resolve(item)
      else free.push(item)
    },
  }
}

/** A buffer that threads can share. */
export function sharedBuffer(bytes: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(bytes))
}
