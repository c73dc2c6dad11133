/** Snapshots of all disks of an instance at one moment: copies of their files. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  attachedVolumes,
  findInstance,
  findSnapshot,
  newId,
  snapshotState,
  visibleSnapshots,
  type Account,
  type Instance,
  type Snapshot,
  type Volume,
} from './account'
import { copySparse } from './copy'
import { Ec2Error } from './errors'
import { describe } from './lists'
import { flag, invalid, missing, required, texts, within, type Parameters } from './query'
import { formatTags, tagsToGive } from './tags'
import type { Action } from './action'
import type { Xml } from './xml'

export const OWNER = '123456789012'
const EXCLUDED_MAX = 40

export const createSnapshots: Action = {
  required: ['InstanceSpecification'],
  optional: ['Description', 'TagSpecification', 'CopyTagsFromSource'],
  async run(account, parameters) {
    const specification = within(parameters, 'InstanceSpecification')
    const id = specification.get('InstanceId') ?? missing('InstanceSpecification.InstanceId')
    const instance = findInstance(account, id)
    const snapshots = planSnapshots(account, chooseVolumes(account, instance, specification), parameters)
    await instance.machine.paused(async () => {
      for (const { volume, snapshot } of snapshots) await copySparse(volume.file, snapshot.file)
    })
    for (const { snapshot } of snapshots) account.snapshots.set(snapshot.id, snapshot)
    return { snapshotSet: snapshots.map(({ snapshot }) => formatSnapshot(account, snapshot, 'state')) }
  },
}

export const describeSnapshots: Action = {
  required: [],
  optional: ['SnapshotId', 'Owner', 'Filter', 'MaxResults', 'NextToken'],
  run(account, parameters) {
    for (const owner of texts(parameters, 'Owner')) {
      if (owner !== 'self' && owner !== OWNER) invalid(`This stand-in has no snapshots of the owner '${owner}'.`)
    }
    const { items, nextToken } = describe<Snapshot>(parameters, {
      pageItemsMax: account.settings.pageItemsMax,
      ids: 'SnapshotId',
      all: () => visibleSnapshots(account),
      find: (id) => findSnapshot(account, id),
      tags: ({ tags }) => tags,
      facts: (snapshot) => factsOf(account, snapshot),
    })
    return { snapshotSet: items.map((snapshot) => formatSnapshot(account, snapshot, 'status')), nextToken }
  },
}

export const deleteSnapshot: Action = {
  required: ['SnapshotId'],
  optional: [],
  async run(account, parameters) {
    const snapshot = findSnapshot(account, required(parameters, 'SnapshotId'))
    snapshot.isDeleted = true
    await rm(snapshot.file)
    return { return: true }
  },
}

function chooseVolumes(account: Account, instance: Instance, specification: Parameters): Volume[] {
  const attached = attachedVolumes(account, instance.id)
  const root = attached.find(({ attachment }) => attachment.device === instance.rootDevice)
  const excluded = texts(specification, 'ExcludeDataVolumeId')
  if (excluded.length > EXCLUDED_MAX) invalid(`At most ${EXCLUDED_MAX} data volumes can be excluded.`)
  if (root && excluded.includes(root.id)) {
    invalid(`Volume '${root.id}' is the root volume. To exclude it, use ExcludeBootVolume.`)
  }
  const foreign = excluded.find((id) => !attached.some((volume) => volume.id === id))
  if (foreign !== undefined) invalid(`Volume '${foreign}' is not attached to instance '${instance.id}'.`)
  const withoutRoot = flag(specification, 'ExcludeBootVolume')
  const chosen = attached.filter((volume) => !excluded.includes(volume.id) && !(withoutRoot && volume === root))
  if (chosen.length === 0) invalid('All volumes of the instance are excluded.')
  for (const { id } of chosen) assertMayHaveAnother(account, id)
  return chosen
}

function assertMayHaveAnother(account: Account, volumeId: string): void {
  const { pendingSnapshotsMax } = account.settings
  const pending = [...account.snapshots.values()].filter(
    (snapshot) => snapshot.volumeId === volumeId && snapshotState(account, snapshot) === 'pending',
  )
  if (pending.length < pendingSnapshotsMax) return
  const message = `You can have at most ${pendingSnapshotsMax} pending snapshots of volume '${volumeId}'.`
  throw new Ec2Error('ConcurrentSnapshotLimitExceeded', message)
}

function planSnapshots(account: Account, volumes: readonly Volume[], parameters: Parameters) {
  const source = parameters.get('CopyTagsFromSource')
  if (source !== undefined && source !== 'volume')
    invalid(`Value (${source}) for parameter copyTagsFromSource is invalid.`)
  const given = tagsToGive(parameters, 'snapshot')
  return volumes.map((volume) => {
    const id = newId('snap')
    const snapshot: Snapshot = {
      ...{ id, volumeId: volume.id, sizeGiB: volume.sizeGiB, file: join(account.directory, id) },
      ...{ description: parameters.get('Description') ?? '', createdMs: account.now(), isDeleted: false },
      tags: new Map([...(source === 'volume' ? volume.tags : []), ...given]),
    }
    return { volume, snapshot }
  })
}

function factsOf(account: Account, snapshot: Snapshot): Record<string, string | undefined> {
  return {
    'snapshot-id': snapshot.id,
    'volume-id': snapshot.volumeId,
    'volume-size': String(snapshot.sizeGiB),
    status: snapshotState(account, snapshot),
    description: snapshot.description,
    'owner-id': OWNER,
  }
}

/** CreateSnapshots says `state` what DescribeSnapshots calls `status`. */
function formatSnapshot(account: Account, snapshot: Snapshot, statusElement: 'state' | 'status'): Xml {
  const status = snapshotState(account, snapshot)
  return {
    snapshotId: snapshot.id,
    volumeId: snapshot.volumeId,
    [statusElement]: status,
    startTime: new Date(snapshot.createdMs).toISOString(),
    progress: status === 'pending' ? '0%' : '100%',
    ownerId: OWNER,
    volumeSize: snapshot.sizeGiB,
    description: snapshot.description,
    encrypted: false,
    tagSet: formatTags(snapshot.tags),
  }
}
