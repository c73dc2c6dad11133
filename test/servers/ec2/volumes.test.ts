/** What EC2 refuses, and the states that its volumes and snapshots pass through. */
import { closeSync, existsSync, openSync, readSync, statSync, writeFileSync } from 'node:fs'
import { askEc2, type Ec2Answer } from './ask'
import { startEc2, type LaunchedInstance, type Machine, type RunningEc2 } from './index'
import type { ActionName } from './actions'

const ZONE = 'us-east-1a'
let nowMs = Date.UTC(2026, 0, 31)
let ec2: RunningEc2
let host: LaunchedInstance
let root: string
let data: string

/** A machine that notes what happens to it. */
const disks = new Map<string, { readonly file: string; readonly serial: string }>()
let mounted = ''
const machine: Machine = {
  async attachDisk(disk) {
    const device = `/dev/disk${disks.size}`
    disks.set(device, disk)
    return device
  },
  detachDisk: async (device) => device !== mounted && disks.delete(device),
  paused: (work) => work(),
}

beforeEach(async () => {
  disks.clear()
  mounted = ''
  ec2 = await startEc2({ now: () => nowMs })
  host = await ec2.launch({ machine, volumes: [{ sizeGiB: 1 }, { sizeGiB: 2, tags: { purpose: 'data' } }] })
  ;[root = '', data = ''] = host.volumeIds
})
afterEach(() => ec2.stop())

const pass = (seconds: number) => (nowMs += seconds * 1000)
const ask = (action: ActionName, parameters?: Record<string, string>) => askEc2(ec2, action, parameters)

async function done(action: ActionName, parameters?: Record<string, string>): Promise<Ec2Answer> {
  const answer = await ask(action, parameters)
  expect([answer.code, answer.message]).toEqual([undefined, undefined])
  return answer
}

async function refusal(action: ActionName, parameters: Record<string, string>): Promise<string> {
  const { status, code, message } = await ask(action, parameters)
  expect(status).toBe(400)
  return `${code ?? ''}: ${message ?? ''}`
}

async function createVolume(parameters: Record<string, string>): Promise<string> {
  const answer = await done('CreateVolume', { AvailabilityZone: ZONE, ...parameters })
  return answer.texts('volumeId')[0]!
}

async function createSnapshots(parameters: Record<string, string> = {}): Promise<string[]> {
  const answer = await done('CreateSnapshots', { 'InstanceSpecification.InstanceId': host.id, ...parameters })
  return answer.texts('snapshotId')
}

const at = (VolumeId: string, Device: string) => ({ VolumeId, InstanceId: host.id, Device })
const statusOf = async (id: string) => (await done('DescribeVolumes', { 'VolumeId.1': id })).texts('status').join(' ')
const fileOf = (id: string) => [...disks.values()].find(({ serial }) => serial === id.replace('-', ''))!.file

function beginning(file: string): string {
  const [descriptor, bytes] = [openSync(file, 'r'), Buffer.alloc(6)]
  readSync(descriptor, bytes)
  closeSync(descriptor)
  return bytes.toString()
}

describe('snapshots', () => {
  test('hold what was on the disks, and make volumes that do', async () => {
    writeFileSync(fileOf(data), 'before', { flag: 'r+' })
    const [, ofData = ''] = await createSnapshots()
    writeFileSync(fileOf(data), 'after.', { flag: 'r+' })
    const volume = await createVolume({ SnapshotId: ofData, Size: '3' })
    await done('AttachVolume', at(volume, '/dev/sdg'))
    expect(beginning(fileOf(volume))).toBe('before')
    expect(statSync(fileOf(volume)).size).toBe(3 * 2 ** 30)
    expect(statSync(fileOf(volume)).blocks).toBeLessThan(100)
  })

  test('leave out the root or data volumes that are excluded', async () => {
    const exclude = (name: string, value: string) => ({ [`InstanceSpecification.${name}`]: value })
    const specification = { 'InstanceSpecification.InstanceId': host.id }
    const volumes = async (excluded: Record<string, string>) =>
      (await done('CreateSnapshots', { ...specification, ...excluded })).texts('volumeId')
    expect(await volumes({})).toEqual([root, data])
    expect(await volumes(exclude('ExcludeBootVolume', 'true'))).toEqual([data])
    expect(await volumes(exclude('ExcludeDataVolumeId.1', data))).toEqual([root])
    const refused = { ...specification, ...exclude('ExcludeDataVolumeId.1', root) }
    expect(await refusal('CreateSnapshots', refused)).toMatch(/^InvalidParameterValue: .*ExcludeBootVolume/)
  })

  test('have the tags that they are given, and those of their volume on request', async () => {
    const tag = { 'TagSpecification.1.ResourceType': 'snapshot', 'TagSpecification.1.Tag.1.Key': 'run' }
    await createSnapshots({ ...tag, 'TagSpecification.1.Tag.1.Value': '1', CopyTagsFromSource: 'volume' })
    const found = await done('DescribeSnapshots', { 'Filter.1.Name': 'tag:run', 'Filter.1.Value.1': '1' })
    expect([found.texts('key'), found.texts('value')]).toEqual([
      ['run', 'purpose', 'run'],
      ['1', 'data', '1'],
    ])
  })

  test('are pending for a while, and no volume can be made of them before', async () => {
    ec2.configure({ pendingSeconds: 60 })
    const [snapshot = ''] = await createSnapshots()
    const request = { AvailabilityZone: ZONE, SnapshotId: snapshot }
    expect(await refusal('CreateVolume', request)).toBe(`IncorrectState: Snapshot '${snapshot}' is not 'completed'.`)
    pass(60)
    await done('CreateVolume', request)
  })

  test('can fail', async () => {
    ec2.configure({ snapshotsEnd: 'error' })
    const [snapshot = ''] = await createSnapshots()
    expect((await done('DescribeSnapshots', { 'SnapshotId.1': snapshot })).texts('status')).toEqual(['error'])
  })

  test('are pending five at a time for each volume, those that were deleted included', async () => {
    ec2.configure({ pendingSeconds: 60 })
    for (let count = 0; count < 5; count++) {
      for (const id of await createSnapshots()) await done('DeleteSnapshot', { SnapshotId: id })
    }
    const another = { 'InstanceSpecification.InstanceId': host.id }
    expect(await refusal('CreateSnapshots', another)).toMatch(/^ConcurrentSnapshotLimitExceeded/)
    pass(60)
    await done('CreateSnapshots', another)
  })

  test('are gone once they are deleted', async () => {
    const [snapshot = ''] = await createSnapshots()
    await done('DeleteSnapshot', { SnapshotId: snapshot })
    expect(await refusal('DeleteSnapshot', { SnapshotId: snapshot })).toMatch(/^InvalidSnapshot.NotFound/)
    expect(await refusal('DeleteSnapshot', { SnapshotId: 'x' })).toMatch(/^InvalidSnapshotID.Malformed/)
  })
})

describe('volumes', () => {
  test('are made once for each client token, which is used up for ever', async () => {
    const request = { Size: '1', ClientToken: 'once' }
    const volume = await createVolume(request)
    expect(await createVolume(request)).toBe(volume)
    const mismatch = /^IdempotentParameterMismatch/
    expect(await refusal('CreateVolume', { ...request, Size: '2', AvailabilityZone: ZONE })).toMatch(mismatch)
    await done('DeleteVolume', { VolumeId: volume })
    expect(await refusal('CreateVolume', { ...request, AvailabilityZone: ZONE })).toMatch(mismatch)
  })

  test('are not smaller than their snapshot', async () => {
    const [, ofData = ''] = await createSnapshots()
    const request = { AvailabilityZone: ZONE, SnapshotId: ofData, Size: '1' }
    expect(await refusal('CreateVolume', request)).toMatch(/^InvalidParameterValue: .* 2 GiB/)
  })

  test('pass through the states of their life', async () => {
    ec2.configure({ creatingSeconds: 5, attachingSeconds: 5, detachingSeconds: 5, deletingSeconds: 5 })
    const volume = await createVolume({ Size: '1' })
    expect(await statusOf(volume)).toBe('creating')
    expect(await refusal('AttachVolume', at(volume, '/dev/sdg'))).toBe(`IncorrectState: ${volume} is not 'available'.`)
    pass(5)
    expect(await statusOf(volume)).toBe('available')
    await done('AttachVolume', at(volume, '/dev/sdg'))
    expect([await statusOf(volume), disks.size]).toEqual(['in-use attaching', 2])
    pass(5)
    expect([await statusOf(volume), disks.size]).toEqual(['in-use attached', 3])
    await done('DetachVolume', { VolumeId: volume })
    expect([await statusOf(volume), disks.size]).toEqual(['in-use detaching', 2])
    pass(5)
    expect(await statusOf(volume)).toBe('available')
    await done('DeleteVolume', { VolumeId: volume })
    expect(await statusOf(volume)).toBe('deleting')
    pass(5)
    expect(await refusal('DescribeVolumes', { 'VolumeId.1': volume })).toMatch(/^InvalidVolume.NotFound/)
  })

  test('leave no file behind when they are deleted', async () => {
    const volume = await createVolume({ Size: '1' })
    await done('AttachVolume', at(volume, '/dev/sdg'))
    const file = fileOf(volume)
    expect(await refusal('DeleteVolume', { VolumeId: volume })).toMatch(/^VolumeInUse: .* currently attached/)
    await done('DetachVolume', { VolumeId: volume })
    await done('DeleteVolume', { VolumeId: volume })
    expect(existsSync(file)).toBe(false)
  })
})

describe('attachments', () => {
  test('are there for EC2 before the machine sees the disk, on request', async () => {
    ec2.configure({ discoverySeconds: 5 })
    const volume = await createVolume({ Size: '1' })
    await done('AttachVolume', at(volume, '/dev/sdg'))
    expect([await statusOf(volume), disks.size]).toEqual(['in-use attached', 2])
    pass(5)
    expect([await statusOf(volume), disks.size]).toEqual(['in-use attached', 3])
  })

  test('need a free name, a free place, the same zone and a volume that is free', async () => {
    const [volume, elsewhere] = [
      await createVolume({ Size: '1' }),
      await createVolume({ Size: '1', AvailabilityZone: 'us-east-1b' }),
    ]
    expect(await refusal('AttachVolume', at(volume, '/dev/sdf'))).toBe(
      "InvalidParameterValue: Invalid value '/dev/sdf' for unixDevice. Attachment point /dev/sdf is already in use",
    )
    expect(await refusal('AttachVolume', at(volume, '/dev/sdk1'))).toMatch(/is not a valid EBS device name\.$/)
    expect(await refusal('AttachVolume', at(elsewhere, '/dev/sdg'))).toMatch(/^InvalidVolume.ZoneMismatch/)
    expect(await refusal('AttachVolume', at(data, '/dev/sdg'))).toBe(
      `VolumeInUse: ${data} is already attached to an instance`,
    )
    ec2.configure({ attachmentsMax: 2 })
    expect(await refusal('AttachVolume', at(volume, '/dev/sdg'))).toMatch(
      /^AttachmentLimitExceeded: You may attach up to 2 devices/,
    )
  })

  test('are busy while the disk is in use, and end by themselves', async () => {
    mounted = [...disks].find(([, { file }]) => file === fileOf(data))![0]
    await done('DetachVolume', { VolumeId: data })
    expect(await statusOf(data)).toBe('in-use busy')
    mounted = ''
    expect(await statusOf(data)).toBe('available')
    expect(await refusal('DetachVolume', { VolumeId: data })).toBe(
      `IncorrectState: Volume '${data}' is in the 'available' state.`,
    )
  })

  test('of a root do not end', async () => {
    expect(await refusal('DetachVolume', { VolumeId: root })).toMatch(/^OperationNotPermitted: Unable to detach root/)
  })

  test('outlive their instance unless told', async () => {
    const volume = await createVolume({ Size: '1' })
    await done('AttachVolume', at(volume, '/dev/sdg'))
    const deletions = async () => (await done('DescribeInstances')).texts('deleteOnTermination')
    expect(await deletions()).toEqual(['true', 'false', 'false'])
    const mapping = {
      'BlockDeviceMapping.1.DeviceName': '/dev/sdg',
      'BlockDeviceMapping.1.Ebs.DeleteOnTermination': 'true',
    }
    await done('ModifyInstanceAttribute', { InstanceId: host.id, ...mapping })
    expect(await deletions()).toEqual(['true', 'false', 'true'])
  })
})
