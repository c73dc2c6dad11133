/** An instance, as somebody starts it before a test begins. */
import { newId, type Account, type Instance } from './account'
import { newAttachment, settleAttachments } from './attachments'
import { NO_MACHINE, type Machine } from './machine'
import { makeVolume } from './volumes'

export interface LaunchOptions {
  /** What its disks are plugged into; without, they are files that nobody reads. */
  readonly machine?: Machine
  /** `us-east-1a` unless told. */
  readonly zone?: string
  /** The first one is its root. */
  readonly volumes: readonly { readonly sizeGiB: number; readonly tags?: Readonly<Record<string, string>> }[]
}

export interface LaunchedInstance {
  readonly id: string
  readonly volumeIds: readonly string[]
}

const ROOT_DEVICE = '/dev/xvda'
/** What EC2 recommends for data volumes. */
const DATA_DEVICES = 'fghijklmnop'.split('').map((letter) => `/dev/sd${letter}`)
const DAY_MS = 86_400_000

/** @returns when its machine has its disks */
export async function launchInstance(account: Account, options: LaunchOptions): Promise<LaunchedInstance> {
  const { machine = NO_MACHINE, zone = 'us-east-1a' } = options
  // Long ago: there is nothing to wait for.
  const createdMs = account.now() - DAY_MS
  const instance: Instance = {
    ...{ id: newId('i'), type: 't3.small', zone, rootDevice: ROOT_DEVICE, machine },
    ...{ tags: new Map(), createdMs },
  }
  account.instances.set(instance.id, instance)
  const volumeIds: string[] = []
  for (const [index, { sizeGiB, tags = {} }] of options.volumes.entries()) {
    const given = new Map(Object.entries(tags))
    const volume = await makeVolume(account, {
      sizeGiB,
      zone,
      type: 'gp3',
      snapshot: undefined,
      tags: given,
      createdMs,
    })
    const device = [ROOT_DEVICE, ...DATA_DEVICES][index]
    if (device === undefined) throw new Error(`an instance is launched with at most ${DATA_DEVICES.length + 1} volumes`)
    volume.attachment = newAttachment(instance, device, createdMs)
    volumeIds.push(volume.id)
  }
  await settleAttachments(account)
  return { id: instance.id, volumeIds }
}
