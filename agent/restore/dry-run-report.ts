/** What is told of a restore that is not done. */
import { ExitStatus, type RetrievalTier } from '../contract'
import { columns, counted, formatBytes, joinLines } from '../lib/text'
import type { RestoreRequest } from '../options/commands'
import type { Outcome, Told } from '../outcome'
import type { restorePreviewOutput } from './output-schema'
import { formatAbsent, formatLeftOut, formatWarned, leftOut, namesOf, volumeRow, type RunReport } from './report'
import type { RestoreTask } from './restore-task'
import { describeRetrieval } from './retrieval-report'

type RestorePreview = Told<typeof restorePreviewOutput>
type VolumePreview = RestorePreview['volumes'][number]

export function describePlan(
  { run, host, ...lacks }: RunReport,
  { thaw }: RestoreRequest,
  tasks: readonly RestoreTask[],
): Outcome<RestorePreview> {
  const volumes = tasks.map(previewOf)
  return {
    status: ExitStatus.ok,
    summary: formatDryRun({ run, host, ...lacks }, volumes, thaw),
    json: { run, host, volumes, ...lacks },
  }
}

function previewOf({ selection, plan, target, fetch, states }: RestoreTask): VolumePreview {
  const { entries, kept, conflicts, sizeBytes } = plan
  return {
    ...{ mountPoint: selection.volume.mountPoint, directory: target.directory, entries, kept },
    ...{ conflicts: conflicts.first, conflictEntries: conflicts.count, ...leftOut(plan) },
    ...{ sizeBytes, fetch, storageClasses: [...new Set(states.map(({ storageClass }) => storageClass))] },
    frozen: states.filter(({ retrieval }) => retrieval !== 'readable').length,
  }
}

/** @param tier - that retrieving is asked for with, if it is */
function formatDryRun(
  { run, host, absent, warned }: RunReport,
  volumes: readonly VolumePreview[],
  tier: RetrievalTier = 'standard',
): string {
  return joinLines([
    `Restore of ${run} of ${host}, nothing was changed`,
    ...columns(volumes.map((volume) => [...volumeRow(volume), `${formatBytes(volume.sizeBytes)} on disk`])),
    ...volumes.flatMap((volume) => [
      ...formatStorage(volume, tier),
      ...namesOf(volume, volume.conflicts, volume.conflictEntries, '  already there:'),
      ...formatLeftOut(volume, '', '  '),
    ]),
    ...formatWarned(warned),
    ...formatAbsent(absent),
  ])
}

function formatStorage({ mountPoint, frozen, storageClasses }: VolumePreview, tier: RetrievalTier): string[] {
  const toRetrieve = `    ${counted(frozen, 'object has', 'objects have')} to be thawed first: ${describeRetrieval(storageClasses, tier)}`
  return [
    `  ${mountPoint} is stored in ${storageClasses.join(', ') || 'nothing that is needed'}`,
    ...(frozen > 0 ? [toRetrieve] : []),
  ]
}
