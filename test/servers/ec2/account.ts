/** What the account has: instances, volumes, snapshots; and in which of EC2's states each of them is by now. */
import { randomBytes } from 'node:crypto'
import { Ec2Error } from './errors'
import type { Ec2Request } from './authorization'
import type { Machine } from './machine'

/** How this EC2 behaves. Can be changed while it runs. */
export interface Settings {
  /** How long a snapshot is `pending`. */
  readonly pendingSeconds: number
  /** How long a volume is `creating`. */
  readonly creatingSeconds: number
  /** How long an attachment is `attaching`. */
  readonly attachingSeconds: number
  /** How long it takes the machine to see the disk once that is `attached`. */
  readonly discoverySeconds: number
  /** How long an attachment is `detaching` at least; the machine loses the disk at once, unless it is in use. */
  readonly detachingSeconds: number
  /** How long a volume is `deleting`. */
  readonly deletingSeconds: number
  /** For how long after its creation nothing is found. */
  readonly unseenSeconds: number
  /** What becomes of snapshots that are not `pending` any more. */
  readonly snapshotsEnd: 'completed' | 'error'
  /** What becomes of volumes that are not `creating` any more. */
  readonly volumesEnd: 'available' | 'error'
  /** As DescribeInstanceTypes says of every type. A guest has 15 units at most. */
  readonly attachmentsMax: number
  /** Snapshots of a volume that may be pending at once, deleted ones included. */
  readonly pendingSnapshotsMax: number
  /** Actions that the caller lacks the permission for. */
  readonly denied: readonly string[]
  /** Whether the caller's policies let a request pass; without, all may do all. */
  readonly authorize: ((request: Ec2Request) => Promise<boolean>) | undefined
  /** On a page of what is described, however many are asked for. */
  readonly pageItemsMax: number
}

export const SETTINGS: Settings = {
  pendingSeconds: 0,
  creatingSeconds: 0,
  attachingSeconds: 0,
  discoverySeconds: 0,
  detachingSeconds: 0,
  deletingSeconds: 0,
  unseenSeconds: 0,
  snapshotsEnd: 'completed',
  volumesEnd: 'available',
  attachmentsMax: 15,
  pendingSnapshotsMax: 5,
  denied: [],
  authorize: undefined,
  pageItemsMax: 1000,
}

export interface Instance {
  readonly id: string
  readonly type: string
  readonly zone: string
  readonly rootDevice: string
  readonly machine: Machine
  readonly tags: Map<string, string>
  readonly createdMs: number
}

export interface Attachment {
  readonly instance: Instance
  /** The name that EC2 knows it by: `/dev/sdf`. */
  readonly device: string
  readonly attachedMs: number
  /** The name that the machine knows it by, while it has it. */
  disk: string | undefined
  deleteOnTermination: boolean
  detachingMs: number | undefined
}

export interface Volume {
  readonly id: string
  readonly sizeGiB: number
  readonly zone: string
  readonly type: string
  readonly file: string
  /** Empty for one that began empty. */
  readonly snapshotId: string
  readonly tags: Map<string, string>
  readonly createdMs: number
  attachment: Attachment | undefined
  deletedMs: number | undefined
}

export interface Snapshot {
  readonly id: string
  readonly volumeId: string
  readonly sizeGiB: number
  readonly file: string
  readonly description: string
  readonly tags: Map<string, string>
  readonly createdMs: number
  isDeleted: boolean
}

export interface Account {
  readonly directory: string
  readonly now: () => number
  settings: Settings
  readonly instances: Map<string, Instance>
  readonly volumes: Map<string, Volume>
  readonly snapshots: Map<string, Snapshot>
  /** By ClientToken, for ever: what was asked for with it, and what came of it. */
  readonly clientTokens: Map<string, { readonly request: string; readonly volumeId: string }>
}

/** `vol-0123456789abcdef0`. */
export function newId(kind: 'i' | 'vol' | 'snap'): string {
  return `${kind}-0${randomBytes(8).toString('hex')}`
}

export function hasPassed({ now }: Account, sinceMs: number, seconds: number): boolean {
  return now() >= sinceMs + seconds * 1000
}

export function volumeState(account: Account, volume: Volume): string {
  const { creatingSeconds, volumesEnd } = account.settings
  if (volume.deletedMs !== undefined) return 'deleting'
  if (volume.attachment) return 'in-use'
  return hasPassed(account, volume.createdMs, creatingSeconds) ? volumesEnd : 'creating'
}

export function snapshotState(account: Account, { createdMs }: Snapshot): string {
  const { pendingSeconds, snapshotsEnd } = account.settings
  return hasPassed(account, createdMs, pendingSeconds) ? snapshotsEnd : 'pending'
}

export function attachmentState(account: Account, { disk, attachedMs, detachingMs }: Attachment): string {
  if (detachingMs !== undefined) return disk === undefined ? 'detaching' : 'busy'
  return hasPassed(account, attachedMs, account.settings.attachingSeconds) ? 'attached' : 'attaching'
}

export function visibleVolumes(account: Account): Volume[] {
  return [...account.volumes.values()].filter(
    (volume) =>
      isSeen(account, volume) &&
      (volume.deletedMs === undefined || !hasPassed(account, volume.deletedMs, account.settings.deletingSeconds)),
  )
}

export function visibleSnapshots(account: Account): Snapshot[] {
  return [...account.snapshots.values()].filter((snapshot) => !snapshot.isDeleted && isSeen(account, snapshot))
}

/** The volumes of an instance, in the order in which they were attached. */
export function attachedVolumes(account: Account, instanceId: string): (Volume & { attachment: Attachment })[] {
  return [...account.volumes.values()]
    .filter((volume): volume is Volume & { attachment: Attachment } => volume.attachment?.instance.id === instanceId)
    .sort((a, b) => a.attachment.attachedMs - b.attachment.attachedMs)
}

/** @throws Ec2Error as all of these where the id is none, or of nothing that is there */
export function findInstance({ instances }: Account, id: string): Instance {
  if (!isId('i', id)) throw new Ec2Error('InvalidInstanceID.Malformed', `Invalid id: "${id}"`)
  const found = instances.get(id)
  if (!found) throw new Ec2Error('InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`)
  return found
}

export function findVolume(account: Account, id: string): Volume {
  if (!isId('vol', id)) {
    throw new Ec2Error('InvalidParameterValue', `Value (${id}) for parameter volumeId is invalid. Expected: 'vol-...'.`)
  }
  const found = visibleVolumes(account).find((volume) => volume.id === id)
  if (!found) throw new Ec2Error('InvalidVolume.NotFound', `The volume '${id}' does not exist.`)
  return found
}

export function findSnapshot(account: Account, id: string): Snapshot {
  if (!isId('snap', id)) throw new Ec2Error('InvalidSnapshotID.Malformed', `Invalid id: "${id}" (expecting "snap-...")`)
  const found = visibleSnapshots(account).find((snapshot) => snapshot.id === id)
  if (!found) throw new Ec2Error('InvalidSnapshot.NotFound', `The snapshot '${id}' does not exist.`)
  return found
}

function isId(kind: string, id: string): boolean {
  return new RegExp(`^${kind}-[0-9a-f]{8,17}$`).test(id)
}

function isSeen(account: Account, { createdMs }: { readonly createdMs: number }): boolean {
  return hasPassed(account, createdMs, account.settings.unseenSeconds)
}
