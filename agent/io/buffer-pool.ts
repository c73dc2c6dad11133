/** A fixed number of buffers: what bounds the memory of everything that streams. */

export interface BufferPool {
  /** Waits while all buffers are taken. @throws the signal's reason once it is aborted */
  take(): Promise<Buffer>
  give(buffer: Buffer): void
}

/** The memory is shared, so that threads can read it, and is only made when it is first needed. */
export function createPool(buffers: number, bufferBytes: number, signal: AbortSignal): BufferPool {
  const free: Buffer[] = []
  const waiting: PromiseWithResolvers<Buffer>[] = []
  let made = 0
  signal.addEventListener('abort', () => waiting.splice(0).forEach(({ reject }) => reject(signal.reason)))
  return {
    async take() {
      signal.throwIfAborted()
      const buffer = free.pop()
      if (buffer) return buffer
      if (made < buffers) {
        made++
        return Buffer.from(new SharedArrayBuffer(bufferBytes))
      }
      const turn = Promise.withResolvers<Buffer>()
      waiting.push(turn)
      return await turn.promise
    },
    give(buffer) {
      const next = waiting.shift()
      if (next) next.resolve(buffer)
      else free.push(buffer)
    },
  }
}
