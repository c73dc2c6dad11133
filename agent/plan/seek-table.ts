/**
 * The seek table of the "Zstandard Seekable Format" (zstd's contrib/seekable_format, version 0.1.0): a skippable frame
 * at the end of a compressed segment, which tells readers of that format where each frame is. Other readers skip it.
 */

const SKIPPABLE_MAGIC = 0x184d2a5e
const SEEKABLE_MAGIC = 0x8f92eab1
const HEADER_BYTES = 8
const ENTRY_BYTES = 8
const FOOTER_BYTES = 9
/** No checksums in the table: each frame carries one of its own. */
const DESCRIPTOR = 0

export function seekTableBytes(frames: number): number {
  return HEADER_BYTES + frames * ENTRY_BYTES + FOOTER_BYTES
}

/**
 * @param storedBytes - compressed size of each frame of the segment
 * @param rawBytes - of the whole segment
 * @param frameBytes - raw size of every frame but the last
 */
export function formatSeekTable(storedBytes: readonly number[], rawBytes: number, frameBytes: number): Buffer {
  const table = Buffer.allocUnsafe(seekTableBytes(storedBytes.length))
  let at = table.writeUInt32LE(SKIPPABLE_MAGIC, 0)
  at = table.writeUInt32LE(table.length - HEADER_BYTES, at)
  let rest = rawBytes
  for (const bytes of storedBytes) {
    at = table.writeUInt32LE(bytes, at)
    at = table.writeUInt32LE(Math.min(frameBytes, rest), at)
    rest -= frameBytes
  }
  at = table.writeUInt32LE(storedBytes.length, at)
  at = table.writeUInt8(DESCRIPTOR, at)
  table.writeUInt32LE(SEEKABLE_MAGIC, at)
  return table
}
