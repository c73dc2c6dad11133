/** The outer structure of a Zstandard frame (RFC 8878, section 3.1.1): enough to see where it ends. */

const MAGIC = 0xfd2fb528
const BLOCK_HEADER_BYTES = 3
const CHECKSUM_BYTES = 4
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const
const RLE_BLOCK = 1

/** Magic number and descriptor. */
const FRAME_START_BYTES = 5

/**
 * Finds where frames end in a row of them, given in pieces of any size: returns a function that takes the next piece and
 * tells at which places in it a frame has come to its end. Behind what is no frame, none is found any more.
 */
export function frameEndFinder(): (piece: Buffer) => number[] {
  let field = 0 // what was read of the current field, which is a number, little-endian
  let fieldBytes = 0
  let wantedBytes = FRAME_START_BYTES
  let skip = 0 // bytes up to the next field, or to the end
  let hasChecksum = false
  let isEnding = false

  function takeFrameStart(): void {
    const descriptor = Math.floor(field / 2 ** 32)
    if (field % 2 ** 32 !== MAGIC) skip = Infinity
    else skip = headerRestBytes(descriptor)
    hasChecksum = (descriptor & 0x04) !== 0
    wantedBytes = BLOCK_HEADER_BYTES
  }

  function takeBlockHeader(): void {
    const isRepeated = ((field >> 1) & 3) === RLE_BLOCK
    skip = isRepeated ? 1 : field >> 3
    isEnding = (field & 1) === 1
    if (isEnding && hasChecksum) skip += CHECKSUM_BYTES
  }

  function takeByte(byte: number): void {
    field += byte * 2 ** (8 * fieldBytes)
    if (++fieldBytes < wantedBytes) return
    if (wantedBytes === FRAME_START_BYTES) takeFrameStart()
    else takeBlockHeader()
    field = 0
    fieldBytes = 0
  }

  return (piece) => {
    const ends: number[] = []
    for (let at = 0; at < piece.length;) {
      const passed = Math.min(skip, piece.length - at)
      at += passed
      skip -= passed
      if (passed === 0) takeByte(piece[at++] as number)
      if (skip > 0 || !isEnding) continue
      ends.push(at)
      isEnding = false
      wantedBytes = FRAME_START_BYTES
    }
    return ends
  }
}

/** What follows the descriptor in front of the first block. */
function headerRestBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0
  const contentSizeFlag = descriptor >> 6
  const contentSizeBytes = contentSizeFlag === 0 && isSingleSegment ? 1 : (CONTENT_SIZE_BYTES[contentSizeFlag] ?? 0)
  const windowBytes = isSingleSegment ? 0 : 1
  return windowBytes + (DICTIONARY_ID_BYTES[descriptor & 3] ?? 0) + contentSizeBytes
}

/**
 * Whether the bytes are exactly one whole frame: nothing missing at its end, and nothing behind it.
 *
 * @param pieces - of the frame, one behind the other: to join them would cost as much as to compress them
 */
export function isWholeFrame(pieces: readonly Buffer[]): boolean {
  const findEnds = frameEndFinder()
  let bytes = 0
  const ends: number[] = []
  for (const piece of pieces) {
    ends.push(...findEnds(piece).map((end) => bytes + end))
    bytes += piece.length
  }
  return ends.length === 1 && ends[0] === bytes
}
