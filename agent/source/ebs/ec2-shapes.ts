/** What is asked of EC2, and what it answers, between the SDK's shapes and ours: anything that is missing there is an impossible answer. */
import type {
  CreateSnapshotsCommandInput,
  CreateVolumeCommandInput,
  CopyVolumesCommandInput,
  DescribeInstancesCommandOutput,
  DescribeInstanceTypesCommandOutput,
  ResourceType,
  Snapshot,
  SnapshotInfo,
  Tag,
  Volume,
} from '@aws-sdk/client-ec2'
import { AgentError } from '../../errors'
import type {
  AttachmentLimit,
  CopyRequest,
  EbsMakeup,
  EbsSnapshot,
  EbsVolume,
  Ec2Filter,
  Ec2Tags,
  InstanceFacts,
  SnapshotsRequest,
  VolumeRequest,
} from '../../ec2'

/** With 3,000 IOPS and 125 MiB/s whatever its size; the SDK's default would be gp2. */
const VOLUME_TYPE = 'gp3'
/** Of items on a page, where no ids are given (API_DescribeSnapshots). */
const PAGE_ITEMS = 500

export function snapshotsInput(instanceId: string, { withoutRoot, without, tags }: SnapshotsRequest) {
  const ExcludeDataVolumeIds = without.length > 0 ? { ExcludeDataVolumeIds: [...without] } : {}
  return {
    InstanceSpecification: { InstanceId: instanceId, ExcludeBootVolume: withoutRoot, ...ExcludeDataVolumeIds },
    TagSpecifications: tagged('snapshot', tags),
  } satisfies CreateSnapshotsCommandInput
}

export function volumeInput(zone: string, { snapshotId, clientToken, tags }: VolumeRequest) {
  return {
    ...{ AvailabilityZone: zone, VolumeType: VOLUME_TYPE, SnapshotId: snapshotId, ClientToken: clientToken },
    TagSpecifications: tagged('volume', tags),
  } satisfies CreateVolumeCommandInput
}

export function copyInput({ sourceVolumeId, clientToken, tags }: CopyRequest) {
  return {
    ...{ SourceVolumeId: sourceVolumeId, VolumeType: VOLUME_TYPE, ClientToken: clientToken },
    TagSpecifications: tagged('volume', tags),
  } satisfies CopyVolumesCommandInput
}

/** @param token - of the next page; not together with ids */
export function filterInput({ ids, tags = {} }: Ec2Filter, token: string | undefined) {
  const Filters = Object.entries(tags).map(([key, value]) => ({ Name: `tag:${key}`, Values: [value] }))
  return {
    ...(Filters.length > 0 && { Filters }),
    ...(ids === undefined && { MaxResults: PAGE_ITEMS }),
    ...(token !== undefined && { NextToken: token }),
  }
}

function tagged(type: ResourceType, tags: Ec2Tags) {
  return [{ ResourceType: type, Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }]
}

/** @throws AgentError EC2_FAILED, as all of these, where the answer lacks what EC2 always says */
export function toFacts({ Reservations }: DescribeInstancesCommandOutput, instanceId: string): InstanceFacts {
  const instances = (Reservations ?? []).flatMap(({ Instances }) => Instances ?? [])
  const instance = needed(
    instances.find(({ InstanceId }) => InstanceId === instanceId),
    'DescribeInstances',
    instanceId,
  )
  const volumes = (instance.BlockDeviceMappings ?? []).flatMap(({ DeviceName, Ebs }) =>
    DeviceName !== undefined && Ebs?.VolumeId !== undefined ? [{ volumeId: Ebs.VolumeId, deviceName: DeviceName }] : [],
  )
  const root = volumes.find(({ deviceName }) => deviceName === instance.RootDeviceName)
  return {
    volumes,
    ...(root && { rootVolumeId: root.volumeId }),
    networkInterfaces: instance.NetworkInterfaces?.length ?? 0,
  }
}

export function toLimit({ InstanceTypes }: DescribeInstanceTypesCommandOutput): AttachmentLimit | undefined {
  const { MaximumEbsAttachments, AttachmentLimitType } = InstanceTypes?.[0]?.EbsInfo ?? {}
  if (MaximumEbsAttachments === undefined) return undefined
  return { attachmentsMax: MaximumEbsAttachments, shared: AttachmentLimitType === 'shared' }
}

/** CreateSnapshots answers in another shape than DescribeSnapshots, which alone says why one failed. */
export function toSnapshot(snapshot: Snapshot | SnapshotInfo): EbsSnapshot {
  const { SnapshotId, VolumeId, State, StartTime, Progress, Tags } = snapshot
  const message = 'StateMessage' in snapshot ? snapshot.StateMessage : undefined
  return {
    snapshotId: needed(SnapshotId, 'EC2', 'SnapshotId'),
    volumeId: VolumeId ?? '',
    state: State ?? 'pending',
    detail: message ?? Progress ?? '',
    startedAt: StartTime ?? new Date(0),
    tags: toTags(Tags),
  }
}

export function toVolume(volume: Volume): EbsVolume {
  const { VolumeId, State, CreateTime, Attachments, Tags } = volume
  const makeup = toMakeup(volume)
  const attached = Attachments?.find(({ State }) => State !== 'detached')
  return {
    volumeId: needed(VolumeId, 'EC2', 'VolumeId'),
    state: State ?? 'creating',
    createdAt: CreateTime ?? new Date(0),
    ...(attached && {
      attachment: {
        instanceId: attached.InstanceId ?? '',
        deviceName: attached.Device ?? '',
        state: attached.State ?? 'attached',
      },
    }),
    ...(makeup && { makeup }),
    tags: toTags(Tags),
  }
}

function toMakeup({ Size, VolumeType, Encrypted = false, KmsKeyId, Iops, Throughput }: Volume): EbsMakeup | undefined {
  if (Size === undefined || VolumeType === undefined) return undefined
  return {
    ...{ sizeGiB: Size, type: VolumeType, encrypted: Encrypted },
    ...(KmsKeyId !== undefined && { kmsKeyId: KmsKeyId }),
    ...(Iops !== undefined && { iops: Iops }),
    ...(Throughput !== undefined && { throughputMiB: Throughput }),
  }
}

function toTags(tags: readonly Tag[] = []): Ec2Tags {
  return Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]))
}

export function needed<T>(value: T | undefined, action: string, what: string): T {
  if (value !== undefined) return value
  throw new AgentError('EC2_FAILED', `${action} answered without ${what}`, {
    hint: 'Check --ec2-endpoint-url: what answers there does not speak as EC2 does.',
  })
}
