/** The outer structure of a Zstandard frame (RFC 8878, section 3.1.1): enough to see where it ends. */

const MAGIC = 0xfd2fb528
const BLOCK_HEADER_BYTES = 3
const CHECKSUM_BYTES = 4
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const
const RLE_BLOCK = 1

/**
 * Whether the bytes are exactly one whole frame: nothing missing at its end, and nothing behind it.
 *
 * @param pieces - of the frame, one behind the other: to join them would cost as much as to compress them
 */
export function isWholeFrame(pieces: readonly Buffer[]): boolean {
  if (readNumber(pieces, 0, 4) !== MAGIC) return false
  const descriptor = readNumber(pieces, 4, 1) ?? 0
  const isSingleSegment = (descriptor & 0x20) !== 0
  const contentSizeFlag = descriptor >> 6
  const contentSizeBytes = contentSizeFlag === 0 && isSingleSegment ? 1 : (CONTENT_SIZE_BYTES[contentSizeFlag] ?? 0)
  const windowBytes = isSingleSegment ? 0 : 1
  let at = 5 + windowBytes + (DICTIONARY_ID_BYTES[descriptor & 3] ?? 0) + contentSizeBytes
  for (let isLast = false; !isLast;) {
    const header = readNumber(pieces, at, BLOCK_HEADER_BYTES)
    if (header === undefined) return false
    isLast = (header & 1) === 1
    const isRepeated = ((header >> 1) & 3) === RLE_BLOCK
    at += BLOCK_HEADER_BYTES + (isRepeated ? 1 : header >> 3)
  }
  const hasChecksum = (descriptor & 0x04) !== 0
  return at + (hasChecksum ? CHECKSUM_BYTES : 0) === pieces.reduce((sum, { length }) => sum + length, 0)
}

/** Little-endian, as all of Zstandard is; undefined where the pieces end before it does. */
function readNumber(pieces: readonly Buffer[], at: number, bytes: number): number | undefined {
  let value = 0
  for (let place = at + bytes - 1; place >= at; place--) {
    const byte = byteAt(pieces, place)
    if (byte === undefined) return undefined
    value = value * 256 + byte
  }
  return value
}

function byteAt(pieces: readonly Buffer[], at: number): number | undefined {
  let start = 0
  for (const piece of pieces) {
    if (at < start + piece.length) return piece[at - start]
    start += piece.length
  }
  return undefined
}
