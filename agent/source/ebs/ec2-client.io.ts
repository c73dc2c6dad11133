/** EC2 by the SDK's client, which is evaluated when the first one is made and not before: it is as large as all else in the agent. */
import type { Ec2, Ec2Trial } from '../../ec2'
import { ec2ErrorCode } from './ec2-errors'
import { clientConfig, ec2Requests, type Ec2Options } from './ec2-requests.io'
import {
  copyInput,
  filterInput,
  needed,
  snapshotsInput,
  toFacts,
  toLimit,
  toSnapshot,
  toVolume,
  volumeInput,
} from './ec2-shapes'

export async function ec2Client(options: Ec2Options): Promise<Ec2> {
  const sdk = await import('@aws-sdk/client-ec2')
  const client = new sdk.EC2Client(clientConfig(options))
  const { patiently, once } = ec2Requests(options)
  const { instance, log } = options
  const { instanceId: InstanceId } = instance

  return {
    instance,
    async describeInstance(signal) {
      const command = new sdk.DescribeInstancesCommand({ InstanceIds: [InstanceId] })
      return toFacts(await patiently('DescribeInstances', signal, (how) => client.send(command, how)), InstanceId)
    },
    async describeAttachmentLimit(signal) {
      const command = new sdk.DescribeInstanceTypesCommand({ InstanceTypes: [instance.instanceType as 't3.micro'] })
      try {
        return toLimit(await patiently('DescribeInstanceTypes', signal, (how) => client.send(command, how)))
      } catch (error) {
        signal.throwIfAborted()
        log.debug(`it is not known how many volumes can be attached: ${(error as Error).message}`)
        return undefined
      }
    },
    async createSnapshots(request, signal, { onceWithinSeconds } = {}) {
      const command = new sdk.CreateSnapshotsCommand(snapshotsInput(InstanceId, request))
      const send = (how: { abortSignal: AbortSignal }) => client.send(command, how)
      return ((await once('CreateSnapshots', signal, send, onceWithinSeconds)).Snapshots ?? []).map(toSnapshot)
    },
    describeSnapshots: (filter, signal) =>
      readPages(async (token) => {
        const which = filter.ids === undefined ? { OwnerIds: ['self'] } : { SnapshotIds: [...filter.ids] }
        const command = new sdk.DescribeSnapshotsCommand({ ...which, ...filterInput(filter, token) })
        const page = await patiently('DescribeSnapshots', signal, (how) => client.send(command, how))
        return { items: (page.Snapshots ?? []).map(toSnapshot), next: page.NextToken }
      }),
    async deleteSnapshot(SnapshotId, signal) {
      const command = new sdk.DeleteSnapshotCommand({ SnapshotId })
      await patiently('DeleteSnapshot', signal, (how) => client.send(command, how))
    },
    async createVolume(request, signal) {
      const command = new sdk.CreateVolumeCommand(volumeInput(instance.zone, request))
      return toVolume(await patiently('CreateVolume', signal, (how) => client.send(command, how)))
    },
    async copyVolume(request, signal, { onceWithinSeconds } = {}) {
      const command = new sdk.CopyVolumesCommand(copyInput(request))
      const send = (how: { abortSignal: AbortSignal }) => client.send(command, how)
      const { Volumes } =
        onceWithinSeconds === undefined
          ? await patiently('CopyVolumes', signal, send)
          : await once('CopyVolumes', signal, send, onceWithinSeconds)
      return toVolume(needed(Volumes?.[0], 'CopyVolumes', 'a volume'))
    },
    describeVolumes: (filter, signal) =>
      readPages(async (token) => {
        const which = filter.ids === undefined ? {} : { VolumeIds: [...filter.ids] }
        const command = new sdk.DescribeVolumesCommand({ ...which, ...filterInput(filter, token) })
        const page = await patiently('DescribeVolumes', signal, (how) => client.send(command, how))
        return { items: (page.Volumes ?? []).map(toVolume), next: page.NextToken }
      }),
    async attachVolume(VolumeId, Device, signal) {
      const command = new sdk.AttachVolumeCommand({ VolumeId, InstanceId, Device })
      await patiently('AttachVolume', signal, (how) => client.send(command, how))
    },
    async detachVolume(VolumeId, signal) {
      const command = new sdk.DetachVolumeCommand({ VolumeId, InstanceId })
      await patiently('DetachVolume', signal, (how) => client.send(command, how))
    },
    async setDeleteOnTermination(DeviceName, signal) {
      const BlockDeviceMappings = [{ DeviceName, Ebs: { DeleteOnTermination: true } }]
      // Policies go by the name of the attribute, which EC2 itself does not need.
      const Attribute = 'blockDeviceMapping'
      const command = new sdk.ModifyInstanceAttributeCommand({ InstanceId, Attribute, BlockDeviceMappings })
      await patiently('ModifyInstanceAttribute', signal, (how) => client.send(command, how))
    },
    async deleteVolume(VolumeId, signal) {
      const command = new sdk.DeleteVolumeCommand({ VolumeId })
      await patiently('DeleteVolume', signal, (how) => client.send(command, how))
    },
    async tryOut(trial, signal) {
      try {
        await patiently(trial.action, signal, (how) => dryRun(trial, how))
      } catch (error) {
        signal.throwIfAborted()
        const code = ec2ErrorCode(error)
        if (code === 'DryRunOperation') return 'permitted'
        if (code === 'UnauthorizedOperation') return 'denied'
        log.debug(`whether ec2:${trial.action} is permitted is not known: ${(error as Error).message}`)
      }
      return 'unknown'
    },
  }

  async function dryRun(trial: Ec2Trial, how: { readonly abortSignal: AbortSignal }): Promise<unknown> {
    const DryRun = true
    switch (trial.action) {
      case 'CreateSnapshots':
        return client.send(
          new sdk.CreateSnapshotsCommand({ ...snapshotsInput(InstanceId, trial.request), DryRun }),
          how,
        )
      case 'CreateVolume':
        return client.send(new sdk.CreateVolumeCommand({ ...volumeInput(instance.zone, trial.request), DryRun }), how)
      case 'CopyVolumes':
        return client.send(new sdk.CopyVolumesCommand({ ...copyInput(trial.request), DryRun }), how)
      case 'DeleteSnapshot':
        return client.send(new sdk.DeleteSnapshotCommand({ SnapshotId: trial.snapshotId, DryRun }), how)
    }
  }
}

interface Page<T> {
  readonly items: readonly T[]
  /** Absent or empty where this is the last one. A page with nothing on it may have another after it. */
  readonly next: string | undefined
}

async function readPages<T>(read: (token: string | undefined) => Promise<Page<T>>): Promise<readonly T[]> {
  const all: T[] = []
  let token: string | undefined
  do {
    const { items, next } = await read(token)
    all.push(...items)
    token = next === '' ? undefined : next
  } while (token !== undefined)
  return all
}
