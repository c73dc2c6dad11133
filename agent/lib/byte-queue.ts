/** Hands out the bytes of a stream in portions of any size. */
export interface ByteQueue {
  /** The next bytes, each chunk valid until the next one is asked for. @throws RangeError where the stream ends before */
  take(bytes: number): AsyncGenerator<Buffer, void, undefined>
  /** Ends the stream, read to its end or not. */
  close(): Promise<void>
}

export function byteQueue(source: AsyncIterable<Buffer>): ByteQueue {
  const chunks = source[Symbol.asyncIterator]()
  let chunk: Buffer = Buffer.alloc(0)
  return {
    async *take(bytes: number): AsyncGenerator<Buffer, void, undefined> {
      let rest = bytes
      while (rest > 0) {
        if (chunk.length === 0) {
          const next = await chunks.next()
          if (next.done) throw new RangeError(`the stream ended ${rest} bytes too early`)
          chunk = next.value
        }
        const portion = chunk.subarray(0, rest)
        chunk = chunk.subarray(portion.length)
        rest -= portion.length
        yield portion
      }
    },
    async close(): Promise<void> {
      await chunks.return?.()
    },
  }
}
