/**
 * A differential archive together with its base, as one archive: the frames of the base, and those of the differential one
 * behind them. Whatever reads ranges of an archive reads this one too, as long as it asks for them in ascending order.
 */
import type { Archive } from './archive'

/** What is needed of a volume to read all of it. */
export interface ArchiveWithBase {
  readonly archive: Archive
  readonly base?: { readonly archive: Archive } | undefined
}

/** Where the differential archive's own stream starts in the whole one: behind all frames of the base. 0 without a base. */
export function ownOffset({ base }: ArchiveWithBase): number {
  return base ? base.archive.frames * base.archive.frameBytes : 0
}

/**
 * All of a volume: of one without a base, its archive. Catalog and number of entries are the differential archive's own.
 * Both have the same compression and frames of the same size (`findContradiction`).
 */
export function wholeArchive(volume: ArchiveWithBase): Archive {
  const { archive, base } = volume
  if (!base) return archive
  const shift = ownOffset(volume)
  return {
    ...archive,
    segments: [
      ...base.archive.segments,
      ...archive.segments.map((segment) => ({ ...segment, rawOffset: segment.rawOffset + shift })),
    ],
    rawBytes: shift + archive.rawBytes,
    storedBytes: base.archive.storedBytes + archive.storedBytes,
    frames: base.archive.frames + archive.frames,
  }
}
