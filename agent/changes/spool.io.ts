/** Text that is written once, and read as often as it is wanted, compressed in a file that has no name. */
import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'
import { freeBehind, freeNow } from '../lib/buffers.io'
import { openUnlinkedFile, type UnlinkedFile } from '../host/unlinked-file.io'

const compress = promisify(zstdCompress)
const PIECE_BYTES = 1024 * 1024
const START_BYTES = 16 * 1024
const NOTHING = Buffer.alloc(0)
/** Pieces compressed at the same time, on Node's thread pool. */
const PIECES_IN_FLIGHT = 3
/** What is damaged on the disk must not be taken for what was written. */
const CHECKSUM = { params: { [constants.ZSTD_c_checksumFlag]: 1 } }

export interface Spool extends AsyncDisposable {
  /** A character for each byte. */
  add(text: string): Promise<void> | void
  /** To be called before it is read, and after the last `add`. */
  finish(): Promise<void>
  /** Complete zstd frames, at least one. Each piece is valid until the next one is asked for. */
  frames(): AsyncGenerator<Buffer, void, undefined>
  readonly sizeBytes: number
}

async function compressAndFree(text: Buffer, bytes: number): Promise<Buffer> {
  const compressed = await compress(text.subarray(0, bytes), CHECKSUM)
  freeNow(text)
  return compressed
}

/** @throws AgentError TARGET_UNFIT where there is no room for it */
export async function openSpool(): Promise<Spool> {
  return spoolInto(await openUnlinkedFile())
}

/** @param file - where its frames go, from now on */
export function spoolInto(file: Pick<UnlinkedFile, 'append' | 'read' | 'sizeBytes'> & AsyncDisposable): Spool {
  let text = NOTHING
  let bytes = 0
  let isEmpty = true
  const pending: Promise<Buffer>[] = []

  const settle = async (most: number): Promise<void> => {
    while (pending.length > most) {
      const frame = (await pending.shift()) as Buffer
      await file.append(frame)
      freeNow(frame)
    }
  }
  const flush = (): Promise<void> => {
    const compressed = compressAndFree(text, bytes)
    compressed.catch(() => undefined) // whoever waits for it is told
    pending.push(compressed)
    text = NOTHING
    bytes = 0
    isEmpty = false
    return settle(PIECES_IN_FLIGHT)
  }
  /** Most spools are small, and memory outside of V8's heap is not soon given back. */
  const grow = (wanted: number): void => {
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, Math.min(2 * text.length, PIECE_BYTES), START_BYTES))
    text.copy(larger, 0, 0, bytes)
    freeNow(text)
    text = larger
  }
  return {
    add(more) {
      const room = bytes > 0 && bytes + more.length > PIECE_BYTES ? flush() : undefined
      if (bytes + more.length > text.length) grow(bytes + more.length)
      bytes += text.write(more, bytes, 'latin1')
      return room
    },
    async finish() {
      if (bytes > 0 || isEmpty) await flush()
      await settle(0)
    },
    async *frames() {
      const use = freeBehind()
      for (let offset = 0; offset < file.sizeBytes; offset += PIECE_BYTES) {
        const piece = await file.read(offset, Math.min(PIECE_BYTES, file.sizeBytes - offset))
        use(piece)
        yield piece
      }
    },
    get sizeBytes() {
      return file.sizeBytes
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
}
