import { ExitStatus } from '../contract'
import { readSegmentStates } from '../archive/segment-status.io'
import { wholeArchive } from '../archive/whole-archive'
import type { Deps } from '../context'
import { openRun } from '../run/runs'
import { AgentError } from '../errors'
import { notesOnLaunchTemplate, planLaunchTemplate } from './launch-template'
import { writeNewFile } from './script.io'
import { readDiskSizes } from '../backup/system-record.io'
import { formatArgv } from '../host/argv'
import type { Manifest, VolumeBackup } from '../run/manifest'
import { planRebuild } from './rebuild'
import { notesOnArchives, type UnreadableArchive } from './notes'
import { formatRebuildScript } from './script-text'
import type { WithHost, RestorePlanRequest } from '../options/commands'
import type { Outcome, Told } from '../outcome'
import type { restorePlanOutput } from './output-schema'
import { joinLines } from '../lib/text'

/**
 * Plans the rebuild of a whole host on empty disks from a run's manifest, and changes nothing.
 *
 * @throws AgentError UNKNOWN_RUN, OUTPUT_UNREADABLE; USAGE where the disks are not those of the host; TARGET_UNFIT where
 * the script is there already
 */
export async function restorePlan(
  deps: Deps,
  request: WithHost<RestorePlanRequest>,
): Promise<Outcome<Told<typeof restorePlanOutput>>> {
  const { bucket, region, endpointUrl, includeDeleted, trustTimes, mountAt: target, disk, script } = request
  const { manifest, store } = await openRun(deps, request)
  const disks = disk.map((pair) => pair.split('=') as [string, string])
  const rebuild = planRebuild(manifest, { bucket, region, endpointUrl, includeDeleted, trustTimes, target, disks })
  const sizes = await readDiskSizes(deps, rebuild.layout.disks)
  const archives: UnreadableArchive[] = []
  for (const volume of manifest.volumes) archives.push(await lookAt({ ...deps, store }, volume))
  const { instance, ebs } = manifest.system
  const launchTemplate = instance && planLaunchTemplate(instance, ebs?.volumes)
  const notes = [
    ...rebuild.layout.notesOnSizes(sizes),
    ...notesOnArchives(archives),
    ...(instance ? notesOnLaunchTemplate(manifest.host, instance) : []),
    ...rebuild.notes,
  ]
  const plan = { steps: rebuild.steps, notes }
  if (request.launchTemplate !== undefined) {
    if (!launchTemplate) throw noInstance(manifest)
    await writeNewFile(request.launchTemplate, `${JSON.stringify(launchTemplate, null, 2)}\n`, 0o600)
  }
  if (script !== undefined) await writeNewFile(script, formatRebuildScript(manifest, plan), 0o700)
  return {
    status: ExitStatus.ok,
    summary: joinLines([
      `Rebuild of ${manifest.host} as in run ${manifest.run}: ${plan.steps.length} commands, none of which has been run`,
      ...plan.notes.map((note) => `  NOTE: ${note}`),
      ...plan.steps.map(({ argv }) => `  ${formatArgv(argv)}`),
      script === undefined
        ? '  --script FILE writes them, with their reasons, to a file to read and run.'
        : `  written to ${script}`,
      ...(request.launchTemplate === undefined ? [] : [`  launch template written to ${request.launchTemplate}`]),
    ]),
    json: { run: manifest.run, host: manifest.host, ...plan, ...(launchTemplate && { launchTemplate }) },
  }
}

function noInstance({ run, host }: Manifest): AgentError {
  return new AgentError('USAGE', `run ${run} has nothing of an EC2 instance that ${host} was`, {
    hint: 'Leave out --launch-template; runs of hosts outside of EC2, and of earlier agents, have none.',
  })
}

async function lookAt(deps: Deps, volume: VolumeBackup): Promise<UnreadableArchive> {
  const { segments } = wholeArchive(volume)
  const states = await readSegmentStates(deps, segments)
  const frozen = states.filter(({ retrieval }) => retrieval !== 'readable').length
  return { mountPoint: volume.mountPoint, missing: segments.length - states.length, frozen }
}
