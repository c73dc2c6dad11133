/** Volumes are sparse files. */
import { join } from 'node:path'
import { rm, truncate, writeFile } from 'node:fs/promises'
import {
  findSnapshot,
  findVolume,
  newId,
  snapshotState,
  visibleVolumes,
  volumeState,
  type Account,
  type Snapshot,
  type Volume,
} from './account'
import { formatAttachment } from './attachments'
import { copySparse } from './copy'
import { Ec2Error } from './errors'
import { describe } from './lists'
import { integer, invalid, missing, required, type Parameters } from './query'
import { formatTags, tagsToGive } from './tags'
import type { Action } from './action'
import type { Xml } from './xml'

const TYPES = ['gp2', 'gp3', 'io1', 'io2', 'sc1', 'st1', 'standard']
const CLIENT_TOKEN_MAX = 64
const GIB = 2 ** 30

export const createVolume: Action = {
  required: ['AvailabilityZone'],
  optional: ['SnapshotId', 'Size', 'VolumeType', 'ClientToken', 'TagSpecification'],
  async run(account, parameters) {
    const before = findByToken(account, parameters)
    if (before) return formatVolume(account, before)
    const volume = await makeVolume(account, readRequest(account, parameters))
    const token = parameters.get('ClientToken')
    if (token !== undefined)
      account.clientTokens.set(token, { request: formatRequest(parameters), volumeId: volume.id })
    return formatVolume(account, volume)
  },
}

/** A copy of a volume as it is now, in its zone. */
export const copyVolumes: Action = {
  required: ['SourceVolumeId'],
  optional: ['VolumeType', 'ClientToken', 'TagSpecification'],
  async run(account, parameters) {
    const source = findVolume(account, required(parameters, 'SourceVolumeId'))
    const before = findByToken(account, parameters)
    const copy = before ?? (await copyOf(account, source, parameters))
    const token = parameters.get('ClientToken')
    if (token !== undefined) account.clientTokens.set(token, { request: formatRequest(parameters), volumeId: copy.id })
    return { volumeSet: [formatVolume(account, copy)] }
  },
}

async function copyOf(account: Account, source: Volume, parameters: Parameters): Promise<Volume> {
  const { sizeGiB, zone, attachment } = source
  const copy = await makeVolume(account, {
    ...{ sizeGiB, zone, type: parameters.get('VolumeType') ?? 'gp2', snapshot: undefined },
    ...{ tags: tagsToGive(parameters, 'volume'), createdMs: account.now() },
  })
  const fill = () => copySparse(source.file, copy.file)
  await (attachment ? attachment.instance.machine.paused(fill) : fill())
  return copy
}

export const describeVolumes: Action = {
  required: [],
  optional: ['VolumeId', 'Filter', 'MaxResults', 'NextToken'],
  run(account, parameters) {
    const { items, nextToken } = describe<Volume>(parameters, {
      pageItemsMax: account.settings.pageItemsMax,
      ids: 'VolumeId',
      all: () => visibleVolumes(account),
      find: (id) => findVolume(account, id),
      tags: ({ tags }) => tags,
      facts: (volume) => factsOf(account, volume),
    })
    return { volumeSet: items.map((volume) => formatVolume(account, volume)), nextToken }
  },
}

export const deleteVolume: Action = {
  required: ['VolumeId'],
  optional: [],
  async run(account, parameters) {
    const volume = findVolume(account, required(parameters, 'VolumeId'))
    if (volume.attachment) {
      const message = `Volume ${volume.id} is currently attached to ${volume.attachment.instance.id}`
      throw new Ec2Error('VolumeInUse', message)
    }
    const state = volumeState(account, volume)
    if (state === 'creating' || state === 'deleting') {
      throw new Ec2Error('IncorrectState', `Volume '${volume.id}' is in the '${state}' state.`)
    }
    volume.deletedMs = account.now()
    await rm(volume.file)
    return { return: true }
  },
}

interface Request {
  readonly sizeGiB: number
  readonly zone: string
  readonly type: string
  readonly snapshot: Snapshot | undefined
  readonly tags: Map<string, string>
  readonly createdMs: number
}

/** @returns the volume, whose file has the snapshot's content, or none */
export async function makeVolume(account: Account, request: Request): Promise<Volume> {
  const { sizeGiB, zone, type, snapshot, tags, createdMs } = request
  const id = newId('vol')
  const file = join(account.directory, id)
  if (snapshot) await copySparse(snapshot.file, file)
  else await writeFile(file, '')
  await truncate(file, sizeGiB * GIB)
  const volume: Volume = {
    ...{ id, file, sizeGiB, zone, type, tags, snapshotId: snapshot?.id ?? '' },
    ...{ createdMs, attachment: undefined, deletedMs: undefined },
  }
  account.volumes.set(id, volume)
  return volume
}

function readRequest(account: Account, parameters: Parameters): Request {
  const snapshotId = parameters.get('SnapshotId')
  const snapshot = snapshotId === undefined ? undefined : findSnapshot(account, snapshotId)
  const type = parameters.get('VolumeType') ?? 'gp2'
  const sizeGiB = integer(parameters, 'Size') ?? snapshot?.sizeGiB ?? missing('Size or snapshot')
  if (snapshot && snapshotState(account, snapshot) !== 'completed') {
    throw new Ec2Error('IncorrectState', `Snapshot '${snapshot.id}' is not 'completed'.`)
  }
  if (!TYPES.includes(type)) invalid(`Value (${type}) for parameter volumeType is invalid.`)
  if (snapshot && sizeGiB < snapshot.sizeGiB) {
    invalid(`The size of a volume must be equal to or larger than the size of its snapshot: ${snapshot.sizeGiB} GiB.`)
  }
  if (sizeGiB < 1 || sizeGiB > 65_536) invalid(`Volume of ${sizeGiB} GiB is not of a valid size.`)
  return {
    sizeGiB,
    zone: required(parameters, 'AvailabilityZone'),
    type,
    snapshot,
    tags: tagsToGive(parameters, 'volume'),
    createdMs: account.now(),
  }
}

/** A token is used up even where its volume is gone, and then nothing comes of it any more (aws-ebs-csi-driver#1951). */
function findByToken(account: Account, parameters: Parameters): Volume | undefined {
  const token = parameters.get('ClientToken')
  if (token === undefined) return undefined
  if (token.length > CLIENT_TOKEN_MAX)
    invalid(`Client token must be less than or equal to ${CLIENT_TOKEN_MAX} characters`)
  const used = account.clientTokens.get(token)
  if (!used) return undefined
  const volume = account.volumes.get(used.volumeId)
  if (used.request !== formatRequest(parameters) || !volume || volume.deletedMs !== undefined) {
    const message = 'Parameters on this idempotent request are inconsistent with parameters used in previous request(s)'
    throw new Ec2Error('IdempotentParameterMismatch', message)
  }
  return volume
}

function formatRequest(parameters: Parameters): string {
  return JSON.stringify([...parameters].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function factsOf(account: Account, volume: Volume): Record<string, string | undefined> {
  const attachment = volume.attachment && formatAttachment(account, volume)
  return {
    'volume-id': volume.id,
    status: volumeState(account, volume),
    size: String(volume.sizeGiB),
    'snapshot-id': volume.snapshotId,
    'availability-zone': volume.zone,
    'volume-type': volume.type,
    'attachment.instance-id': attachment?.instanceId,
    'attachment.device': attachment?.device,
    'attachment.status': attachment?.status,
    'attachment.delete-on-termination': attachment && String(attachment.deleteOnTermination),
  }
}

function formatVolume(account: Account, volume: Volume): Xml {
  return {
    volumeId: volume.id,
    size: volume.sizeGiB,
    snapshotId: volume.snapshotId,
    availabilityZone: volume.zone,
    status: volumeState(account, volume),
    createTime: new Date(volume.createdMs).toISOString(),
    attachmentSet: volume.attachment ? [formatAttachment(account, volume)] : [],
    tagSet: formatTags(volume.tags),
    volumeType: volume.type,
    encrypted: false,
    multiAttachEnabled: false,
  }
}
