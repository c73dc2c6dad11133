import { ExitStatus } from '../contract'
import { findCatalogLoss } from './catalogs.io'
import { readSegmentStates, type SegmentState } from '../archive/segment-status.io'
import { wholeArchive } from '../archive/whole-archive'
import type { StoreDeps } from '../context'
import { openRun } from '../run/runs'
import type { WithHost, RestoreStatusRequest } from '../options/commands'
import { formatRetrievalStatus } from './retrieval-report'
import { chooseVolumes } from '../run/volumes'
import type { Outcome, Told } from '../outcome'
import type { restoreStatusOutput } from './output-schema'

/**
 * Tells whether the archives of a run can be read now: status 0 if they can, 5 while Glacier is retrieving them or nobody has
 * asked for it, 3 where waiting does not help because objects are missing.
 *
 * @throws AgentError UNKNOWN_RUN, UNKNOWN_VOLUME
 */
export async function restoreStatus(
  { signal, ...given }: StoreDeps,
  request: WithHost<RestoreStatusRequest>,
): Promise<Outcome<Told<typeof restoreStatusOutput>>> {
  const { manifest, store } = await openRun({ signal, ...given }, request)
  const deps = { store, signal }
  const volumes = []
  for (const volume of chooseVolumes(manifest, request.volume)) {
    const { mountPoint, archive } = volume
    const { segments } = wholeArchive(volume)
    const states = await readSegmentStates(deps, segments)
    volumes.push({
      mountPoint,
      storageClasses: [...new Set(states.map(({ storageClass }) => storageClass))],
      missing: segments.length - states.length,
      ...count(states),
      catalog: (await findCatalogLoss(deps, archive)) ?? ('good' as const),
    })
  }
  const waiting = volumes.some(({ thawing, frozen }) => thawing + frozen > 0)
  const complete = volumes.every(({ missing }) => missing === 0)
  return {
    status: waiting ? ExitStatus.waitingForGlacier : complete ? ExitStatus.ok : ExitStatus.incomplete,
    summary: formatRetrievalStatus(manifest, volumes),
    json: { run: manifest.run, host: manifest.host, ready: complete && !waiting, volumes },
  }
}

function count(states: readonly SegmentState[]) {
  const countOf = (state: SegmentState['retrieval']) => states.filter(({ retrieval }) => retrieval === state).length
  return { readable: countOf('readable'), thawing: countOf('retrieving'), frozen: countOf('archived') }
}
