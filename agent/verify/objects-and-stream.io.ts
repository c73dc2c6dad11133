/** Looks at what is stored of an archive: at the objects alone, or at every byte of them. */
import { createHash } from 'node:crypto'
import { hasCode, type AgentError } from '../errors'
import type { Archive, StoredObject } from '../archive/archive'
import { wholeArchive, type ArchiveWithBase } from '../archive/whole-archive'
import { compareEnd } from '../archive/catalog-lines'
import type { FrameTable } from '../archive/frame-reads'
import { rehearseRestore, type Rehearsal } from './restorable'
import { findYounger, TRUST_TIMES_HINT } from '../run/run-time'
import { reportingDamage } from '../archive/segment-status.io'
import { entryChecker, type StreamChecker } from './catalog-check'
import { lookUntilAgreed } from '../bucket/read-again'
import { readCatalogIndex, readOwnEntries } from '../archive/read-catalog.io'
import type { Decoded, ReaderDeps } from '../archive/read.io'
import { readFrameTable, readWholeArchive } from '../archive/read-whole.io'
import { VERIFY_HINTS, type Report } from '../archive/findings'
import type { ObjectHead } from '../context'
import { formatCrc32 } from '../lib/crc32'
import type { RawRange } from '../tar/entry'

/** What is stored of a volume: of a differential archive, its base and the list of what is gone too. */
export interface StoredVolume extends ArchiveWithBase {
  readonly removed?: StoredObject | undefined
}

export interface ObjectsFound {
  readonly objects: number
  readonly storageClasses: readonly string[]
  readonly withoutChecksum: number
}

/**
 * Asks the server about every object, again before something is wrong with it: whether it is there, its size, and its CRC32 where the server keeps one.
 *
 * @param writtenAt - of the manifest: nothing of the run may be younger
 */
export async function checkObjects(
  deps: ReaderDeps,
  { archive, base, removed }: StoredVolume,
  report: Report,
  writtenAt?: Date,
): Promise<ObjectsFound> {
  const storageClasses = new Set<string>()
  let withoutChecksum = 0
  const segments = wholeArchive({ archive, base }).segments
  const objects = [...segments, archive.catalog, ...(base ? [base.archive.catalog] : []), ...(removed ? [removed] : [])]
  for (const object of objects) {
    const look = () => headOf(deps, object.key)
    const head = await lookUntilAgreed(look, (seen) => whatDiffers(object, seen)[0], object.key)
    for (const what of whatDiffers(object, head)) report(what, head ? VERIFY_HINTS.damaged : VERIFY_HINTS.missing)
    if (!head) continue
    const younger = findYounger(object.key, head.lastModified, writtenAt)
    if (younger !== undefined) report(younger, TRUST_TIMES_HINT)
    if (segments.some(({ key }) => key === object.key)) storageClasses.add(head.storageClass)
    if (head.crc32 === undefined) withoutChecksum++
  }
  return { objects: objects.length, storageClasses: [...storageClasses], withoutChecksum }
}

/** Undefined where the object is missing. */
async function headOf({ store, signal }: ReaderDeps, key: string): Promise<ObjectHead | undefined> {
  try {
    return await store.head(key, signal)
  } catch (error) {
    if (!hasCode(error, 'OBJECT_MISSING')) throw error
    return undefined
  }
}

/** @param head - what the server says of the object; undefined where it is missing */
function whatDiffers({ key, sizeBytes, crc32 }: Archive['catalog'], head: ObjectHead | undefined): string[] {
  if (!head) return [`${key} is missing`]
  const found = head.crc32 === undefined ? crc32 : formatCrc32(head.crc32)
  return [
    ...(head.sizeBytes === sizeBytes ? [] : [`${key} has ${head.sizeBytes} bytes, the manifest says ${sizeBytes}`]),
    ...(found === crc32 ? [] : [`${key} has CRC32 ${found}, the manifest says ${crc32}`]),
  ]
}

export interface StreamRead {
  readonly frames: number
  readonly rawBytes: number
  readonly entries: number
  /** Of the entries: those that only tar itself can restore. */
  readonly undescribed: number
}

/**
 * Reads every byte of an archive back and compares it with manifest and catalog: each segment's CRC32 and seek table, each
 * frame's checksum, each segment's SHA-256, and each entry as both the catalog's scanner and node-tar read it, and whether
 * a restore would bring it back. Where the catalog is lost, that is a finding, and all else is read as the archive's own seek tables say.
 *
 * @param source - compares the stream with what it was made from
 * @throws AgentError OBJECT_ARCHIVED and whatever else prevents looking
 */
export async function checkStream(
  deps: ReaderDeps,
  archive: Archive,
  report: Report,
  source?: StreamChecker,
  mountPoint = '/',
): Promise<StreamRead> {
  const rehearsal = rehearseRestore(mountPoint)
  const catalogTable = await readCatalogTable(deps, archive, report, rehearsal)
  const table = catalogTable ?? (await readOwnTable(deps, archive, report))
  if (!table) return { frames: 0, rawBytes: 0, entries: 0, undescribed: 0 }

  await using entries = entryChecker(catalogTable && readOwnEntries(deps, archive), report, rehearsal)
  // Of runs of format 1, whose segments have none of their own.
  const hash = archive.sha256 === undefined ? undefined : createHash('sha256')
  const damage = damageRecorder(report)
  let frames = 0
  let rawBytes = 0
  for await (const decoded of readWholeArchive(deps, archive, table, report)) {
    damage.take(decoded)
    if ('damage' in decoded) continue
    frames++
    rawBytes += decoded.raw.length
    hash?.update(decoded.raw)
    // Behind a gap nobody can tell where an entry starts.
    if (damage.lost.length > 0) continue
    await entries.push(decoded.raw)
    await source?.push(decoded.raw)
  }
  damage.finish()
  if (damage.lost.length > 0) {
    if (catalogTable) await reportLostEntries(deps, archive, damage.lost, report)
    else report('without the catalog it is not known which entries are lost', VERIFY_HINTS.catalogLost)
  } else {
    await entries.finish()
    await source?.finish()
    const sha256 = hash?.digest('hex')
    if (sha256 !== archive.sha256) {
      report(
        `the tar stream has SHA-256 ${sha256 ?? ''}, the manifest says ${archive.sha256 ?? ''}`,
        VERIFY_HINTS.damaged,
      )
    }
  }
  return { frames, rawBytes, entries: entries.count(), undescribed: entries.undescribed() }
}

/** Undefined where the catalog is lost, which is a finding. */
async function readCatalogTable(
  deps: ReaderDeps,
  archive: Archive,
  report: Report,
  rehearsal: Rehearsal,
): Promise<FrameTable | undefined> {
  return reportingDamage(report, VERIFY_HINTS.catalogLost, async () => {
    const { header, table, end } = await readCatalogIndex(deps, archive, (entry) => {
      if (!entry.base) rehearsal.learn(entry)
    })
    if (header.frameBytes !== archive.frameBytes) {
      report(`${archive.catalog.key} says frames of ${header.frameBytes} bytes`, VERIFY_HINTS.catalog)
    }
    for (const what of compareEnd(end, archive)) report(`${archive.catalog.key} ${what}`, VERIFY_HINTS.catalog)
    return table
  })
}

function readOwnTable(deps: ReaderDeps, archive: Archive, report: Report): Promise<FrameTable | undefined> {
  return reportingDamage(report, VERIFY_HINTS.damaged, () => readFrameTable(deps, archive))
}

/** Tells of damaged frames, of many in a row once, and remembers what is lost with them. */
function damageRecorder(report: Report) {
  const lost: RawRange[] = []
  let first: AgentError | undefined
  let more = 0
  const finish = (): void => {
    if (first)
      report(more === 0 ? first.message : `${first.message}; so are the ${more} frames after it`, VERIFY_HINTS.damaged)
    first = undefined
    more = 0
  }
  return {
    lost,
    finish,
    take(decoded: Decoded): void {
      if ('damage' in decoded) {
        lost.push({ offset: decoded.location.rawOffset, bytes: decoded.location.rawBytes })
        if (first) more++
        else first = decoded.damage
      } else finish()
    },
  }
}

/** Names what the damaged frames hold: those files, and no others, cannot be restored. */
async function reportLostEntries(
  deps: ReaderDeps,
  archive: Archive,
  lost: readonly RawRange[],
  report: Report,
): Promise<void> {
  let next = 0
  for await (const entry of readOwnEntries(deps, archive)) {
    while (lost[next] && endOf(lost[next] as RawRange) <= entry.offset) next++
    const range = lost[next]
    if (!range) return
    if (range.offset < entry.offset + entry.bytes) report(`'${entry.path}' cannot be read back`, VERIFY_HINTS.damaged)
  }
}

function endOf({ offset, bytes }: RawRange): number {
  return offset + bytes
}
