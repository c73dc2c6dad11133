/** Which stored bytes to fetch for a piece of the tar stream: the mirror of how the pipeline cuts it into frames. */
import { onPage } from '../pages'
import { AgentError } from '../errors'
import { FRAME_BYTES, type Archive, type Segment } from './archive'
import { FRAMES_PER_LINE, type CatalogFrames } from './catalog'
import type { RawRange, CatalogEntry, Renaming, Piece } from '../tar/entry'

/**
 * Stored bytes fetched by one request, unless a single frame is larger. Small enough that many connections fit into
 * memory, large enough that a request's round trip does not count.
 */
export const READ_BYTES = 4 * 1024 * 1024

/** Cuts so many bytes into pieces, one as long as the other, and the rest. */
export function* cut(bytes: number, pieceBytes: number): Generator<RawRange> {
  for (let offset = 0; offset < bytes; offset += pieceBytes) {
    yield { offset, bytes: Math.min(pieceBytes, bytes - offset) }
  }
}

/** Ranges in ascending order, as a stream has them. */
export function inOrder(ranges: readonly RawRange[]): RawRange[] {
  return ranges.toSorted((a, b) => a.offset - b.offset)
}

/** Where every frame of an archive is stored. */
export interface FrameTable {
  /** By index of the frame. */
  readonly storedBytes: readonly number[]
  /** By index of the frame: where it starts in its segment. */
  readonly storedOffsets: readonly number[]
  /** By index of the frame, with compression `none` only. */
  readonly crc32?: readonly number[]
}

export interface FrameLocation {
  readonly index: number
  readonly rawOffset: number
  readonly rawBytes: number
  /** In its segment. */
  readonly storedOffset: number
  readonly storedBytes: number
  readonly crc32?: number
}

/** One ranged read of a segment, and the frames that it brings; none where it brings the seek table. */
export interface StoredRead {
  /** Index in the archive's segments. */
  readonly segment: number
  readonly offset: number
  readonly bytes: number
  readonly frames: readonly FrameLocation[]
}

/**
 * What cannot be compressed grows a little: by 1/256 and some bytes (`ZSTD_compressBound` in zstd.h). Beyond twice the frame,
 * memory would be taken for what is no frame of ours.
 */
const STORED_FRAME_BYTES_MAX = 2 * FRAME_BYTES

/** Memory is taken by these numbers before anything is known to be true. */
function assertFramesReadable(archive: Archive): void {
  const { frameBytes, rawBytes, frames } = archive
  if (!(frameBytes > 0 && frameBytes <= FRAME_BYTES)) throw unfit(archive, `frames are of ${frameBytes} bytes`)
  if (Math.ceil(rawBytes / frameBytes) !== frames) throw unfit(archive, `${rawBytes} bytes are not in ${frames} frames`)
}

/**
 * Joins the catalog's frame lines into one table.
 *
 * @throws AgentError ARCHIVE_DAMAGED unless the lines cover every frame once and fit into the segments
 */
export function joinFrameTable(archive: Archive, lines: readonly CatalogFrames[]): FrameTable {
  assertFramesReadable(archive)
  const storedBytes: number[] = []
  const crc32: number[] = []
  for (const line of lines) {
    if (line.firstFrame !== storedBytes.length) {
      throw unfit(archive, `frame ${storedBytes.length} is followed by frame ${line.firstFrame}`)
    }
    for (const bytes of line.storedBytes) {
      if (!(bytes > 0 && bytes <= STORED_FRAME_BYTES_MAX)) throw unfit(archive, `it has a frame of ${bytes} bytes`)
      storedBytes.push(bytes)
    }
    for (const checksum of line.crc32 ?? []) crc32.push(checksum)
  }
  if (storedBytes.length !== archive.frames) {
    throw unfit(archive, `it lists ${storedBytes.length} frames, the archive has ${archive.frames}`)
  }
  if (archive.compression === 'none' && crc32.length !== storedBytes.length) {
    throw unfit(archive, `it has checksums for ${crc32.length} of ${storedBytes.length} frames`)
  }
  return { ...placeFrames(archive, storedBytes), ...(archive.compression === 'none' && { crc32 }) }
}

/**
 * The table of an archive whose frames have these stored sizes, without checksums.
 *
 * @throws AgentError ARCHIVE_DAMAGED where they do not fit into the segments
 */
export function placeFrames(archive: Archive, storedBytes: readonly number[]): FrameTable {
  assertFramesReadable(archive)
  const storedOffsets: number[] = []
  for (const segment of archive.segments) {
    let offset = 0
    const [first, end] = framesOf(archive, segment)
    for (let index = first; index < end; index++) {
      storedOffsets.push(offset)
      offset += storedBytes[index] ?? 0
    }
    if (offset > segment.sizeBytes) {
      throw unfit(archive, `the frames of ${segment.key} take ${offset} bytes, the object has ${segment.sizeBytes}`)
    }
  }
  return { storedBytes, storedOffsets }
}

/** The table of a whole archive: the frames of the base, and those of the differential one behind them. */
export function joinTables(base: FrameTable, own: FrameTable): FrameTable {
  return {
    storedBytes: [...base.storedBytes, ...own.storedBytes],
    storedOffsets: [...base.storedOffsets, ...own.storedOffsets],
    ...(base.crc32 && own.crc32 && { crc32: [...base.crc32, ...own.crc32] }),
  }
}

/** The lines of the catalog that say what the table says: the mirror of `joinFrameTable`. */
export function* splitFrameTable(archive: Archive, table: FrameTable): Generator<CatalogFrames> {
  for (const [segment, current] of archive.segments.entries()) {
    const [first, end] = framesOf(archive, current)
    for (let firstFrame = first; firstFrame < end; firstFrame += FRAMES_PER_LINE) {
      const next = Math.min(firstFrame + FRAMES_PER_LINE, end)
      yield {
        segment,
        firstFrame,
        storedBytes: table.storedBytes.slice(firstFrame, next),
        ...(table.crc32 && { crc32: table.crc32.slice(firstFrame, next) }),
      }
    }
  }
}

/**
 * The reads that bring every frame touched by the ranges, each frame once, in order.
 *
 * @param ranges - in ascending order, not overlapping, within the tar stream
 */
export function* planReads(archive: Archive, table: FrameTable, ranges: Iterable<RawRange>): Generator<StoredRead> {
  let frames: FrameLocation[] = []
  let segment = 0
  let next = 0
  for (const range of ranges) {
    const end = Math.ceil((range.offset + range.bytes) / archive.frameBytes)
    for (let index = Math.max(next, Math.floor(range.offset / archive.frameBytes)); index < end; index++) {
      const owner = segmentAt(archive, index * archive.frameBytes, segment)
      const location = locate(archive, table, index, owner)
      if (frames.length > 0 && !(owner === segment && index === next && storedSum(frames, location) <= READ_BYTES)) {
        yield readOf(segment, frames)
        frames = []
      }
      segment = owner
      frames.push(location)
      next = index + 1
    }
  }
  if (frames.length > 0) yield readOf(segment, frames)
}

/** The reads that bring every byte of every segment, seek tables included. */
export function* planWholeReads(archive: Archive, table: FrameTable): Generator<StoredRead> {
  for (const [index, segment] of archive.segments.entries()) {
    yield* planReads(archive, table, [{ offset: segment.rawOffset, bytes: segment.rawBytes }])
    const last = framesOf(archive, segment)[1] - 1
    const offset = (table.storedOffsets[last] ?? 0) + (table.storedBytes[last] ?? 0)
    if (offset < segment.sizeBytes) yield { segment: index, offset, bytes: segment.sizeBytes - offset, frames: [] }
  }
}

function framesOf(archive: Archive, segment: Segment): [first: number, end: number] {
  const end = segment.rawOffset + segment.rawBytes
  return [segment.rawOffset / archive.frameBytes, Math.ceil(end / archive.frameBytes)]
}

/** @param owner - index of the segment that has it */
function locate(archive: Archive, table: FrameTable, index: number, owner: number): FrameLocation {
  const rawOffset = index * archive.frameBytes
  const segment = archive.segments[owner]
  const end = segment ? segment.rawOffset + segment.rawBytes : archive.rawBytes
  const checksum = table.crc32?.[index]
  return {
    index,
    rawOffset,
    rawBytes: Math.min(archive.frameBytes, end - rawOffset),
    storedOffset: table.storedOffsets[index] ?? 0,
    storedBytes: table.storedBytes[index] ?? 0,
    ...(checksum !== undefined && { crc32: checksum }),
  }
}

/** @param from - index of a segment that starts at or before the offset */
function segmentAt(archive: Archive, rawOffset: number, from: number): number {
  let index = from
  while (rawOffset >= (archive.segments[index + 1]?.rawOffset ?? Infinity)) index++
  return index
}

function storedSum(frames: readonly FrameLocation[], next: FrameLocation): number {
  return next.storedOffset + next.storedBytes - (frames[0]?.storedOffset ?? 0)
}

function readOf(segment: number, frames: readonly FrameLocation[]): StoredRead {
  const offset = frames[0]?.storedOffset ?? 0
  return { segment, offset, bytes: frames.reduce((sum, frame) => sum + frame.storedBytes, 0), frames }
}

function unfit(archive: Archive, what: string): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', `the frame table in ${archive.catalog.key} is wrong: ${what}`, {
    hint: `The archive itself may be good: restore it by hand as ${onPage('restore-by-hand')} says, and keep the catalog for analysis.`,
  })
}

/** Collects entries in the order of the archive into as few pieces as possible. */
export function collectPieces(): {
  readonly add: (entry: CatalogEntry, renaming?: Renaming) => void
  readonly list: () => Piece[]
} {
  const pieces: Piece[] = []
  return {
    add({ offset, bytes }, renaming) {
      const last = pieces.at(-1)
      if (last && !last.renaming && !renaming && last.offset + last.bytes === offset) {
        pieces[pieces.length - 1] = { offset: last.offset, bytes: last.bytes + bytes }
      } else pieces.push({ offset, bytes, ...(renaming && { renaming }) })
    },
    list: () => pieces,
  }
}
