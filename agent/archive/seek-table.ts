/**
 * The seek table of the "Zstandard Seekable Format" (zstd's contrib/seekable_format, version 0.1.0): a skippable frame
 * at the end of a compressed segment, which tells readers of that format where each frame is. Other readers skip it.
 */

import { onPage } from '../pages'
import { AgentError } from '../errors'

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

/**
 * The stored size of each frame of a segment.
 *
 * @param table - the last `seekTableBytes` bytes of the segment
 * @param segment - what the table has to agree with, and the key for messages
 * @throws AgentError ARCHIVE_DAMAGED unless it is, to the byte, what `formatSeekTable` makes for such a segment
 */
export function parseSeekTable(
  table: Buffer,
  segment: { readonly key: string; readonly sizeBytes: number; readonly rawBytes: number },
  frameBytes: number,
): number[] {
  const frames = Math.ceil(segment.rawBytes / frameBytes)
  const storedBytes: number[] = []
  for (let frame = 0; frame < frames && table.length === seekTableBytes(frames); frame++) {
    storedBytes.push(table.readUInt32LE(HEADER_BYTES + frame * ENTRY_BYTES))
  }
  const sum = storedBytes.reduce((total, bytes) => total + bytes, table.length)
  if (sum === segment.sizeBytes && formatSeekTable(storedBytes, segment.rawBytes, frameBytes).equals(table)) {
    return storedBytes
  }
  throw new AgentError('ARCHIVE_DAMAGED', `the seek table at the end of ${segment.key} does not match its segment`, {
    hint: `The frames before it may be good: restore them by hand as ${onPage('restore-by-hand')} says.`,
  })
}
