/** What a manifest claims, held against the place where it lies, against itself, and against the format. */
import { isSameName } from '../archive/catalog-claims'
import { catalogKey, dataKey, removedKey, type RunKey } from '../contract'
import { FRAME_BYTES, SEGMENT_BYTES, SEGMENT_FRAMES_MAX, type Archive } from '../archive/archive'
import { BLOCK_BYTES } from '../tar/layout'
import { formatOf, type Base, type Manifest, type VolumeBackup } from './manifest'
import { volumeNameOf } from '../source/record'

/**
 * The least that a frame takes in a segment: magic number, descriptor, size, an RLE block and a checksum (RFC 8878, section
 * 3.1.1), and its line in the seek table.
 */
const STORED_FRAME_BYTES_MIN = 4 + 1 + 1 + 4 + 4 + 8

/** The first thing that cannot be true of a run that lies there; undefined where all agrees. */
export function findContradiction(manifest: Manifest, runKey: RunKey): string | undefined {
  for (const field of ['host', 'class', 'run'] as const) {
    if (manifest[field] !== runKey[field]) return `it says that its ${field} is '${manifest[field]}'`
  }
  const { volumes, failures } = manifest
  // A run of which nothing is good is not published: one of nothing would be good whatever is done with it.
  if (volumes.length === 0) return 'it has no volume'
  if (manifest.status === 'complete' && (failures.length > 0 || volumes.some(({ warnings }) => warnings))) {
    return 'it says that it is complete, and has failures or warnings'
  }
  for (const field of ['volume', 'mountPoint'] as const) {
    const twice = findTwice(volumes.map((backup) => backup[field]))
    if (twice !== undefined) return `it has two volumes '${twice}'`
  }
  if (manifest.format !== 1 && manifest.format !== formatOf(volumes))
    return `it says that its format is ${manifest.format}`
  for (const backup of volumes) {
    const wrong = findInVolume(backup, runKey)
    if (wrong !== undefined) return `its volume '${backup.volume}' ${wrong}`
  }
  return undefined
}

function findTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>()
  return names.find((name) => seen.size === seen.add(name).size)
}

function findInVolume(backup: VolumeBackup, runKey: RunKey): string | undefined {
  const { volume, archive } = backup
  const name = volumeNameOf(backup)
  if (volume !== name) return `is '${name}' by its source`
  return findInArchive(archive, volume, runKey) ?? findInLevel(backup, runKey) ?? findInLeftOut(backup)
}

function findInArchive(archive: Archive, volume: string, runKey: RunKey): string | undefined {
  const { catalog, frameBytes, frames, entries, rawBytes } = archive
  if (frameBytes !== FRAME_BYTES) return `has frames of ${frameBytes} bytes, not ${FRAME_BYTES}`
  if (catalog.key !== catalogKey(runKey, volume)) return `has a catalog that lies elsewhere: ${catalog.key}`
  if (frames !== Math.ceil(rawBytes / FRAME_BYTES)) return `has ${frames} frames of ${rawBytes} bytes`
  if (entries > rawBytes / BLOCK_BYTES) return `has ${entries} entries in ${rawBytes} bytes`
  return findInSegments(archive, (index) => dataKey(runKey, volume, archive.compression, index))
}

function findInLeftOut({ leftOut }: VolumeBackup): string | undefined {
  if (!leftOut) return undefined
  if (leftOut.count < leftOut.first.length)
    return `names ${leftOut.first.length} of ${leftOut.count} directories left out`
  const isGood = leftOut.first.every(({ path, path64 }) => path64 === undefined || isSameName(path64, path))
  return isGood ? undefined : 'has a directory left out of which the two names differ'
}

/** What is read as all of its volume must be that: a differential archive with its base, a full one alone. */
function findInLevel(backup: VolumeBackup, runKey: RunKey): string | undefined {
  const { volume, level, base, removed, archive } = backup
  if (level === 'full') return base || removed ? 'is full, and names a base or what is removed' : undefined
  if (!base || !removed) return 'is differential, and does not say to what'
  if (removed.key !== removedKey(runKey, volume))
    return `has a list of what is removed that lies elsewhere: ${removed.key}`
  if (base.archive.compression !== archive.compression) return 'has a base of another compression'
  const wrong = findInBase(base, { volume, takenAt: new Date(backup.snapshot.takenAt) }, runKey)
  return wrong === undefined ? undefined : `has a base that ${wrong}`
}

/**
 * The base is one of the same host, class and volume; and earlier, so that nothing can be its own base.
 *
 * @returns what it is or has that it must not, in words that follow its name
 */
export function findInBase(
  base: Base,
  { volume, takenAt }: { readonly volume: string; readonly takenAt: Date },
  runKey: RunKey,
): string | undefined {
  if (base.run >= runKey.run || !(Date.parse(base.takenAt) < takenAt.getTime())) return `is not earlier: ${base.run}`
  return findInArchive(base.archive, volume, { ...runKey, run: base.run })
}

function findInSegments(archive: Archive, keyOf: (index: number) => string): string | undefined {
  const { segments, compression } = archive
  let rawOffset = 0
  let storedBytes = 0
  for (const [index, segment] of segments.entries()) {
    const { key, sizeBytes, rawBytes } = segment
    if (key !== keyOf(index)) return `has a segment that lies elsewhere: ${key}`
    if (segment.rawOffset !== rawOffset) return `has a segment that does not follow the one before it: ${key}`
    if (index < segments.length - 1 && rawBytes % FRAME_BYTES !== 0)
      return `has a segment that ends amid a frame: ${key}`
    const frames = Math.ceil(rawBytes / FRAME_BYTES)
    const fits = compression === 'none' ? sizeBytes === rawBytes : sizeBytes >= frames * STORED_FRAME_BYTES_MIN
    if (!fits || sizeBytes > SEGMENT_BYTES || frames > SEGMENT_FRAMES_MAX) {
      return `has a segment of ${rawBytes} bytes in ${sizeBytes}: ${key}`
    }
    rawOffset += rawBytes
    storedBytes += sizeBytes
  }
  if (rawOffset !== archive.rawBytes) return `has ${archive.rawBytes} bytes, and segments of ${rawOffset}`
  if (storedBytes !== archive.storedBytes)
    return `has ${archive.storedBytes} bytes stored, and segments of ${storedBytes}`
  return undefined
}
