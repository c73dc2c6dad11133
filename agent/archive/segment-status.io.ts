/** What of an archive cannot be read, and what is lost with it. */
import { AgentError, hasCode, isDataLoss } from '../errors'
import type { Archive, Segment } from './archive'
import { retrievalStateOf, type RetrievalState } from '../bucket/glacier'
import { inOrder, planReads, type FrameTable } from './frame-reads'
import { decodeFrames, fetchReads, type ReaderDeps } from './read.io'
import type { Report } from './findings'
import type { CatalogEntry, RawRange } from '../tar/entry'

/** Names that an error tells of; more help nobody. */
const NAMES_MAX = 5

/** Where and how a segment is stored. */
export interface SegmentState {
  readonly segment: Segment
  readonly storageClass: string
  readonly retrieval: RetrievalState
}

/** Asks for each segment; those that are missing are left out of the answer. */
export async function readSegmentStates(deps: ReaderDeps, segments: readonly Segment[]): Promise<SegmentState[]> {
  const states: SegmentState[] = []
  for (const segment of segments) {
    try {
      const { storageClass, restore } = await deps.store.head(segment.key, deps.signal)
      states.push({ segment, storageClass, retrieval: retrievalStateOf(storageClass, restore) })
    } catch (error) {
      if (!hasCode(error, 'OBJECT_MISSING')) throw error
    }
  }
  return states
}

/** Reads the frames of the ranges and returns those that are damaged, as ranges of the tar stream, in order. */
export async function findDamage(
  deps: ReaderDeps,
  archive: Archive,
  table: FrameTable,
  ranges: readonly RawRange[],
): Promise<RawRange[]> {
  const damaged: RawRange[] = []
  const fetched = fetchReads(deps, archive, planReads(archive, table, inOrder(ranges)))
  for await (const decoded of decodeFrames(deps, archive, fetched)) {
    if ('damage' in decoded) damaged.push({ offset: decoded.location.rawOffset, bytes: decoded.location.rawBytes })
  }
  return damaged
}

/** The same error, with the names of the entries that are lost for it. */
export async function namingLost(
  entries: AsyncIterable<CatalogEntry>,
  lost: readonly RawRange[],
  error: AgentError,
): Promise<AgentError> {
  const names: string[] = []
  let count = 0
  for await (const { path, offset, bytes } of entries) {
    if (!lost.some((range) => range.offset < offset + bytes && offset < range.offset + range.bytes)) continue
    count++
    if (names.length < NAMES_MAX) names.push(`'${path}'`)
  }
  const more = count > names.length ? ` and ${count - names.length} more` : ''
  return new AgentError(error.code, `${error.message}; lost with it: ${names.join(', ')}${more}`, {
    hint: 'Restore the rest with --best-effort, and look for these in another run with "snapstream find".',
    cause: error,
  })
}

/** @throws AgentError ARCHIVE_DAMAGED naming the first of these segments that is not there, and what is lost with it */
export async function assertNoneMissing(
  entries: AsyncIterable<CatalogEntry>,
  wanted: readonly Segment[],
  present: readonly SegmentState[],
): Promise<void> {
  const missing = wanted.filter((segment) => !present.some((state) => state.segment === segment))
  const [first] = missing
  if (!first) return
  const error = new AgentError('ARCHIVE_DAMAGED', `${first.key} is missing`, { hint: '' })
  throw await namingLost(entries, missing.map(rangeOf), error)
}

export function rangeOf({ rawOffset, rawBytes }: Segment): RawRange {
  return { offset: rawOffset, bytes: rawBytes }
}

/** What cannot be read is a finding; undefined then. @throws AgentError whatever keeps one from looking */
export async function reportingDamage<T>(report: Report, hint: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (!isDataLoss(error)) throw error
    report(error.message, hint)
    return undefined
  }
}
