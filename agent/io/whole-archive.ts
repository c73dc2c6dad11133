/** Reads an archive whole, seek tables included, and compares every segment with what the manifest says of it. */
import { crc32 } from 'node:zlib'
import { formatCrc32, type Archive, type Segment } from '../plan/archive'
import { placeFrames, planWholeReads, type FrameTable } from '../plan/reads'
import { formatSeekTable, parseSeekTable, seekTableBytes } from '../plan/seek-table'
import { VERIFY_HINTS, type Report } from '../plan/verification'
import { decodeFrames, fetchReads, type Decoded, type Fetched, type ReaderDeps } from './reader'

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
      const table = await deps.store.getRange(segment.key, segment.sizeBytes - bytes, bytes, deps.signal)
      for (const stored of parseSeekTable(table, segment, frameBytes)) storedBytes.push(stored)
    }
  }
  return placeFrames(archive, storedBytes)
}

/**
 * Every frame of an archive in order, with its checksum checked, and each segment's CRC32 and seek table when it is
 * complete.
 *
 * @param table - frames of which it has no checksum get the one that they were read with: that of their segment proves it
 */
export function readWholeArchive(
  deps: ReaderDeps,
  archive: Archive,
  table: FrameTable,
  report: Report,
): AsyncIterable<Decoded> {
  const fetched = fetchReads(deps, archive, planWholeReads(archive, table))
  const known = archive.compression === 'none' && !table.crc32 ? addChecksums(fetched) : fetched
  return decodeFrames(deps, archive, checkSegments(archive, table, known, report))
}

async function* addChecksums(fetched: AsyncIterable<Fetched>): AsyncGenerator<Fetched> {
  for await (const result of fetched) {
    if ('damage' in result) yield result
    else {
      const { read, stored } = result
      const frames = read.frames.map((place) => {
        const start = place.storedOffset - read.offset
        return { ...place, crc32: crc32(stored.subarray(start, start + place.storedBytes)) }
      })
      yield { stored, read: { ...read, frames } }
    }
  }
}

/** Passes on what was fetched, and compares each segment's CRC32 and seek table when it is complete. */
async function* checkSegments(
  archive: Archive,
  table: FrameTable,
  fetched: AsyncIterable<Fetched>,
  report: Report,
): AsyncGenerator<Fetched> {
  const checksums = archive.segments.map(() => 0)
  const incomplete = new Set<Segment>()
  for await (const result of fetched) {
    const { segment: index, offset, bytes, frames } = result.read
    const segment = archive.segments[index] as Segment
    if ('damage' in result) {
      // Of all that is read, only the seek table has no frame that would be told of.
      if (frames.length === 0 && !incomplete.has(segment)) report(result.damage.message, VERIFY_HINTS.damaged)
      incomplete.add(segment)
    } else {
      const checksum = crc32(result.stored, checksums[index])
      checksums[index] = checksum
      if (frames.length === 0 && !result.stored.equals(expectedSeekTable(archive, table, segment))) {
        report(`the seek table at the end of ${segment.key} does not match its frames`, VERIFY_HINTS.damaged)
      }
      const complete = offset + bytes === segment.sizeBytes && !incomplete.has(segment)
      if (complete && formatCrc32(checksum) !== segment.crc32) {
        const found = formatCrc32(checksum)
        report(`${segment.key} was read with CRC32 ${found}, the manifest says ${segment.crc32}`, VERIFY_HINTS.damaged)
      }
    }
    yield result
  }
}

function expectedSeekTable(archive: Archive, table: FrameTable, { rawOffset, rawBytes }: Segment): Buffer {
  const first = rawOffset / archive.frameBytes
  const end = Math.ceil((rawOffset + rawBytes) / archive.frameBytes)
  return formatSeekTable(table.storedBytes.slice(first, end), rawBytes, archive.frameBytes)
}
