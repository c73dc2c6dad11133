/** What EBS can do for this host: EC2 is asked only where a filesystem is left that might need it. */
import type { HostDeps } from '../../context'
import type { Ec2 } from '../../ec2'
import { Ec2Tag } from '../../contract'
import { AgentError, describeError } from '../../errors'
import type { HostFilesystems } from '../../host/mounts'
import type { MountedFilesystem } from '../filesystems'
import type { Survey } from '../source'
import { disksBelow, volumeIdOf } from './disks'
import { readDisks, readPhysicalVolumes } from './disks.io'
import type { EbsState } from './claim'
import { keptSnapshots, type Marked } from './leftovers'
import { tagsOf } from './plan'
import { RIGHTS_HINT } from './ec2-errors'
import { wasUsed } from './runs.io'
import { surveyEbs, surveyNothing, surveyObstructed } from './survey'

/**
 * A host that may not use EC2, or cannot reach it, has no disk that can be copied: most need none. One that has been backed up so
 * before is told what is in the way.
 *
 * @throws AgentError INTERRUPTED
 */
export async function survey(
  deps: HostDeps,
  filesystems: HostFilesystems,
  open: readonly MountedFilesystem[],
  runsDirectory: string,
): Promise<Survey> {
  if (open.length === 0) return surveyNothing()
  let ec2: Ec2 | undefined
  try {
    ec2 = await deps.connectEc2?.()
    if (!ec2) return surveyNothing()
    const state = await readState(deps, ec2)
    const denied = await findDenied(deps, ec2, state)
    if (denied !== undefined) throw new AgentError('ACCESS_DENIED', `ec2:${denied} is denied`, { hint: RIGHTS_HINT })
    return surveyEbs(state, filesystems)
  } catch (error) {
    deps.signal.throwIfAborted()
    deps.log.info(`no snapshots of EBS are taken: ${describeError(error).join(' ')}`)
    const why = (describeError(error)[0] ?? '').replace(/ is denied: .*/s, ' is denied')
    return (await wasUsed(runsDirectory)) ? surveyObstructed(why, filesystems, runsDirectory) : surveyNothing(why)
  }
}

async function readState(deps: HostDeps, ec2: Ec2): Promise<EbsState> {
  const { signal } = deps
  const [facts, limit, own] = await Promise.all([
    ec2.describeInstance(signal),
    ec2.describeAttachmentLimit(signal),
    readMarked(ec2, signal),
  ])
  const disks = await readDisks(deps)
  const ofEbs = disks.devices.filter((device) =>
    disksBelow(disks, device).some(({ name }) => volumeIdOf(disks.serials.get(name)) !== undefined),
  )
  const plain = ofEbs.filter(({ type }) => type === 'disk' || type === 'part')
  const physicalVolumes = await readPhysicalVolumes(deps, plain)
  return {
    ...{ instance: ec2.instance, facts, limit, disks, physicalVolumes },
    ...{ ownVolumes: own.volumes, ownSnapshots: own.snapshots },
  }
}

/** What bears the mark of this instance. */
export async function readMarked(ec2: Ec2, signal: AbortSignal, run?: string): Promise<Marked> {
  const tags = { [Ec2Tag.host]: ec2.instance.arn, ...(run !== undefined && { [Ec2Tag.run]: run }) }
  const [volumes, snapshots] = await Promise.all([
    ec2.describeVolumes({ tags }, signal),
    ec2.describeSnapshots({ tags }, signal),
  ])
  return { volumes, snapshots }
}

/**
 * Policies go by tags: of what would be done to a volume that is not there yet, EC2 cannot say whether it is permitted. What is
 * made of the last snapshot that was kept, it can.
 *
 * @returns the first action that is denied
 */
async function findDenied({ signal, now }: HostDeps, ec2: Ec2, state: EbsState): Promise<string | undefined> {
  const run =
    now()
      .toISOString()
      .replace(/[-:]|\.\d+/g, '') + '-000000'
  const tags = tagsOf(ec2.instance.arn, run, true)
  const volumes = state.facts.volumes.map(({ volumeId }) => volumeId)
  const [kept] = keptSnapshots(state.ownSnapshots, volumes)
  const trials = [
    { action: 'CreateSnapshots', request: { withoutRoot: false, without: [], tags } } as const,
    ...(kept
      ? [
          {
            action: 'CreateVolume',
            request: { snapshotId: kept.snapshotId, clientToken: run, tags: tagsOf(ec2.instance.arn, run, false) },
          } as const,
          { action: 'DeleteSnapshot', snapshotId: kept.snapshotId } as const,
        ]
      : []),
  ]
  const answers = await Promise.all(trials.map((trial) => ec2.tryOut(trial, signal)))
  return trials[answers.indexOf('denied')]?.action
}
