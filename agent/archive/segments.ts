/** Cuts the frames of an archive into objects. */
import { FRAME_BYTES, SEGMENT_FRAMES_MAX } from './archive'
import { FRAMES_PER_LINE, type CatalogFrames } from './catalog'
import { formatSeekTable, seekTableBytes } from './seek-table'
import type { ObjectWriter } from '../bucket/upload.io'

export interface SegmentsOptions {
  readonly compressed: boolean
  readonly segmentBytes: number
  readonly open: (segment: number) => ObjectWriter
  /** Called with the frames' places, in order, as they become known. */
  readonly onFrames: (frames: CatalogFrames) => void
}

/** A segment whose bytes are all sent, and which is still to be completed. */
export interface WrittenSegment {
  readonly object: ObjectWriter
  readonly rawOffset: number
  readonly rawBytes: number
}

/** One call at a time. */
export interface SegmentWriter {
  /** Room for one frame that is stored as it is. */
  reserve(): Promise<Buffer>
  /** Takes the frame at the beginning of the reserved room; `held` as in `ObjectWriter.commit`. */
  commit(rawBytes: number, crc32: number, held: Promise<void>): void
  /** Stores a compressed frame, given in pieces. */
  append(frame: readonly Uint8Array[], rawBytes: number): Promise<void>
  /** Waits until everything is sent. */
  finish(): Promise<{ readonly segments: readonly WrittenSegment[]; readonly frames: number }>
}

interface OpenSegment extends WrittenSegment {
  rawBytes: number
  /** Of each of its frames. */
  readonly storedBytes: number[]
  readonly crc32: number[]
  /** How many of them the catalog has. */
  recorded: number
}

export function writeSegments(options: SegmentsOptions): SegmentWriter {
  const written: OpenSegment[] = []
  let frames = 0
  let current = openNext()

  function openNext(): OpenSegment {
    const last = written.at(-1)
    const rawOffset = last ? last.rawOffset + last.rawBytes : 0
    return { object: options.open(written.length), rawOffset, rawBytes: 0, storedBytes: [], crc32: [], recorded: 0 }
  }

  async function closeSegment(): Promise<void> {
    record(current)
    const { object, storedBytes, rawBytes } = current
    if (options.compressed) await object.append(formatSeekTable(storedBytes, rawBytes, FRAME_BYTES))
    await object.finish()
    written.push(current)
  }

  /** Starts the next segment where a frame of this size does not fit into the current one. */
  async function makeRoom(bytes: number): Promise<void> {
    const count = current.storedBytes.length
    const tableBytes = options.compressed ? seekTableBytes(count + 1) : 0
    const fits = current.object.sizeBytes() + bytes + tableBytes <= options.segmentBytes && count < SEGMENT_FRAMES_MAX
    if (fits || count === 0) return
    await closeSegment()
    current = openNext()
  }

  function add(rawBytes: number, storedBytes: number, crc32?: number): void {
    current.rawBytes += rawBytes
    current.storedBytes.push(storedBytes)
    if (crc32 !== undefined) current.crc32.push(crc32)
    frames++
    if (current.storedBytes.length - current.recorded === FRAMES_PER_LINE) record(current)
  }

  function record(segment: OpenSegment): void {
    const { recorded, storedBytes, crc32 } = segment
    if (recorded === storedBytes.length) return
    options.onFrames({
      segment: written.length,
      firstFrame: frames - (storedBytes.length - recorded),
      storedBytes: storedBytes.slice(recorded),
      ...(!options.compressed && { crc32: crc32.slice(recorded) }),
    })
    segment.recorded = storedBytes.length
  }

  return {
    async reserve() {
      await makeRoom(FRAME_BYTES)
      return (await current.object.reserve()).subarray(0, FRAME_BYTES)
    },
    commit(rawBytes, crc32, held) {
      current.object.commit(rawBytes, crc32, held)
      add(rawBytes, rawBytes, crc32)
    },
    async append(frame, rawBytes) {
      const bytes = frame.reduce((sum, piece) => sum + piece.length, 0)
      await makeRoom(bytes)
      for (const piece of frame) await current.object.append(piece)
      add(rawBytes, bytes)
    },
    async finish() {
      if (current.rawBytes > 0) await closeSegment()
      return { segments: written, frames }
    },
  }
}
