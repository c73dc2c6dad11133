/** What killed backups left in EBS and nobody needs any more, by the marks that it has had since it was made. */
import { Ec2Tag, RUN_PATTERN } from '../../agent/contract'
import type { EbsSnapshot, EbsVolume, Ec2Tags } from '../../agent/ec2'
import { placeOfHost } from '../model/wording'

export interface ReapCase {
  readonly volumes: readonly EbsVolume[]
  readonly snapshots: readonly EbsSnapshot[]
  /** Of the instances that the volumes are attached to, by their ids; of others nobody knows. */
  readonly power: ReadonlyMap<string, string>
  readonly account: string
  /** In seconds since 1970. */
  readonly now: number
}

export interface ReapPlan {
  /** A host that is stopped with a copy of its own disk attached may boot from the copy. They are deleted an hour later. */
  readonly detach: readonly { readonly volumeId: string; readonly instanceId: string }[]
  readonly deleteVolumes: readonly string[]
  readonly deleteSnapshots: readonly string[]
  /** Attached to hosts that run: theirs to remove. */
  readonly leftToHosts: readonly string[]
}

/** `error`: EC2 could not make it, or lost it. */
const DELETABLE_VOLUMES = ['available', 'error']
const DELETABLE_SNAPSHOTS = ['completed', 'error', 'pending']
const STOPPED = ['stopped', 'terminated']

export function planReaping({ volumes, snapshots, power, account, now }: ReapCase): ReapPlan {
  const isOver = ({ tags }: { readonly tags: Ec2Tags }) => isOurs(tags, account) && expiresAt(tags) <= now
  const over = volumes.filter(isOver)
  const attached = over.filter(({ state, attachment }) => state === 'in-use' && attachment)
  const isOfStopped = ({ attachment }: EbsVolume) => STOPPED.includes(power.get(attachment?.instanceId ?? '') ?? '')
  return {
    detach: attached.filter(isOfStopped).map(({ volumeId, attachment }) => ({
      volumeId,
      instanceId: attachment?.instanceId ?? '',
    })),
    deleteVolumes: over.filter(({ state }) => DELETABLE_VOLUMES.includes(state)).map(idOf),
    deleteSnapshots: snapshots
      .filter((snapshot) => isOver(snapshot) && DELETABLE_SNAPSHOTS.includes(snapshot.state))
      .map(({ snapshotId }) => snapshotId),
    leftToHosts: attached.filter((volume) => !isOfStopped(volume)).map(idOf),
  }
}

/** What bears all three marks, of an instance of this account, and is no volume that somebody else gave to be cloned. */
function isOurs(tags: Ec2Tags, account: string): boolean {
  return (
    placeOfHost(tags[Ec2Tag.host] ?? '')?.account === account &&
    new RegExp(RUN_PATTERN).test(tags[Ec2Tag.run] ?? '') &&
    tags[Ec2Tag.source] === undefined
  )
}

/** @returns seconds since 1970; never, where it does not say */
function expiresAt(tags: Ec2Tags): number {
  const at = Date.parse(tags[Ec2Tag.expires] ?? '') / 1000
  return Number.isNaN(at) ? Infinity : at
}

function idOf({ volumeId }: EbsVolume): string {
  return volumeId
}
