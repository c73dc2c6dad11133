/** Reads archives back: the mirror of the pipeline that writes them. */
import { promisify } from 'node:util'
import { crc32, zstdDecompress } from 'node:zlib'
import { AgentError, isDataLoss } from '../errors'
import { type Archive, type Segment } from './archive'
import { planReads, type FrameLocation, type FrameTable, type StoredRead } from './frame-reads'
import { isWholeFrame } from './zstd-frame'
import type { Deps, RangeReadOptions } from '../context'
import { mapInOrder } from '../lib/in-order.io'
import { freeBehind } from '../lib/buffers.io'
import { readTwice, useOrReadAgain } from '../bucket/read-again'
import { byteQueue, type ByteQueue } from '../lib/byte-queue'
import { formatCrc32 } from '../lib/crc32'
import type { RawRange } from '../tar/entry'

const unzstd = promisify(zstdDecompress)

/**
 * Connections that fetch ranges at the same time, at `READ_BYTES` of memory each. With the 80 MB/s that S3 gives to each of
 * them, and round trips in between, twenty-four bring about 1.4 GB/s. Where fewer are as fast as whoever reads, there are
 * fewer: what waits in memory also falls out of the processor's cache.
 */
const READS_IN_FLIGHT = { first: 4, most: 24 }
/** Frames decompressed at the same time: Node's thread pool has four threads. */
const FRAMES_IN_FLIGHT = 4

/** Byte 4 of a Zstandard frame is its descriptor; this bit says that a checksum of the content follows (RFC 8878). */
const ZSTD_DESCRIPTOR_OFFSET = 4
const ZSTD_CHECKSUM_FLAG = 0x04

const RESTORE_THE_REST =
  'Restore everything outside this frame with --best-effort, and look for the file in another run with "snapstream find".'

export type ReaderDeps = Pick<Deps, 'store' | 'signal'>

/** A read's bytes, or why there are none that can be trusted. */
export type Fetched = { readonly read: StoredRead } & ({ readonly stored: Buffer } | { readonly damage: AgentError })

/** A frame's piece of the tar stream, or why it is lost. */
export type Decoded = {
  readonly location: FrameLocation
  /** The frame as it is stored, good or not; absent where that could not be read. */
  readonly stored?: Buffer
} & ({ readonly raw: Buffer } | { readonly damage: AgentError })

/** Fetches the reads in parallel and yields them in order. What is missing or cut short twice is damage, not an error. */
export function fetchReads(deps: ReaderDeps, archive: Archive, reads: Iterable<StoredRead>): AsyncIterable<Fetched> {
  return mapInOrder(reads, READS_IN_FLIGHT, deps.signal, async (read, signal): Promise<Fetched> => {
    try {
      const key = keyOf(archive, read)
      return { read, stored: await readTwice((how) => deps.store.getRange(key, read.offset, read.bytes, signal, how)) }
    } catch (error) {
      if (isDataLoss(error)) return { read, damage: error }
      throw error
    }
  })
}

/**
 * Decompresses and checks every frame that was fetched, in parallel, and yields them in order. One that is not right is
 * fetched once more, by itself, before it is called damaged. Each is valid until the next one is asked for.
 *
 * @throws AgentError STORE_FAILED where a frame arrives different each time
 */
export async function* decodeFrames(
  deps: ReaderDeps,
  archive: Archive,
  fetched: AsyncIterable<Fetched>,
): AsyncGenerator<Decoded, void, undefined> {
  const unpack = archive.compression === 'none' ? checked : decompressed
  const decode = async (frame: FetchedFrame, signal: AbortSignal): Promise<Decoded> => {
    if ('damage' in frame) return frame
    const { location, stored } = frame
    const { key } = segmentOf(archive, location)
    const readAgain = (how: RangeReadOptions) =>
      deps.store.getRange(key, location.storedOffset, location.storedBytes, signal, how)
    try {
      const what = `frame ${location.index} in ${key}`
      return { location, stored, raw: await useOrReadAgain(stored, () => unpack(location, stored), readAgain, what) }
    } catch (cause) {
      if (cause instanceof AgentError && !isDataLoss(cause)) throw cause
      return { location, stored, damage: damagedFrame(archive, location, cause) }
    }
  }
  const useStored = freeBehind()
  for await (const decoded of mapInOrder(splitFrames(fetched), FRAMES_IN_FLIGHT, deps.signal, decode)) {
    // What is stored uncompressed is the frame itself, and freed by whoever uses that.
    if (decoded.stored && archive.compression !== 'none') useStored(decoded.stored)
    yield decoded
  }
}

/**
 * The bytes of the tar stream in the given ranges, one after the other, from as few ranged reads as they need. Memory is
 * bounded whatever the ranges: each piece is valid until the next one is asked for.
 *
 * @param ranges - in ascending order, not overlapping
 * @param onDamage - told of the frame for which it then throws
 * @throws AgentError ARCHIVE_DAMAGED with segment, frame and range where a frame does not match its checksum;
 * OBJECT_MISSING, OBJECT_ARCHIVED
 */
export async function* readRaw(
  deps: ReaderDeps,
  archive: Archive,
  table: FrameTable,
  ranges: readonly RawRange[],
  onDamage: (location: FrameLocation) => void = () => undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const use = freeBehind()
  let next = 0
  for await (const decoded of decodeFrames(
    deps,
    archive,
    fetchReads(deps, archive, planReads(archive, table, ranges)),
  )) {
    if ('damage' in decoded) {
      onDamage(decoded.location)
      throw decoded.damage
    }
    use(decoded.raw)
    const { rawOffset, rawBytes } = decoded.location
    for (let range = ranges[next]; range && range.offset < rawOffset + rawBytes; range = ranges[++next]) {
      const start = Math.max(range.offset - rawOffset, 0)
      const end = range.offset + range.bytes - rawOffset
      if (end > start) yield decoded.raw.subarray(start, Math.min(end, rawBytes))
      if (end > rawBytes) break // the rest of this range is in the next frame
    }
  }
}

/**
 * As `readRaw`, of a whole archive: the pieces come in the order in which they are given, in which those of the base ascend,
 * and those of the differential archive do.
 *
 * @param ownFrom - where in the whole archive the differential one starts; 0 where there is no base
 */
export async function* readPieces(
  deps: ReaderDeps,
  archive: Archive,
  table: FrameTable,
  pieces: readonly RawRange[],
  ownFrom: number,
  onDamage?: (location: FrameLocation) => void,
): AsyncGenerator<Buffer, void, undefined> {
  const isOwn = ({ offset }: RawRange): boolean => offset >= ownFrom
  if (ownFrom === 0) return yield* readRaw(deps, archive, table, pieces, onDamage)
  const [own, base] = [isOwn, (piece: RawRange) => !isOwn(piece)].map((isOf) =>
    byteQueue(readRaw(deps, archive, table, pieces.filter(isOf), onDamage)),
  ) as [ByteQueue, ByteQueue]
  try {
    for (const piece of pieces) yield* (isOwn(piece) ? own : base).take(piece.bytes)
  } finally {
    await Promise.all([own.close(), base.close()])
  }
}

function keyOf(archive: Archive, read: StoredRead): string {
  const segment = archive.segments[read.segment]
  if (!segment) throw new RangeError(`the archive has no segment ${read.segment}`)
  return segment.key
}

/** A frame as it is stored, or the reason for which all frames of its read are lost. */
type FetchedFrame = { readonly location: FrameLocation } & (
  { readonly stored: Buffer } | { readonly damage: AgentError }
)

async function* splitFrames(fetched: AsyncIterable<Fetched>): AsyncGenerator<FetchedFrame> {
  for await (const result of fetched) {
    for (const location of result.read.frames) {
      if ('damage' in result) {
        yield { location, damage: result.damage }
      } else {
        const start = location.storedOffset - result.read.offset
        yield { location, stored: result.stored.subarray(start, start + location.storedBytes) }
      }
    }
  }
}

async function decompressed(location: FrameLocation, stored: Buffer): Promise<Buffer> {
  const descriptor = stored[ZSTD_DESCRIPTOR_OFFSET] ?? 0
  if ((descriptor & ZSTD_CHECKSUM_FLAG) === 0) throw new Error('it bears no checksum')
  // What is behind a frame's end is dropped here, and read by whoever reads the object without us.
  if (!isWholeFrame([stored])) throw new Error('it is not one frame and nothing else')
  // An output buffer that holds the whole frame: with zlib's small ones decompression takes three times as long.
  const raw = await unzstd(stored, { chunkSize: location.rawBytes + 1, maxOutputLength: location.rawBytes })
  if (raw.length !== location.rawBytes) throw new Error(`it holds ${raw.length} bytes instead of ${location.rawBytes}`)
  return raw
}

function checked(location: FrameLocation, stored: Buffer): Buffer {
  const checksum = crc32(stored)
  if (checksum === location.crc32) return stored
  throw new Error(`its CRC32 is ${formatCrc32(checksum)} instead of ${formatCrc32(location.crc32 ?? 0)}`)
}

function segmentOf(archive: Archive, { rawOffset }: FrameLocation): Segment {
  const segment = archive.segments.findLast((candidate) => candidate.rawOffset <= rawOffset)
  if (!segment) throw new RangeError(`the archive has no segment with byte ${rawOffset} of the tar stream`)
  return segment
}

function damagedFrame(archive: Archive, location: FrameLocation, cause: unknown): AgentError {
  const reason = String(cause).replace(/^Error: /, '')
  return new AgentError(
    'ARCHIVE_DAMAGED',
    `frame ${location.index} in ${segmentOf(archive, location).key} at ${location.storedOffset}, ` +
      `bytes ${location.rawOffset} to ${location.rawOffset + location.rawBytes - 1} of the tar stream, is damaged: ${reason}`,
    { hint: RESTORE_THE_REST, cause },
  )
}
