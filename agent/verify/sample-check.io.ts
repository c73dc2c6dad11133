import { isDataLoss } from '../errors'
import { collectPieces } from '../archive/frame-reads'
import { loadCatalog, type LoadedCatalog } from '../archive/load-catalog.io'
import { ownOffset, wholeArchive, type ArchiveWithBase } from '../archive/whole-archive'
import { chooseSample, type Sample, type SampleChooser } from './sample'
import { NO_WARNINGS, type Warnings } from '../tar/messages'
import type { Deps, Argv } from '../context'
import { readPieces } from '../archive/read.io'
import { sourceChecker } from './source-check.io'
import { VERIFY_HINTS, type Report } from '../archive/findings'
import { type CatalogEntry, pathBytes } from '../tar/entry'

/** Names are given to tar in pieces of about this size. */
const NAMES_BYTES = 64 * 1024

export interface SampleRead {
  /** Entries that were compared. */
  readonly entries: number
  /** Entries of the sample whose names are too long for that. */
  readonly tooLong: number
  /** What tar could not read meanwhile. */
  readonly warnings: Warnings
}

/**
 * Compares some entries of an archive, read back, with what they were made from. Reads the frames that hold them and no
 * others; memory grows with the number of directories and hard links in the sample only.
 *
 * @param tar - writes the members that are named on its standard input; the snapshot has not changed since
 * @throws AgentError whatever prevents looking
 */
export async function checkSample(
  deps: Pick<Deps, 'host' | 'store' | 'signal'>,
  volume: ArchiveWithBase,
  tar: Argv,
  sample: Sample,
  report: Report,
): Promise<SampleRead> {
  const chooser = chooseSample(sample)
  await using catalog = await loadCatalog(deps, volume.archive, volume.base?.archive)
  for await (const entry of catalog.entries()) chooser.learn(entry)
  const pieces = collectPieces()
  let entries = 0
  for await (const entry of choose(catalog, chooser)) {
    pieces.add(entry)
    entries++
  }
  const result = { entries, tooLong: chooser.tooLong(), warnings: NO_WARNINGS }
  if (entries === 0) return result

  await using checker = await sourceChecker(deps, tar, report, nameAll(choose(catalog, chooser)))
  try {
    const [whole, table] = [wholeArchive(volume), await catalog.table()]
    for await (const raw of readPieces(deps, whole, table, pieces.list(), ownOffset(volume))) await checker.push(raw)
  } catch (error) {
    if (!isDataLoss(error)) throw error
    report(error.message, VERIFY_HINTS.damaged)
    return result
  }
  await checker.finish()
  // Whatever else may go wrong: what was not compared must not count as good.
  const compared = checker.compared()
  if (compared !== entries) report(`${compared} of ${entries} entries of the sample were compared`, VERIFY_HINTS.source)
  return { ...result, warnings: checker.warnings() }
}

async function* choose(catalog: LoadedCatalog, chooser: SampleChooser): AsyncGenerator<CatalogEntry, void> {
  for await (const entry of catalog.entries()) {
    if (entry.undescribed === undefined && chooser.isChosen(entry)) yield entry
  }
}

/** As the archive names them, each with a zero byte at its end. */
async function* nameAll(entries: AsyncIterable<CatalogEntry>): AsyncGenerator<Buffer> {
  let names: Buffer[] = []
  let bytes = 0
  for await (const entry of entries) {
    const name = Buffer.concat([Buffer.from(entry.path === '.' ? '' : './'), pathBytes(entry), Buffer.of(0)])
    names.push(name)
    bytes += name.length
    if (bytes < NAMES_BYTES) continue
    yield Buffer.concat(names)
    names = []
    bytes = 0
  }
  yield Buffer.concat(names)
}
