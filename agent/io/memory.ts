/** Gives memory back before V8 would: buffers lie outside of its heap, and looking for those that are done with is dear. */
import { setFlagsFromString } from 'node:v8'

/**
 * For commands that read a lot: the heap is small, but the buffers outside of it make V8 collect garbage again and again.
 * Marking it step by step, as V8 does to avoid pauses, then takes a third of all time; at once it is ten milliseconds.
 * For the agent's own process: one with a large heap, such as that of a test, it makes several times slower.
 */
export function collectGarbageAtOnce(): void {
  setFlagsFromString('--no-incremental-marking')
}

/**
 * Frees the memory of a buffer that nobody uses any more, and of all others that share it: they are empty afterwards.
 * Left to V8, clearing up after each 64 MiB takes a third of the processor time of a restore.
 *
 * Buffers that Node may have cut from the pool of its small ones are left alone.
 */
export function freeNow({ buffer }: Buffer): void {
  if (buffer.byteLength > Buffer.poolSize) (buffer as ArrayBuffer).transfer(0)
}

/** For buffers that are used one after the other: each is freed when the next one, that does not share its memory, is told of. */
export function freeBehind(): (current: Buffer) => void {
  let previous: Buffer | undefined
  return (current) => {
    if (previous && previous.buffer !== current.buffer) freeNow(previous)
    previous = current
  }
}
