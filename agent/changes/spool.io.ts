/** Text that is written once, and read as often as it is wanted, compressed in a file that has no name. */
import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'
import { openUnlinkedFile, type UnlinkedFile } from '../host/unlinked-file.io'

const compress = promisify(zstdCompress)
const PIECE_BYTES = 1024 * 1024
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

/** @throws AgentError TARGET_UNFIT where there is no room for it */
export async function openSpool(): Promise<Spool> {
  return spoolInto(await openUnlinkedFile())
}

/** @param file - where its frames go, from now on */
export function spoolInto(file: Pick<UnlinkedFile, 'append' | 'read' | 'sizeBytes'> & AsyncDisposable): Spool {
  let texts: string[] = []
  let bytes = 0
  let isEmpty = true
  const pending: Promise<Buffer>[] = []

  const settle = async (most: number): Promise<void> => {
    while (pending.length > most) await file.append((await pending.shift()) as Buffer)
  }
  const flush = (): Promise<void> => {
    const compressed = compress(Buffer.from(texts.join(''), 'latin1'), CHECKSUM)
    compressed.catch(() => undefined) // whoever waits for it is told
    pending.push(compressed)
    texts = []
    bytes = 0
    isEmpty = false
    return settle(PIECES_IN_FLIGHT)
  }
  return {
    add(text) {
      texts.push(text)
      bytes += text.length
      return bytes < PIECE_BYTES ? undefined : flush()
    },
    async finish() {
      if (bytes > 0 || isEmpty) await flush()
      await settle(0)
    },
    async *frames() {
      for (let offset = 0; offset < file.sizeBytes; offset += PIECE_BYTES) {
        yield await file.read(offset, Math.min(PIECE_BYTES, file.sizeBytes - offset))
      }
    },
    get sizeBytes() {
      return file.sizeBytes
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
}
