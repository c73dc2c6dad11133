/** Volumes and snapshots that killed backups left in EC2. */
import {
  DeleteSnapshotCommand,
  DeleteVolumeCommand,
  DetachVolumeCommand,
  EC2Client,
  paginateDescribeInstances,
  paginateDescribeSnapshots,
  paginateDescribeVolumes,
} from '@aws-sdk/client-ec2'
import { Ec2Tag } from '../../agent/contract'
import { describeError } from '../../agent/errors'
import { toSnapshot, toVolume } from '../../agent/source/ebs/ec2-shapes'
import { batchesOf } from '../inventory/account-shapes'
import type { FleetDeps } from '../vault'
import { itemsOf, patientClient } from './client.io'
import type { Leftovers } from './outlets'
import { planReaping } from './reap'

/** Of all that is in the account, EC2 gives what was made to expire, whoever made it. */
const MARKED = [{ Name: 'tag-key', Values: [Ec2Tag.expires] }]
const PAGE = 500
/** In the middle of the night, more hosts than these have a volume of their own attached (EC2 API reference, DescribeInstances). */
const FILTER_VALUES_MAX = 200
const GONE = ['InvalidVolume.NotFound', 'InvalidSnapshot.NotFound']

export function ebsLeftovers(region: string): Leftovers {
  const client = new EC2Client(patientClient(region))
  return {
    async findVolumes(abortSignal) {
      const pages = paginateDescribeVolumes({ client, pageSize: PAGE }, { Filters: MARKED }, { abortSignal })
      return (await itemsOf(pages, ({ Volumes }) => Volumes)).map(toVolume)
    },
    async findSnapshots(abortSignal) {
      const which = { OwnerIds: ['self'], Filters: MARKED }
      const pages = paginateDescribeSnapshots({ client, pageSize: PAGE }, which, { abortSignal })
      return (await itemsOf(pages, ({ Snapshots }) => Snapshots)).map(toSnapshot)
    },
    async readPower(instanceIds, abortSignal) {
      const power = new Map<string, string>()
      for (const Values of batchesOf(instanceIds, FILTER_VALUES_MAX)) {
        // By a filter: EC2 knows nothing of an instance that was terminated an hour ago, and then refuses to be asked by its id.
        const Filters = [{ Name: 'instance-id', Values }]
        const pages = paginateDescribeInstances({ client }, { Filters }, { abortSignal })
        const reservations = await itemsOf(pages, ({ Reservations }) => Reservations)
        for (const { InstanceId = '', State } of reservations.flatMap(({ Instances = [] }) => Instances)) {
          power.set(InstanceId, State?.Name ?? '')
        }
      }
      return power
    },
    async detachVolume(VolumeId, InstanceId, abortSignal) {
      await client.send(new DetachVolumeCommand({ VolumeId, InstanceId }), { abortSignal })
    },
    deleteVolume: (VolumeId, abortSignal) =>
      unlessGone(client.send(new DeleteVolumeCommand({ VolumeId }), { abortSignal })),
    deleteSnapshot: (SnapshotId, abortSignal) =>
      unlessGone(client.send(new DeleteSnapshotCommand({ SnapshotId }), { abortSignal })),
  }
}

async function unlessGone(deletion: Promise<unknown>): Promise<void> {
  try {
    await deletion
  } catch (error) {
    if (!GONE.includes((error as Error).name)) throw error
  }
}

export interface Reaped {
  readonly volumes: number
  readonly snapshots: number
  readonly detached: number
  /** For people: what could not be removed. */
  readonly problems: readonly string[]
}

type ReapDeps = Pick<FleetDeps, 'log' | 'signal' | 'now'> & { readonly leftovers: Leftovers }

/**
 * Removes what has expired and is used by nobody, one by one: what cannot be removed keeps nothing else from being.
 *
 * @param account - whose hosts' leftovers these are
 */
export async function reap({ leftovers, log, signal, now }: ReapDeps, account: string): Promise<Reaped> {
  const volumes = await leftovers.findVolumes(signal)
  const snapshots = await leftovers.findSnapshots(signal)
  const attachedTo = new Set(volumes.flatMap(({ attachment }) => attachment?.instanceId ?? []))
  const power = await leftovers.readPower([...attachedTo], signal)
  const plan = planReaping({ volumes, snapshots, power, account, now: now().getTime() / 1000 })
  const instanceOf = new Map(plan.detach.map(({ volumeId, instanceId }) => [volumeId, instanceId]))
  const problems: string[] = []
  const each = async (what: string, ids: readonly string[], remove: (id: string) => Promise<void>) => {
    let done = 0
    for (const id of ids) {
      try {
        await remove(id)
        log.info(`${id} has expired: ${what}`)
        done += 1
      } catch (error) {
        signal.throwIfAborted()
        problems.push(`${id} was not ${what}: ${describeError(error)[0] ?? ''}`)
      }
    }
    return done
  }
  for (const id of plan.leftToHosts) log.info(`${id} has expired, and is left to the running host that has it`)
  return {
    detached: await each('detached', [...instanceOf.keys()], (id) =>
      leftovers.detachVolume(id, instanceOf.get(id) ?? '', signal),
    ),
    volumes: await each('deleted', plan.deleteVolumes, (id) => leftovers.deleteVolume(id, signal)),
    snapshots: await each('deleted', plan.deleteSnapshots, (id) => leftovers.deleteSnapshot(id, signal)),
    problems,
  }
}
