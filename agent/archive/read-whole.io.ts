/** Reads an archive whole, seek tables included, and compares every segment with what the manifest says of it. */
import { crc32 } from 'node:zlib'
import { AgentError } from '../errors'
import { type Archive, type Segment } from './archive'
import { cut, placeFrames, planWholeReads, READ_BYTES, type FrameTable } from './frame-reads'
import { formatSeekTable, parseSeekTable, seekTableBytes } from './seek-table'
import { reportingDamage } from './segment-status.io'
import { mapInOrder } from '../lib/in-order.io'
import { freeNow } from '../lib/buffers.io'
import { AGAIN, readTwice, useOrReadAgain } from '../bucket/read-again'
import { decodeFrames, fetchReads, type Decoded, type Fetched, type ReaderDeps } from './read.io'
import { VERIFY_HINTS, type Report } from './findings'
import type { RangeReadOptions } from '../context'
import { digestStored } from './stored-digest.io'

/** Of a reading that comes to a checksum alone; with `READ_BYTES` each, no more memory than other readings take. */
const CHECKSUM_READS_IN_FLIGHT = 4

/**
 * Where every frame is stored, as the archive itself says, for want of a catalog: one request per compressed segment. The
 * frames of an uncompressed archive have no checksums in it.
 *
 * @throws AgentError ARCHIVE_DAMAGED, OBJECT_MISSING, OBJECT_ARCHIVED
 */
export async function readFrameTable(deps: ReaderDeps, archive: Archive): Promise<FrameTable> {
  const { frameBytes } = archive
  const storedBytes: number[] = []
  for (const segment of archive.segments) {
    const frames = Math.ceil(segment.rawBytes / frameBytes)
    if (archive.compression === 'none') {
      for (let frame = 0; frame < frames; frame++) {
        storedBytes.push(Math.min(frameBytes, segment.rawBytes - frame * frameBytes))
      }
    } else {
      const bytes = seekTableBytes(frames)
      const read = (how?: RangeReadOptions) =>
        deps.store.getRange(segment.key, segment.sizeBytes - bytes, bytes, deps.signal, how)
      const table = await readTwice(read)
      const parse = () => parseSeekTable(table, segment, frameBytes)
      for (const stored of await useOrReadAgain(table, parse, read, `the end of ${segment.key}`)) {
        storedBytes.push(stored)
      }
    }
  }
  return placeFrames(archive, storedBytes)
}

/**
 * Every frame of an archive in order, with its checksum checked, and each segment's CRC32, SHA-256 and seek table when it
 * is complete.
 *
 * @param table - frames of which it has no checksum get the one that they were read with: that of their segment proves it
 */
export async function* readWholeArchive(
  deps: ReaderDeps,
  archive: Archive,
  table: FrameTable,
  report: Report,
): AsyncGenerator<Decoded, void, undefined> {
  const fetched = fetchReads(deps, archive, planWholeReads(archive, table))
  const isUnchecked = archive.compression === 'none' && !table.crc32
  const known = isUnchecked ? addChecksums(fetched) : fetched
  const tables = new Map<number, Fetched>()
  const segments = segmentChecker(deps, archive, table, tables, report, isUnchecked)
  for await (const decoded of decodeFrames(deps, archive, keepSeekTables(known, tables))) {
    await segments.take(decoded)
    yield decoded
  }
  await segments.finish()
}

async function* addChecksums(fetched: AsyncIterable<Fetched>): AsyncGenerator<Fetched> {
  for await (const result of fetched) {
    if ('damage' in result) yield result
    else {
      const { read, stored } = result
      const frames = read.frames.map((location) => {
        const start = location.storedOffset - read.offset
        return { ...location, crc32: crc32(stored.subarray(start, start + location.storedBytes)) }
      })
      yield { stored, read: { ...read, frames } }
    }
  }
}

/** Remembers the reads that bring no frame: the end of each segment, its seek table. They come before what follows them. */
async function* keepSeekTables(fetched: AsyncIterable<Fetched>, tables: Map<number, Fetched>): AsyncGenerator<Fetched> {
  for await (const result of fetched) {
    if (result.read.frames.length === 0) tables.set(result.read.segment, result)
    yield result
  }
}

/** Compares each segment's CRC32 and seek table with what they have to be, once it was read whole. */
function segmentChecker(
  deps: ReaderDeps,
  archive: Archive,
  table: FrameTable,
  tables: Map<number, Fetched>,
  report: Report,
  isUnchecked: boolean,
) {
  const digestAt = (at: number) => digestStored(archive.segments[at] as Segment)
  let index = 0
  let digest = digestAt(index)
  let state: 'whole' | 'damaged' | 'incomplete' = 'whole'

  const takeSeekTable = async (segment: Segment, end: Fetched): Promise<void> => {
    if ('damage' in end) {
      // Of all that is read, only the seek table has no frame that would be told of.
      if (state !== 'incomplete') report(end.damage.message, VERIFY_HINTS.damaged)
      state = 'incomplete'
      return
    }
    const expected = expectedSeekTable(archive, table, segment)
    const { read, stored } = end
    const readAgain = (how: RangeReadOptions) =>
      deps.store.getRange(segment.key, read.offset, read.bytes, deps.signal, how)
    await reportingDamage(report, VERIFY_HINTS.damaged, () =>
      useOrReadAgain(stored, () => assertEqual(segment, stored, expected), readAgain, `the end of ${segment.key}`),
    )
    digest.update(stored)
  }
  const finishSegment = async (): Promise<void> => {
    const segment = archive.segments[index] as Segment
    const end = tables.get(index)
    if (end) await takeSeekTable(segment, end)
    const difference = state === 'incomplete' ? undefined : digest.difference()
    if (difference !== undefined) {
      // Where frames have checksums of their own, and all are right, hardly anything is left that could be wrong. Where
      // they have none, what was given out of the segment is what was read wrong.
      const found = state === 'whole' && !isUnchecked ? await readDifference(deps, segment) : difference
      if (found !== undefined) report(`${segment.key} was read with ${found}`, VERIFY_HINTS.damaged)
    }
    tables.delete(index++)
    if (index < archive.segments.length) digest = digestAt(index)
    state = 'whole'
  }
  return {
    async take(decoded: Decoded): Promise<void> {
      while (decoded.location.rawOffset >= (archive.segments[index + 1]?.rawOffset ?? Infinity)) await finishSegment()
      if (!decoded.stored) state = 'incomplete'
      else digest.update(decoded.stored)
      if ('damage' in decoded && state === 'whole') state = 'damaged'
    },
    finish: finishSegment,
  }
}

/** What a second reading of the whole segment comes to, as `StoredDigest.difference` says it. */
async function readDifference({ store, signal }: ReaderDeps, segment: Segment): Promise<string | undefined> {
  const { key, sizeBytes } = segment
  const digest = digestStored(segment)
  const pieces = mapInOrder(cut(sizeBytes, READ_BYTES), CHECKSUM_READS_IN_FLIGHT, signal, ({ offset, bytes }, both) =>
    store.getRange(key, offset, bytes, both, AGAIN),
  )
  for await (const piece of pieces) {
    digest.update(piece)
    freeNow(piece)
  }
  return digest.difference()
}

function assertEqual({ key }: Segment, stored: Buffer, expected: Buffer): void {
  if (stored.equals(expected)) return
  throw new AgentError('ARCHIVE_DAMAGED', `the seek table at the end of ${key} does not match its frames`, {
    hint: VERIFY_HINTS.damaged,
  })
}

function expectedSeekTable(archive: Archive, table: FrameTable, { rawOffset, rawBytes }: Segment): Buffer {
  const first = rawOffset / archive.frameBytes
  const end = Math.ceil((rawOffset + rawBytes) / archive.frameBytes)
  return formatSeekTable(table.storedBytes.slice(first, end), rawBytes, archive.frameBytes)
}
