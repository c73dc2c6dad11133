/** What EC2 asks IAM before it does anything: about each resource of a request, and about each that comes of it. */
import { attachedVolumes, type Account } from './account'
import { structures, texts, within, type Parameters } from './query'
import { OWNER } from './snapshots'

export type Tags = Readonly<Record<string, string>>

export interface Ec2Resource {
  readonly arn: string
  readonly tags?: Tags
}

/** All that a policy can go by. */
export interface Ec2Request {
  readonly action: string
  /** What is there already. */
  readonly about: readonly Ec2Resource[]
  /** What comes of it, with the tags that it is to have. */
  readonly makes?: Ec2Resource
  /** Of tags that existing resources are to get, or lose. */
  readonly requestTags?: Tags
  readonly context?: Readonly<Record<string, string>>
}

/** Where a request names what it is about. */
const NAMED = ['InstanceId', 'VolumeId', 'SnapshotId', 'SourceVolumeId', 'SourceSnapshotId']
const MAKES_VOLUMES = ['CreateVolume', 'CopyVolumes']
const TAGS = ['CreateTags', 'DeleteTags']
const MAKES_SNAPSHOTS = ['CreateSnapshot', 'CreateSnapshots', 'CopySnapshot']

/** @param region - that the ARNs are to have */
export function readRequest(account: Account, region: string, parameters: Parameters): Ec2Request {
  const action = parameters.get('Action') ?? ''
  if (action.startsWith('Describe')) return { action, about: [{ arn: '*' }] }
  const about = idsOf(account, action, parameters).map((id) => ({
    arn: formatArn(region, id),
    tags: tagsOf(account, id),
  }))
  const isForVolume = MAKES_VOLUMES.includes(action)
  const makes = isForVolume ? 'vol-new' : MAKES_SNAPSHOTS.includes(action) ? 'snap-new' : undefined
  const attribute = parameters.get('Attribute')
  return {
    action,
    about,
    ...(makes !== undefined && { makes: { arn: formatArn(region, makes), tags: tagsOfSpecification(parameters) } }),
    ...(TAGS.includes(action) && { requestTags: readTags(parameters) }),
    context: {
      ...(isForVolume && { 'ec2:VolumeType': parameters.get('VolumeType') ?? 'gp2' }),
      ...(attribute !== undefined && { 'ec2:Attribute': attribute }),
    },
  }
}

function idsOf(account: Account, action: string, parameters: Parameters): string[] {
  const named = NAMED.flatMap((name) => parameters.get(name) ?? [])
  if (action === 'CreateSnapshots') {
    const specification = within(parameters, 'InstanceSpecification')
    const instance = specification.get('InstanceId') ?? ''
    const excluded = texts(specification, 'ExcludeDataVolumeId')
    const ids = attachedVolumes(account, instance).map(({ id }) => id)
    return [instance, ...ids.filter((id) => !excluded.includes(id))]
  }
  if (action === 'ModifyInstanceAttribute') {
    const devices = structures(parameters, 'BlockDeviceMapping').map((mapping) => mapping.get('DeviceName'))
    const attached = attachedVolumes(account, parameters.get('InstanceId') ?? '')
    return [...named, ...attached.filter(({ attachment }) => devices.includes(attachment.device)).map(({ id }) => id)]
  }
  return [...named, ...texts(parameters, 'ResourceId')]
}

function formatArn(region: string, id: string): string {
  if (id.startsWith('snap-')) return `arn:aws:ec2:${region}::snapshot/${id}`
  // What is not there yet has no id.
  return `arn:aws:ec2:${region}:${OWNER}:${id.startsWith('vol-') ? 'volume' : 'instance'}/${id.replace('vol-new', 'new')}`
}

/** What is not there has no tags. */
function tagsOf({ instances, volumes, snapshots }: Account, id: string): Tags {
  return Object.fromEntries((instances.get(id) ?? volumes.get(id) ?? snapshots.get(id))?.tags ?? [])
}

function tagsOfSpecification(parameters: Parameters): Tags {
  return Object.assign({}, ...structures(parameters, 'TagSpecification').map(readTags)) as Tags
}

function readTags(parameters: Parameters): Tags {
  const tags = structures(parameters, 'Tag').map((tag) => [tag.get('Key') ?? '', tag.get('Value') ?? ''] as const)
  return Object.fromEntries(tags)
}
