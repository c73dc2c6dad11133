/** The outer structure of a Zstandard frame (RFC 8878, section 3.1.1): enough to see where it ends. */

const MAGIC = 0xfd2fb528
const BLOCK_HEADER_BYTES = 3
const CHECKSUM_BYTES = 4
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const
const RLE_BLOCK = 1

/** Whether the bytes are exactly one whole frame: nothing missing at its end, and nothing behind it. */
export function isWholeFrame(frame: Buffer): boolean {
  if (frame.length < 6 || frame.readUInt32LE(0) !== MAGIC) return false
  const descriptor = frame.readUInt8(4)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const contentSizeFlag = descriptor >> 6
  const contentSizeBytes = contentSizeFlag === 0 && isSingleSegment ? 1 : (CONTENT_SIZE_BYTES[contentSizeFlag] ?? 0)
  const windowBytes = isSingleSegment ? 0 : 1
  let at = 5 + windowBytes + (DICTIONARY_ID_BYTES[descriptor & 3] ?? 0) + contentSizeBytes
  for (let isLast = false; !isLast;) {
    if (at + BLOCK_HEADER_BYTES > frame.length) return false
    const header = frame.readUIntLE(at, BLOCK_HEADER_BYTES)
    isLast = (header & 1) === 1
    const isRepeated = ((header >> 1) & 3) === RLE_BLOCK
    at += BLOCK_HEADER_BYTES + (isRepeated ? 1 : header >> 3)
  }
  const hasChecksum = (descriptor & 0x04) !== 0
  return at + (hasChecksum ? CHECKSUM_BYTES : 0) === frame.length
}
