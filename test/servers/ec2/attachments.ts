/** Volumes come to instances and go again. */
import {
  attachedVolumes,
  attachmentState,
  findInstance,
  findVolume,
  hasPassed,
  volumeState,
  type Account,
  type Attachment,
  type Instance,
  type Volume,
} from './account'
import { Ec2Error } from './errors'
import { flag, invalid, missing, required, structures, within } from './query'
import type { Action } from './action'

/** `/dev/sd[f-p]` are what EC2 recommends for data volumes; `a` and `b` are in use on many instances. */
const DEVICE_NAME = /^(\/dev\/)?(sd[b-z]|xvd[b-z][a-z]?)$/

export const attachVolume: Action = {
  required: ['VolumeId', 'InstanceId', 'Device'],
  optional: [],
  async run(account, parameters) {
    const volume = findVolume(account, required(parameters, 'VolumeId'))
    const instance = findInstance(account, required(parameters, 'InstanceId'))
    const device = required(parameters, 'Device')
    assertAttachable(account, volume, instance, device)
    volume.attachment = newAttachment(instance, device, account.now())
    const answer = formatAttachment(account, volume, 'attaching')
    await plugIn(account, volume)
    return answer
  },
}

export const detachVolume: Action = {
  required: ['VolumeId'],
  optional: ['InstanceId', 'Device', 'Force'],
  async run(account, parameters) {
    const volume = findVolume(account, required(parameters, 'VolumeId'))
    const { attachment } = volume
    if (flag(parameters, 'Force')) invalid('This stand-in does not take a disk away from a machine that uses it.')
    if (!attachment) {
      throw new Ec2Error('IncorrectState', `Volume '${volume.id}' is in the '${volumeState(account, volume)}' state.`)
    }
    const { instance, device } = attachment
    if (
      (parameters.get('InstanceId') ?? instance.id) !== instance.id ||
      (parameters.get('Device') ?? device) !== device
    ) {
      throw new Ec2Error('InvalidAttachment.NotFound', `Volume '${volume.id}' is not attached there.`)
    }
    if (device === instance.rootDevice) {
      const message = `Unable to detach root volume '${volume.id}' from instance '${instance.id}'`
      throw new Ec2Error('OperationNotPermitted', message)
    }
    attachment.detachingMs ??= account.now()
    const answer = formatAttachment(account, volume, 'detaching')
    await unplug(account, volume)
    return answer
  },
}

export const modifyInstanceAttribute: Action = {
  required: ['InstanceId', 'BlockDeviceMapping'],
  optional: ['Attribute'],
  run(account, parameters) {
    const attribute = parameters.get('Attribute') ?? 'blockDeviceMapping'
    if (attribute !== 'blockDeviceMapping') invalid(`Value (${attribute}) for parameter attribute is invalid.`)
    const { id } = findInstance(account, required(parameters, 'InstanceId'))
    const changes = structures(parameters, 'BlockDeviceMapping').map((mapping) => {
      const device = mapping.get('DeviceName') ?? missing('BlockDeviceMapping.DeviceName')
      const volume = attachedVolumes(account, id).find(({ attachment }) => attachment.device === device)
      const ebs = within(mapping, 'Ebs')
      if (!volume) throw new Ec2Error('InvalidInstanceAttributeValue', `No device is currently mapped at ${device}`)
      return { volume, isDeleted: !ebs.has('DeleteOnTermination') || flag(ebs, 'DeleteOnTermination') }
    })
    for (const { volume, isDeleted } of changes) volume.attachment.deleteOnTermination = isDeleted
    return { return: true }
  },
}

/** What takes time: a disk comes when it is attached, and goes as soon as nobody uses it any more. */
export async function settleAttachments(account: Account): Promise<void> {
  for (const volume of account.volumes.values()) {
    await plugIn(account, volume)
    await unplug(account, volume)
  }
}

export function newAttachment(instance: Instance, device: string, attachedMs: number): Attachment {
  const isRoot = device === instance.rootDevice
  return {
    ...{ instance, device, attachedMs, disk: undefined },
    ...{ deleteOnTermination: isRoot, detachingMs: undefined },
  }
}

export function formatAttachment(account: Account, volume: Volume, status?: string) {
  const { attachment } = volume
  if (!attachment) throw new Error(`${volume.id} is not attached`)
  return {
    volumeId: volume.id,
    instanceId: attachment.instance.id,
    device: attachment.device,
    status: status ?? attachmentState(account, attachment),
    attachTime: new Date(attachment.attachedMs).toISOString(),
    deleteOnTermination: attachment.deleteOnTermination,
  }
}

function assertAttachable(account: Account, volume: Volume, instance: Instance, device: string): void {
  const { attachmentsMax } = account.settings
  const others = attachedVolumes(account, instance.id)
  if (volume.attachment) throw new Ec2Error('VolumeInUse', `${volume.id} is already attached to an instance`)
  if (volumeState(account, volume) !== 'available') {
    throw new Ec2Error('IncorrectState', `${volume.id} is not 'available'.`)
  }
  if (volume.zone !== instance.zone) {
    const message = `The volume '${volume.id}' is not in the same availability zone as instance '${instance.id}'`
    throw new Ec2Error('InvalidVolume.ZoneMismatch', message)
  }
  if (!DEVICE_NAME.test(device)) {
    invalid(`Value (${device}) for parameter device is invalid. ${device} is not a valid EBS device name.`)
  }
  if (others.some(({ attachment }) => attachment.device === device)) {
    invalid(`Invalid value '${device}' for unixDevice. Attachment point ${device} is already in use`)
  }
  if (others.length >= attachmentsMax) {
    const message = `You may attach up to ${attachmentsMax} devices for this instance type. Please use a larger instance size to attach more volumes.`
    throw new Ec2Error('AttachmentLimitExceeded', message)
  }
}

async function plugIn(account: Account, { id, file, attachment }: Volume): Promise<void> {
  if (!attachment || attachment.disk !== undefined || attachment.detachingMs !== undefined) return
  const { attachingSeconds, discoverySeconds } = account.settings
  if (!hasPassed(account, attachment.attachedMs, attachingSeconds + discoverySeconds)) return
  // NVMe devices have no hyphen in their serial.
  const serial = id.replace('-', '')
  attachment.disk = await attachment.instance.machine.attachDisk({ file, serial })
}

async function unplug(account: Account, volume: Volume): Promise<void> {
  const { attachment } = volume
  if (attachment?.detachingMs === undefined) return
  if (attachment.disk !== undefined && (await attachment.instance.machine.detachDisk(attachment.disk))) {
    attachment.disk = undefined
  }
  const isOver = hasPassed(account, attachment.detachingMs, account.settings.detachingSeconds)
  if (attachment.disk === undefined && isOver) volume.attachment = undefined
}
