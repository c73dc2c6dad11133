/** A volume on its way through a restore. */
import type { Archive } from '../archive/archive'
import { inOrder, planReads, type FrameTable } from '../archive/frame-reads'
import type { LoadedCatalog } from '../archive/load-catalog.io'
import type { SegmentState } from '../archive/segment-status.io'
import type { RestoreRequest } from '../options/commands'
import type { RawRange } from '../tar/entry'
import type { VolumeReport } from './report'
import type { VolumePlan } from './plan-tally'
import type { VolumeSelection } from './select-volumes'
import type { RestoreTarget, SpaceNeed } from './target.io'

/** What is wanted of a volume, what that takes, and where to. */
export interface RestoreTask {
  readonly selection: VolumeSelection
  readonly catalog: LoadedCatalog
  readonly target: RestoreTarget
  /** It is extracted aside and moved into place: for a while, both the old and the new take room. */
  readonly staged: boolean
  readonly plan: VolumePlan
  readonly table: FrameTable
  readonly fetch: FetchCost
  /** How the segments are stored that it takes; those that are missing are left out. */
  readonly states: readonly SegmentState[]
}

export type FetchCost = VolumeReport['fetch']

/** Counts what fetching these pieces costs. */
export function fetchCost(archive: Archive, table: FrameTable, pieces: readonly RawRange[]): FetchCost {
  let requests = 0
  let bytes = 0
  const segments = new Set<number>()
  for (const read of planReads(archive, table, inOrder(pieces))) {
    requests++
    bytes += read.bytes
    segments.add(read.segment)
  }
  return { requests, bytes, segments: [...segments] }
}

export function spaceNeed({ plan, target, staged }: RestoreTask): SpaceNeed {
  return {
    directory: target.directory,
    entries: plan.entries,
    sizeBytes: staged ? plan.stagedBytes : plan.sizeBytes,
  }
}

/** The target is taken for the root of the host that was backed up. */
export function rootOf({ inPlace, target }: RestoreRequest): { readonly root: string; readonly isInPlace: boolean } {
  const root = inPlace ? '/' : (target ?? '/')
  return { root, isInPlace: root === '/' }
}

/** What is restored in place has users, and other ways may lead to it: that nobody gets in by its root is no proof. */
export function goesOn(request: RestoreRequest): boolean {
  return request.resume && !rootOf(request).isInPlace
}
