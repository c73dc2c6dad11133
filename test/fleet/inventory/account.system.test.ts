/** EC2 and STS as moto has them. */
import {
  CreateTagsCommand,
  EC2Client,
  RunInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { neverAborted } from '../../../agent/lib/never-aborted'
import { accountOpener } from '../../../fleet/inventory/account.io'
import { startMoto, type RunningServer } from '../../servers/index'
import type { Account } from '../../../fleet/inventory/account'

jest.setTimeout(120_000)

const PLACE = { account: '123456789012', region: 'eu-west-1' }
let moto: RunningServer
let ec2: EC2Client
beforeAll(async () => {
  moto = await startMoto()
  ec2 = new EC2Client({ region: PLACE.region, endpoint: moto.endpoint, credentials: moto })
})
afterAll(() => moto.stop())

const open = (place: { account: string; region: string; roleArn?: string }): Promise<Account> =>
  accountOpener({
    bucket: 'backups',
    credentials: async () => moto,
    signal: neverAborted(),
    endpointUrl: moto.endpoint,
  })(place)

async function launch(tags: Readonly<Record<string, string>>): Promise<string> {
  const { Instances } = await ec2.send(new RunInstancesCommand({ ImageId: 'ami-12c6146b', MinCount: 1, MaxCount: 1 }))
  const { InstanceId = '' } = Instances?.[0] ?? {}
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
  await ec2.send(new CreateTagsCommand({ Resources: [InstanceId], Tags }))
  return InstanceId
}

test('instances are found by their tags, running, stopped or terminated; others by their ids, as far as EC2 knows them', async () => {
  const [running, stopped, terminated, other] = [
    await launch({ Snapstream: 'daily', Weekly: 'yes', Name: 'db' }),
    await launch({ Snapstream: 'hourly' }),
    await launch({ Weekly: 'yes' }),
    await launch({ Snapstream: 'never' }),
  ]
  await ec2.send(new StopInstancesCommand({ InstanceIds: [stopped] }))
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [terminated] }))
  const account = await open(PLACE)
  const tags = [
    { key: 'Snapstream', value: 'daily' },
    { key: 'Snapstream', value: 'hourly' },
    { key: 'Weekly', value: 'yes' },
  ]
  const found = await account.findTagged(tags)
  expect(found.map(({ instanceId, power, name }) => [instanceId, power, name]).sort()).toEqual(
    [
      [running, 'running', 'db'],
      [stopped, 'stopped', undefined],
      [terminated, 'terminated', undefined],
    ].sort(),
  )
  expect(found.find(({ instanceId }) => instanceId === running)?.tags.get('Weekly')).toBe('yes')
  const many = Array.from({ length: 450 }, (_, index) => `i-${String(index).padStart(17, '0')}`)
  const byId = await account.findInstances([...many, other])
  expect(byId.map(({ instanceId }) => instanceId)).toEqual([other])
  expect(await account.findTagged([])).toEqual([])
})

test('another account is asked by its role', async () => {
  const account = await open({ ...PLACE, account: '444455556666', roleArn: 'arn:aws:iam::444455556666:role/Inventory' })
  // Moto keeps accounts apart, and knows by the credentials whose they are.
  expect(await account.findTagged([{ key: 'Weekly', value: 'yes' }])).toEqual([])
})
