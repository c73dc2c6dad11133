import { AgentError } from '../../../agent/errors'
import { ec2ErrorCode } from '../../../agent/source/ebs/ec2-errors'
import { HANG_UP, startEc2, type LaunchedInstance, type RunningEc2 } from '../../servers/ec2'
import { refusalOf } from '../../support/refusal'
import { clientOf } from './ec2-host'
import type { Ec2, Ec2Trial } from '../../../agent/ec2'

const { signal } = new AbortController()
const tags = { 'snapstream:host': 'arn:aws:ec2:us-east-1:123456789012:instance/i-0abc', 'snapstream:run': 'r1' }
const NOWHERE = 'vol-00000000000000000'

let service: RunningEc2
let host: LaunchedInstance
let ec2: Ec2

beforeEach(async () => {
  service = await startEc2()
  host = await service.launch({ volumes: [{ sizeGiB: 1 }, { sizeGiB: 2 }, { sizeGiB: 3 }] })
  ec2 = await clientOf(service, host)
})
afterEach(() => service.stop())

const actions = () => service.requests.map(({ action, code }) => `${action}${code === undefined ? '' : ` ${code}`}`)

test('says what the instance has attached, and how much it can have', async () => {
  const [root, ...data] = host.volumeIds
  expect(await ec2.describeInstance(signal)).toEqual({
    rootVolumeId: root,
    volumes: [
      { volumeId: root, deviceName: '/dev/xvda' },
      { volumeId: data[0], deviceName: '/dev/sdf' },
      { volumeId: data[1], deviceName: '/dev/sdg' },
    ],
    networkInterfaces: 0,
  })
  expect(await ec2.describeAttachmentLimit(signal)).toEqual({ attachmentsMax: 15, shared: false })
  service.configure({ denied: ['DescribeInstanceTypes'] })
  expect(await ec2.describeAttachmentLimit(signal)).toBeUndefined()
})

test('leads a copy of a volume through its whole life', async () => {
  const [, first = '', second = ''] = host.volumeIds
  const snapshots = await ec2.createSnapshots({ withoutRoot: true, without: [second], tags }, signal)
  expect(snapshots).toEqual([expect.objectContaining({ volumeId: first, state: 'completed', tags })])
  const { snapshotId } = snapshots[0]!
  expect(await ec2.describeSnapshots({ ids: [snapshotId] }, signal)).toEqual([
    expect.objectContaining({ snapshotId, volumeId: first, state: 'completed', tags }),
  ])
  expect(await ec2.describeSnapshots({ tags: { 'snapstream:run': 'another' } }, signal)).toEqual([])

  const { volumeId } = await ec2.createVolume({ snapshotId, clientToken: 'one', tags }, signal)
  expect((await ec2.createVolume({ snapshotId, clientToken: 'one', tags }, signal)).volumeId).toBe(volumeId)
  await ec2.attachVolume(volumeId, '/dev/sdm', signal)
  await ec2.setDeleteOnTermination('/dev/sdm', signal)
  expect(await ec2.describeVolumes({ tags: { 'snapstream:run': 'r1' } }, signal)).toEqual([
    {
      ...{ volumeId, state: 'in-use', createdAt: expect.any(Date) as Date, tags },
      attachment: { instanceId: host.id, deviceName: '/dev/sdm', state: 'attached' },
      makeup: { sizeGiB: 2, type: 'gp3', encrypted: false },
    },
  ])
  await ec2.detachVolume(volumeId, signal)
  await ec2.deleteVolume(volumeId, signal)
  await ec2.deleteSnapshot(snapshotId, signal)
  expect(await ec2.describeVolumes({ tags }, signal)).toEqual([])
  expect(await ec2.describeSnapshots({ tags }, signal)).toEqual([])
})

test('is patient with an EC2 that is too busy, and with answers that are lost', async () => {
  service.inject({ action: 'DescribeInstances', code: 'RequestLimitExceeded', times: 3 })
  service.inject({ action: 'DescribeInstances', code: HANG_UP })
  await ec2.describeInstance(signal)
  const [snapshot] = await ec2.createSnapshots({ withoutRoot: false, without: [], tags }, signal)
  service.inject({ action: 'CreateVolume', code: 'Unavailable', takesEffect: true })
  const { volumeId } = await ec2.createVolume({ snapshotId: snapshot!.snapshotId, clientToken: 'one', tags }, signal)
  expect((await ec2.describeVolumes({ tags }, signal)).map((volume) => volume.volumeId)).toEqual([volumeId])
  expect(actions()).toEqual([
    ...Array.from({ length: 3 }, () => 'DescribeInstances RequestLimitExceeded'),
    `DescribeInstances ${HANG_UP}`,
    'DescribeInstances',
    'CreateSnapshots',
    'CreateVolume Unavailable',
    'CreateVolume',
    'DescribeVolumes',
  ])
})

test('asks for snapshots once, whatever the answer, and gives up as soon as it is told', async () => {
  const request = { withoutRoot: false, without: [], tags }
  service.inject({ action: 'CreateSnapshots', code: 'RequestLimitExceeded' })
  const throttled = await ec2.createSnapshots(request, signal).catch((error: unknown) => error as AgentError)
  expect(throttled).toBeInstanceOf(AgentError)
  expect([(throttled as AgentError).code, ec2ErrorCode(throttled)]).toEqual(['EC2_FAILED', 'RequestLimitExceeded'])
  service.inject({ action: 'CreateSnapshots', delaySeconds: 5 })
  expect(await refusalOf(ec2.createSnapshots(request, signal, { onceWithinSeconds: 0.2 }))).toMatchObject({
    code: 'ENDPOINT_UNREACHABLE',
    message: 'CreateSnapshots failed: TimeoutError: no answer within 0.2 s',
  })
  expect(actions()[0]).toBe('CreateSnapshots RequestLimitExceeded')
})

test('does not ask again for what is refused, and says what EC2 said', async () => {
  const refusal = await ec2.attachVolume(NOWHERE, '/dev/sdm', signal).catch((error: unknown) => error)
  expect(refusal).toMatchObject({ code: 'EC2_FAILED', message: expect.stringContaining(NOWHERE) as string })
  expect(ec2ErrorCode(refusal)).toBe('InvalidVolume.NotFound')
  expect(actions()).toEqual(['AttachVolume InvalidVolume.NotFound'])
})

test('ends where the run is interrupted', async () => {
  const interruption = new AbortController()
  service.inject({ action: 'DescribeInstances', delaySeconds: 30 })
  const asked = refusalOf(ec2.describeInstance(interruption.signal))
  interruption.abort()
  expect(await asked).toMatchObject({ code: 'INTERRUPTED' })
})

test('finds all of what takes several pages to tell', async () => {
  const [snapshot] = await ec2.createSnapshots({ withoutRoot: true, without: host.volumeIds.slice(2), tags }, signal)
  service.configure({ pageItemsMax: 5 })
  for (let count = 0; count < 7; count++) {
    await ec2.createVolume({ snapshotId: snapshot!.snapshotId, clientToken: `${count}`, tags }, signal)
  }
  expect(await ec2.describeVolumes({ tags }, signal)).toHaveLength(7)
})

test.each<Ec2Trial['action']>(['CreateSnapshots', 'CreateVolume', 'DeleteSnapshot'])(
  'tries %s without effect',
  async (action) => {
    const request = { withoutRoot: true, without: [], tags }
    const { snapshotId } = (await ec2.createSnapshots(request, signal))[0]!
    const trials: Readonly<Record<string, Ec2Trial>> = {
      CreateSnapshots: { action: 'CreateSnapshots', request },
      CreateVolume: { action: 'CreateVolume', request: { snapshotId, clientToken: 'one', tags } },
      DeleteSnapshot: { action: 'DeleteSnapshot', snapshotId },
    }
    const trial = trials[action]!
    expect(await ec2.tryOut(trial, signal)).toBe('permitted')
    service.configure({ denied: [action] })
    expect(await ec2.tryOut(trial, signal)).toBe('denied')
    service.configure({ denied: [] })
    service.inject({ action: action, code: 'InvalidSnapshot.NotFound' })
    expect(await ec2.tryOut(trial, signal)).toBe('unknown')
    expect(await ec2.describeVolumes({ tags }, signal)).toEqual([])
    expect(await ec2.describeSnapshots({ tags }, signal)).toHaveLength(2)
  },
)
