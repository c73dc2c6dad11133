/** What comes in batches, one by one: without waiting where something is at hand, as there may be millions. */
export interface Cursor<Item> {
  /** Undefined where none is at hand: `load` then brings the next one, unless that was the last. */
  readonly current: Item | undefined
  readonly isEnded: boolean
  advance(): void
  /** @throws what the batches throw */
  load(): Promise<void>
}

export function cursorOf<Item>(batches: AsyncIterator<readonly Item[], void, undefined>): Cursor<Item> {
  let batch: readonly Item[] = []
  let at = 0
  let isEnded = false
  return {
    get current() {
      return batch[at]
    },
    get isEnded() {
      return isEnded
    },
    advance() {
      at++
    },
    async load() {
      while (!isEnded && at >= batch.length) {
        const next = await batches.next()
        if (next.done) isEnded = true
        batch = next.done ? [] : next.value
        at = 0
      }
    },
  }
}
