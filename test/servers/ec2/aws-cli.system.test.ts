/** The official AWS CLI knows EC2's dialect from AWS itself: what it can send and read, the stand-in gets right. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { inVirtualEnvironment } from '../daemon'
import { startEc2, type LaunchedInstance, type RunningEc2 } from './index'

jest.setTimeout(300_000)

let ec2: RunningEc2
let host: LaunchedInstance
let root: string
let data: string

beforeAll(async () => {
  ec2 = await startEc2()
  host = await ec2.launch({ volumes: [{ sizeGiB: 1 }, { sizeGiB: 2, tags: { purpose: 'data' } }] })
  ;[root = '', data = ''] = host.volumeIds
})
afterAll(() => ec2.stop())

/** Each action has its own. */
type Answer = any // eslint-disable-line @typescript-eslint/no-explicit-any

/** Runs `aws ec2 …` once: it does not try again by itself. */
async function aws(
  args: readonly string[],
  { secretAccessKey } = { secretAccessKey: ec2.secretAccessKey },
): Promise<Answer> {
  const { stdout } = await promisify(execFile)(
    inVirtualEnvironment('aws'),
    ['--endpoint-url', ec2.endpoint, '--region', ec2.region, '--output', 'json', 'ec2', ...args],
    {
      env: {
        ...{ PATH: process.env['PATH'], HOME: '/nonexistent', AWS_MAX_ATTEMPTS: '1' },
        ...{ AWS_ACCESS_KEY_ID: ec2.accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
      },
    },
  )
  return stdout === '' ? undefined : JSON.parse(stdout)
}

const filter = (name: string, value: string) => `Name=${name},Values=${value}`

test('a host is described with its disks, and how many it can have', async () => {
  const { Reservations } = await aws(['describe-instances', '--instance-ids', host.id])
  const [instance] = Reservations[0].Instances
  expect(instance).toMatchObject({
    InstanceId: host.id,
    InstanceType: 't3.small',
    Placement: { AvailabilityZone: 'us-east-1a' },
    RootDeviceName: '/dev/xvda',
    BlockDeviceMappings: [
      { DeviceName: '/dev/xvda', Ebs: { VolumeId: root, Status: 'attached', DeleteOnTermination: true } },
      { DeviceName: '/dev/sdf', Ebs: { VolumeId: data, Status: 'attached', DeleteOnTermination: false } },
    ],
  })
  const { InstanceTypes } = await aws(['describe-instance-types', '--instance-types', 't3.small'])
  expect(InstanceTypes).toEqual([
    { InstanceType: 't3.small', EbsInfo: { MaximumEbsAttachments: 15, AttachmentLimitType: 'dedicated' } },
  ])
})

test('a volume lives from the snapshot of all disks to its end', async () => {
  // Snapshots of all disks.
  const tags = 'ResourceType=snapshot,Tags=[{Key=run,Value=a b&c},{Key=host,Value=web-1}]'
  ec2.configure({ pendingSeconds: 3600 })
  const { Snapshots } = await aws([
    ...['create-snapshots', '--instance-specification', `InstanceId=${host.id}`, '--description', 'a <moment>'],
    ...['--tag-specifications', tags, '--copy-tags-from-source', 'volume'],
  ])
  expect(Snapshots).toMatchObject([
    { VolumeId: root, State: 'pending', VolumeSize: 1, Description: 'a <moment>' },
    { VolumeId: data, State: 'pending', VolumeSize: 2 },
  ])
  const describe = () => aws(['describe-snapshots', '--owner-ids', 'self', '--filters', filter('tag:run', 'a b&c')])
  expect((await describe()).Snapshots).toMatchObject([{ State: 'pending', Progress: '0%' }, { State: 'pending' }])
  ec2.configure({ pendingSeconds: 0 })
  const [, ofData] = (await describe()).Snapshots
  expect(ofData).toMatchObject({ State: 'completed', Progress: '100%' })
  expect(ofData.Tags).toContainEqual({ Key: 'purpose', Value: 'data' })

  // A volume of one of them.
  const create = ['create-volume', '--availability-zone', 'us-east-1a', '--snapshot-id', ofData.SnapshotId]
  const more = [
    '--volume-type',
    'gp3',
    '--client-token',
    'once',
    '--tag-specifications',
    'ResourceType=volume,Tags=[{Key=run,Value=1}]',
  ]
  const { VolumeId } = await aws([...create, ...more])
  expect(await aws([...create, ...more])).toMatchObject({ VolumeId, Size: 2, VolumeType: 'gp3' })
  const volume = async (): Promise<unknown> => (await aws(['describe-volumes', '--volume-ids', VolumeId])).Volumes[0]
  expect(await volume()).toMatchObject({ State: 'available', SnapshotId: ofData.SnapshotId, Attachments: [] })

  // It comes and goes.
  const where = ['--volume-id', VolumeId, '--instance-id', host.id]
  expect(await aws(['attach-volume', ...where, '--device', '/dev/sdg'])).toMatchObject({ State: 'attaching', VolumeId })
  const mapping = JSON.stringify([{ DeviceName: '/dev/sdg', Ebs: { DeleteOnTermination: true } }])
  await aws(['modify-instance-attribute', '--instance-id', host.id, '--block-device-mappings', mapping])
  expect(await volume()).toMatchObject({
    State: 'in-use',
    Attachments: [{ InstanceId: host.id, Device: '/dev/sdg', State: 'attached', DeleteOnTermination: true }],
  })
  await aws(['create-tags', '--resources', VolumeId, '--tags', 'Key=used,Value=yes'])
  await aws(['delete-tags', '--resources', VolumeId, '--tags', 'Key=run'])
  expect(await volume()).toMatchObject({ Tags: [{ Key: 'used', Value: 'yes' }] })
  expect(await aws(['detach-volume', ...where])).toMatchObject({ State: 'detaching' })
  expect(await volume()).toMatchObject({ State: 'available', Attachments: [] })

  // All of it is removed.
  await aws(['delete-volume', '--volume-id', VolumeId])
  for (const { SnapshotId } of Snapshots) await aws(['delete-snapshot', '--snapshot-id', SnapshotId])
  expect((await describe()).Snapshots).toEqual([])
  await expect(volume()).rejects.toThrow('(InvalidVolume.NotFound)')
})

test('a volume is copied without a snapshot', async () => {
  const copy = ['copy-volumes', '--source-volume-id', data, '--volume-type', 'gp3', '--client-token', 'copy']
  const tags = ['--tag-specifications', 'ResourceType=volume,Tags=[{Key=run,Value=1}]']
  const { Volumes } = await aws([...copy, ...tags])
  expect(Volumes).toMatchObject([
    { Size: 2, VolumeType: 'gp3', State: 'available', Tags: [{ Key: 'run', Value: '1' }] },
  ])
  expect((await aws([...copy, ...tags])).Volumes[0].VolumeId).toBe(Volumes[0].VolumeId)
  await aws(['delete-volume', '--volume-id', Volumes[0].VolumeId])
})

test('a dry run tells whether it would be permitted', async () => {
  const create = ['create-snapshots', '--instance-specification', `InstanceId=${host.id},ExcludeBootVolume=true`]
  await expect(aws([...create, '--dry-run'])).rejects.toThrow('(DryRunOperation)')
  ec2.configure({ denied: ['CreateSnapshots'] })
  await expect(aws([...create, '--dry-run'])).rejects.toThrow('(UnauthorizedOperation)')
  expect((await aws(['describe-snapshots', '--owner-ids', 'self'])).Snapshots).toEqual([])
})

test('pages are followed to the last', async () => {
  const many = await ec2.launch({ volumes: Array.from({ length: 12 }, () => ({ sizeGiB: 1 })) })
  const { Volumes } = await aws([
    ...['describe-volumes', '--page-size', '5', '--filters', filter('attachment.instance-id', many.id)],
  ])
  expect(Volumes).toHaveLength(12)
  expect(ec2.requests.filter(({ parameters }) => parameters['MaxResults'] === '5')).toHaveLength(3)
})

test('who signs with another key is refused', async () => {
  const request = aws(['describe-volumes'], { secretAccessKey: 'another' })
  await expect(request).rejects.toThrow('(AuthFailure)')
})
