/** Gives memory back before V8 would: buffers lie outside of its heap, and looking for those that are done with is dear. */
import { setFlagsFromString } from 'node:v8'

/**
 * What V8 is told, in its own words: the Node that ships with the agent has to know them.
 *
 * The heap of the agent is small, but the buffers outside of it make V8 collect garbage again and again. A small space for
 * young objects has it find those that died young, in a tenth of a millisecond, before there are so many that it looks
 * through the whole heap. Where it has to, it marks all at once in ten milliseconds: doing so step by step, to avoid
 * pauses, takes a third of all time.
 *
 * Code is compiled on the main thread the first time: a thread that does it may wait for the main thread to collect garbage,
 * and a process that exits meanwhile waits for that thread, for ever (nodejs/node, issue 54918; seen with Node 24.21).
 */
export const V8_FLAGS = [
  '--scavenger-max-new-space-capacity-mb=4',
  '--no-incremental-marking',
  '--no-concurrent-sparkplug',
] as const

/** For the agent's own process: one with a large heap, such as that of a test, is made several times slower. */
export function tuneGarbageCollection(): void {
  V8_FLAGS.forEach(setFlagsFromString)
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
