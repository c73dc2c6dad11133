/** What earlier runs of this host left in EBS: by its tags, and by which of its snapshots is kept on purpose. */
import { Ec2Tag, RUN_SECONDS_MAX } from '../../contract'
import type { EbsSnapshot, EbsVolume, Ec2Tags } from '../../ec2'
import type { RememberedUploads } from '../remembered-uploads.io'
import type { LeftoverSnapshot } from '../source'
import { startOf } from './plan'

export interface EbsLeftover extends LeftoverSnapshot {
  readonly kind: 'ebs'
  readonly run: string
  readonly resource:
    | { readonly volumeId: string }
    | { readonly snapshotId: string }
    /** What remembers the unfinished uploads of a volume. */
    | { readonly remembered: string }
}

export interface Marked {
  readonly volumes: readonly EbsVolume[]
  readonly snapshots: readonly EbsSnapshot[]
}

/**
 * All that bears this host's mark, but for the last completed snapshot of each of its disks that was made to be kept.
 *
 * @param arn - of the instance: what EC2 was asked for by tag is looked at again
 * @param disks - volumes that are attached to the instance: of others, nothing is kept
 * @param options - `current`: the run that is under way, which sees to its own; `now`: of what has expired, nothing is kept
 */
export function findLeftovers(
  { volumes, snapshots }: Marked,
  arn: string,
  disks: readonly string[],
  { current, now }: { readonly current?: string; readonly now?: Date } = {},
): EbsLeftover[] {
  const isLeft = ({ tags }: { readonly tags: Ec2Tags }) => tags[Ec2Tag.host] === arn && runOf(tags) !== current
  const isOver = ({ tags }: EbsSnapshot) => now !== undefined && Date.parse(tags[Ec2Tag.expires] ?? '') <= now.getTime()
  const kept = keptSnapshots(
    snapshots.filter((snapshot) => snapshot.tags[Ec2Tag.host] === arn && !isOver(snapshot)),
    disks,
  )
  return [
    ...volumes
      .filter((volume) => isLeft(volume) && volume.state !== 'deleting' && volume.state !== 'deleted')
      .map(({ volumeId, tags }) => leftover(volumeId, tags, { volumeId })),
    ...snapshots
      .filter((snapshot) => isLeft(snapshot) && !kept.includes(snapshot))
      .map(({ snapshotId, tags }) => leftover(snapshotId, tags, { snapshotId })),
  ]
}

/** The newest of each disk. One that failed or is not complete yet does not take the place of one that is. */
export function keptSnapshots(snapshots: readonly EbsSnapshot[], disks: readonly string[]): EbsSnapshot[] {
  const candidates = snapshots.filter(
    (snapshot) => snapshot.state === 'completed' && wasMadeToBeKept(snapshot) && disks.includes(snapshot.volumeId),
  )
  return Array.from(Map.groupBy(candidates, ({ volumeId }) => volumeId).values(), (ofDisk) =>
    ofDisk.reduce((newest, one) => (one.startedAt > newest.startedAt ? one : newest)),
  )
}

/** What goes with its run expires when no run can be under way any more. */
function wasMadeToBeKept({ tags }: EbsSnapshot): boolean {
  return Date.parse(tags[Ec2Tag.expires] ?? '') > startOf(runOf(tags)) + RUN_SECONDS_MAX * 1000
}

function runOf(tags: Ec2Tags): string {
  return tags[Ec2Tag.run] ?? ''
}

function leftover(id: string, tags: Ec2Tags, resource: EbsLeftover['resource']): EbsLeftover {
  return { kind: 'ebs', name: `${id} of run ${runOf(tags)}`, run: runOf(tags), resource, uploads: [] }
}

/** Of killed runs, whatever has become of their snapshots. */
export function ofUploads({ run, volume, uploads }: RememberedUploads): EbsLeftover {
  return { kind: 'ebs', name: `uploads of ${volume}, run ${run}`, run, resource: { remembered: volume }, uploads }
}
