/** Whether a differential archive and its base belong together, and make up what the volume had. */
import { isHeader, isRemoved } from '../archive/catalog-lines'
import { VERIFY_HINTS, type Report } from '../archive/findings'
import { collectPieces } from '../archive/frame-reads'
import { loadCatalog, loadRemovedNames } from '../archive/load-catalog.io'
import { readCatalog, readEntries } from '../archive/read-catalog.io'
import { readPieces, type ReaderDeps } from '../archive/read.io'
import { reportingDamage } from '../archive/segment-status.io'
import { ownOffset, wholeArchive } from '../archive/whole-archive'
import { withoutMark } from '../archive/whole-entries'
import { shortened } from '../lib/long-names'
import { cursorOf } from '../lib/cursor'
import { linkBytes, type CatalogEntry } from '../tar/entry'
import { byteNameOf, findIn, orderKeyOf, type Named } from '../tar/order'
import { compareEntries } from './report'
import { rehearseRestore } from './restorable'
import type { SourceChecker } from './source-check.io'
import type { VerifiableVolume } from './verify.io'

export type VolumeWithBase = VerifiableVolume & { readonly base: NonNullable<VerifiableVolume['base']> }

/**
 * Holds the catalog against that of the base, name by name: what it says to be as it was is in the base, in that place; and
 * whatever else the base has is archived again or listed as gone. Holds the list of what is gone against the catalog. Tells of
 * what a restore would refuse of both together, or bring back with the content of another file.
 *
 * @throws AgentError whatever prevents looking
 */
export async function checkBase(deps: ReaderDeps, volume: VolumeWithBase, report: Report): Promise<void> {
  await reportingDamage(report, VERIFY_HINTS.catalogLost, () => compareCatalogs(deps, volume, report))
  await reportingDamage(report, VERIFY_HINTS.catalogLost, () => rehearseWhole(deps, volume, report))
  await reportingDamage(report, VERIFY_HINTS.damaged, () => compareRemoved(deps, volume, report))
}

async function compareCatalogs(deps: ReaderDeps, { archive, base }: VolumeWithBase, report: Report): Promise<void> {
  const tell = (entry: Named, what: string): void => report(`'${shortened(entry.path)}' ${what}`, VERIFY_HINTS.catalog)
  await using ownEntries = entriesOf(deps, archive, false)
  await using keptEntries = entriesOf(deps, archive, true)
  await using goneNames = namesGone(deps, archive)
  const [own, kept, gone] = [cursorOf(ownEntries), cursorOf(keptEntries), cursorOf(goneNames)]
  const notInBase = (entry: Named): void => tell(entry, 'is said to be in the base, and is not')
  const notGone = (entry: Named): void => tell(entry, 'is listed as gone, and the base has no such name')

  const run = await baseNamedIn(deps, archive)
  if (run !== base.run)
    report(`${archive.catalog.key} names ${run ?? 'nothing'} as base, the manifest ${base.run}`, VERIFY_HINTS.catalog)
  for await (const entry of readEntries(deps, base.archive)) {
    const there = await findIn(kept, orderKeyOf(entry), notInBase)
    const isArchived = (await findIn(own, orderKeyOf(entry))) !== undefined
    const isGone = (await findIn(gone, orderKeyOf(entry), notGone)) !== undefined
    if (there) {
      for (const what of compareEntries(withoutMark(there), entry)) tell(entry, `is otherwise in the base: ${what}`)
    }
    const places = [there !== undefined, isArchived, isGone].filter((isThere) => isThere).length
    if (places === 0) tell(entry, 'of the base is neither in the catalog nor listed as gone')
    if (places > 1) tell(entry, 'is in more than one of: the archive, the base, what is listed as gone')
  }
  await findIn(kept, undefined, notInBase)
  await findIn(gone, undefined, notGone)
}

async function baseNamedIn(deps: ReaderDeps, archive: VolumeWithBase['archive']): Promise<string | undefined> {
  for await (const line of readCatalog(deps, archive.catalog)) return isHeader(line) ? line.base : undefined
  return undefined
}

/** Names of hard-linked files that are kept in mind at a time (design limit): beyond it, less is looked at. */
const LINKED_MAX = 1_000_000

/**
 * Takes all of the volume as a restore does. Each archive can be sound by itself, and what is in the base lead nowhere: its
 * directory can be something else now. A hard link to a file that has been archived again would even come back as that file.
 */
async function rehearseWhole(deps: ReaderDeps, volume: VolumeWithBase, report: Report): Promise<void> {
  await using catalog = await loadCatalog(deps, volume.archive, volume.base.archive)
  const ownFrom = ownOffset(volume)
  const isKept = ({ offset }: CatalogEntry): boolean => offset < ownFrom
  const rehearsal = rehearseRestore(volume.mountPoint)
  const linked = new Set<string>()
  for await (const entry of catalog.entries()) {
    rehearsal.learn(entry)
    if (entry.type === 'hardlink' && isKept(entry) && linked.size < LINKED_MAX)
      linked.add(linkBytes(entry).toString('latin1'))
  }
  for await (const entry of catalog.entries()) {
    const what = rehearsal.take(entry)
    // What is wrong with the archive's own has been told of when that was read.
    if (isKept(entry)) {
      if (what !== undefined) report(`'${shortened(entry.path)}' of the base: ${what}`, VERIFY_HINTS.catalog)
    } else if (linked.size > 0 && linked.has(byteNameOf(entry))) {
      report(
        `'${shortened(entry.path)}' is archived again, and not all that are hard links to it`,
        VERIFY_HINTS.catalog,
      )
    }
  }
}

async function* entriesOf(deps: ReaderDeps, archive: VolumeWithBase['archive'], isOfBase: boolean) {
  for await (const entry of readEntries(deps, archive)) if ((entry.base === true) === isOfBase) yield [entry]
}

async function* namesGone(deps: ReaderDeps, archive: VolumeWithBase['archive']) {
  for await (const line of readCatalog(deps, archive.catalog)) {
    if (!isRemoved(line)) continue
    const { removed: path, removed64: path64 } = line
    yield [{ path, ...(path64 !== undefined && { path64 }) }]
  }
}

/** The list is for those who restore by hand: it has to have the names of the catalog, and no others. */
async function compareRemoved(deps: ReaderDeps, { archive, removed }: VolumeWithBase, report: Report): Promise<void> {
  if (!removed) return
  await using listed = await loadRemovedNames(deps, removed)
  await using names = namesGone(deps, archive)
  let isAsListed = true
  for await (const batch of listed.names()) {
    for (const name of batch) {
      const [line] = (await names.next()).value ?? []
      isAsListed &&= line !== undefined && orderKeyOf(line) === orderKeyOf(name)
    }
  }
  isAsListed &&= (await names.next()).done === true
  if (!isAsListed) report(`${removed.key} has other names than the catalog lists as gone`, VERIFY_HINTS.catalog)
}

/**
 * Holds all of the volume, as base and differential archive make it up, against its snapshot.
 *
 * @throws AgentError whatever prevents looking
 */
export async function checkWithSource(
  deps: ReaderDeps,
  volume: VolumeWithBase,
  checker: SourceChecker,
  report: Report,
): Promise<void> {
  await reportingDamage(report, VERIFY_HINTS.damaged, async () => {
    await using catalog = await loadCatalog(deps, volume.archive, volume.base.archive)
    const pieces = collectPieces()
    for await (const entry of catalog.entries()) pieces.add(entry)
    const [whole, table] = [wholeArchive(volume), await catalog.table()]
    for await (const raw of readPieces(deps, whole, table, pieces.list(), ownOffset(volume))) await checker.push(raw)
    await checker.finish()
  })
}
