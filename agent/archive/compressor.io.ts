import { constants, createZstdCompress } from 'node:zlib'
import { AgentError } from '../errors'
import { isWholeFrame } from './zstd-frame'
import { freeNow } from '../lib/buffers.io'

/** Makes one whole frame, in pieces, of what it is given. One call at a time: the next one frees the pieces. */
export type Compressor = (raw: Uint8Array) => Promise<readonly Buffer[]>

/**
 * Compresses independent frames, each with a checksum of its content, on Node's thread pool.
 *
 * One stream makes frame after frame: the one-shot functions of `node:zlib` start anew for each and join its pieces
 * into another buffer. For the same reason memory that was used up is freed at once: left to V8, clearing up after each
 * 64 MiB took a fourth of the processor time.
 *
 * Never set `ZSTD_c_nbWorkers` here: with Node's asynchronous functions it loses data without an error (seen with Node
 * 24.21 and 26.10).
 *
 * @param frameBytes - what it is given at most
 */
export function createCompressor(level: number, frameBytes: number): Compressor {
  const zstd = createZstdCompress({
    // Room for a whole frame at once: collecting it in the default 64 KiB pieces costs a third more CPU time.
    chunkSize: frameBytes + (frameBytes >> 8),
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
  })
  let pieces: Buffer[] = []
  let frame: readonly Buffer[] = []
  zstd.on('data', (piece: Buffer) => pieces.push(piece))

  return (raw) =>
    new Promise((resolve, reject) => {
      freeFilled(frame)
      zstd.once('error', reject)
      zstd.write(raw)
      zstd.flush(constants.ZSTD_e_end, () => {
        zstd.off('error', reject)
        frame = pieces
        pieces = []
        if (isWholeFrame(frame)) resolve(frame)
        else reject(unfinishedFrame())
      })
    })
}

/**
 * Frees all chunks that the pieces lie in but the last one: that is where Node writes on. A chunk is larger than what
 * Node would take out of a pool of its own, so it is ours alone.
 */
function freeFilled(pieces: readonly Buffer[]): void {
  const current = pieces.at(-1)?.buffer
  for (const piece of pieces) if (piece.buffer !== current) freeNow(piece)
}

/** That Node has given out all of a frame when it says so is nothing that its documentation promises. */
function unfinishedFrame(): AgentError {
  return new AgentError('ARCHIVE_FAILED', 'zstd did not give out whole frames', {
    hint: 'Nothing was stored. Run the backup with --compression none, and report which version of Node this is.',
  })
}
