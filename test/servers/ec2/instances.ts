/** Instances, and what their types can have attached. */
import { attachedVolumes, attachmentState, findInstance, type Account, type Instance } from './account'
import { describe } from './lists'
import { missing, texts } from './query'
import { OWNER } from './snapshots'
import { formatTags } from './tags'
import type { Action } from './action'
import type { Xml } from './xml'

export const describeInstances: Action = {
  required: [],
  optional: ['InstanceId', 'Filter', 'MaxResults', 'NextToken'],
  run(account, parameters) {
    const { items, nextToken } = describe<Instance>(parameters, {
      pageItemsMax: account.settings.pageItemsMax,
      ids: 'InstanceId',
      all: () => [...account.instances.values()],
      find: (id) => findInstance(account, id),
      tags: ({ tags }) => tags,
      facts: ({ id, type, zone }) => ({ 'instance-id': id, 'instance-type': type, 'availability-zone': zone }),
    })
    const reservationSet = items.map((instance) => ({
      reservationId: instance.id.replace('i-', 'r-'),
      ownerId: OWNER,
      instancesSet: [formatInstance(account, instance)],
    }))
    return { reservationSet, nextToken }
  },
}

/** All types are alike. */
export const describeInstanceTypes: Action = {
  required: ['InstanceType'],
  optional: [],
  run({ settings }, parameters) {
    const names = texts(parameters, 'InstanceType')
    if (names.length === 0) missing('InstanceType')
    const ebsInfo = { maximumEbsAttachments: settings.attachmentsMax, attachmentLimitType: 'dedicated' }
    return { instanceTypeSet: names.map((instanceType) => ({ instanceType, ebsInfo })) }
  },
}

function formatInstance(account: Account, instance: Instance): Xml {
  const volumes = attachedVolumes(account, instance.id)
  return {
    instanceId: instance.id,
    instanceState: { code: 16, name: 'running' },
    instanceType: instance.type,
    launchTime: new Date(instance.createdMs).toISOString(),
    placement: { availabilityZone: instance.zone },
    rootDeviceType: 'ebs',
    rootDeviceName: instance.rootDevice,
    blockDeviceMapping: volumes.map(({ id, attachment }) => ({
      deviceName: attachment.device,
      ebs: {
        volumeId: id,
        status: attachmentState(account, attachment),
        attachTime: new Date(attachment.attachedMs).toISOString(),
        deleteOnTermination: attachment.deleteOnTermination,
      },
    })),
    tagSet: formatTags(instance.tags),
  }
}
