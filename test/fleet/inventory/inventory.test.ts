/** Who ought to have backups, as EC2, Systems Manager, the list and the bucket say it together. */
import { AgentError } from '../../../agent/errors'
import type { Account, Instance, ManagedNode, Place } from '../../../fleet/inventory/account'
import { readInventory } from '../../../fleet/inventory/inventory.io'
import { fleetConfigSchema, type FleetConfig } from '../../../fleet/model/config'

const HERE = { account: '111122223333', region: 'eu-west-1' }
const THERE = { account: '444455556666', region: 'eu-west-1', roleArn: 'arn:aws:iam::444455556666:role/Inventory' }
const arn = (id: string, { account, region }: Place = HERE) => `arn:aws:ec2:${region}:${account}:instance/${id}`

const configOf = (changes: Partial<FleetConfig> = {}): FleetConfig => ({
  ...fleetConfigSchema.parse({
    classes: [],
    schedules: [
      { name: 'nightly', class: 'daily', tag: { key: 'Snapstream', value: 'daily' } },
      { name: 'weekend', class: 'weekly', tag: { key: 'Weekly', value: 'yes' } },
    ],
    accounts: [HERE],
  }),
  ...changes,
})

function instance(
  instanceId: string,
  tags: Readonly<Record<string, string>>,
  power: Instance['power'] = 'running',
): Instance {
  return {
    instanceId,
    power,
    tags: new Map(Object.entries(tags)),
    ...(tags['Name'] !== undefined && { name: tags['Name'] }),
  }
}

/** As EC2 and Systems Manager would answer. */
function account(instances: readonly Instance[], nodes: readonly ManagedNode[] = [], asked: string[][] = []): Account {
  const none = () => Promise.resolve([])
  return {
    findTagged: async (tags) => instances.filter((each) => tags.some(({ key, value }) => each.tags.get(key) === value)),
    findInstances: async (ids) => {
      asked.push([...ids])
      return instances.filter(({ instanceId }) => ids.includes(instanceId))
    },
    listManagedNodes: async () => nodes,
    ...{ listFailedInvocations: none, listInvocations: none, listWindowExecutions: none },
  }
}

test('a tagged instance is expected, whether it runs or not, in the classes of its tags', async () => {
  const found = account([
    instance('i-1', { Snapstream: 'daily', Weekly: 'yes', Name: 'db' }),
    instance('i-2', { Snapstream: 'daily' }, 'stopped'),
    instance('i-3', { Snapstream: 'never' }),
  ])
  const { inventory } = await readInventory(() => Promise.resolve(found), configOf(), [])
  expect(inventory).toEqual({
    accounts: [HERE],
    hosts: [
      { host: arn('i-1'), name: 'db', ...HERE, power: 'running', expectedBy: ['tag'], classes: ['daily', 'weekly'] },
      { host: arn('i-2'), ...HERE, power: 'stopped', expectedBy: ['tag'], classes: ['daily'] },
    ],
  })
})

test('a host that has runs is looked for by its id, tagged or not; one that EC2 does not know has no power', async () => {
  const asked: string[][] = []
  const found = account([instance('i-1', { Snapstream: 'daily' }), instance('i-2', { Name: 'untagged' })], [], asked)
  const written = [arn('i-1'), arn('i-2'), arn('i-9'), arn('i-8', THERE), 'nas1']
  const { inventory } = await readInventory(() => Promise.resolve(found), configOf(), written)
  expect(asked).toEqual([['i-2', 'i-9']])
  expect(inventory.hosts).toEqual([
    { host: arn('i-1'), ...HERE, power: 'running', expectedBy: ['tag', 'manifest'], classes: ['daily'] },
    { host: arn('i-2'), name: 'untagged', ...HERE, power: 'running', expectedBy: ['manifest'], classes: [] },
    ...[arn('i-9'), arn('i-8', THERE), 'nas1'].map((host) => ({ host, expectedBy: ['manifest'], classes: [] })),
  ])
})

test('managed nodes are expected; a machine that is no instance under the name that its runs have', async () => {
  const nodes: ManagedNode[] = [
    { nodeId: 'i-1', ping: 'online', lastPingAt: 5, computerName: 'db.example' },
    { nodeId: 'mi-1', ping: 'lost', computerName: 'nas1' },
    { nodeId: 'mi-2', ping: 'inactive', name: 'other' },
  ]
  const found = account([instance('i-1', { Snapstream: 'daily', Name: 'db' })], nodes)
  const { inventory } = await readInventory(() => Promise.resolve(found), configOf(), ['nas1'])
  expect(inventory.hosts).toEqual([
    {
      ...{
        host: arn('i-1'),
        name: 'db',
        ...HERE,
        power: 'running',
        expectedBy: ['tag', 'managed'],
        classes: ['daily'],
      },
      managed: { ping: 'online', lastPingAt: 5 },
    },
    {
      host: 'nas1',
      name: 'nas1',
      ...HERE,
      expectedBy: ['managed', 'manifest'],
      classes: [],
      managed: { ping: 'lost' },
    },
    { host: 'mi-2', name: 'other', ...HERE, expectedBy: ['managed'], classes: [], managed: { ping: 'inactive' } },
  ])
})

test('a host of the list is expected, whatever AWS says', async () => {
  const config = configOf({ expectedHosts: [{ host: 'nas1', classes: ['daily'] }], accounts: [] })
  const { inventory } = await readInventory(() => Promise.reject(new Error('nobody asks')), config, ['nas1'])
  expect(inventory).toEqual({
    accounts: [],
    hosts: [{ host: 'nas1', expectedBy: ['list', 'manifest'], classes: ['daily'] }],
  })
})

test('an account that cannot be read is said to be so, and the others are read', async () => {
  const open = (place: Place): Promise<Account> =>
    place.account === HERE.account
      ? Promise.resolve(account([instance('i-1', { Snapstream: 'daily' })]))
      : Promise.reject(new AgentError('ACCESS_DENIED', 'sts:AssumeRole is denied\nto you', { hint: '' }))
  const { inventory, accounts } = await readInventory(open, configOf({ accounts: [THERE, HERE] }), [])
  expect(inventory.accounts).toEqual([
    { account: THERE.account, region: 'eu-west-1', problem: 'sts:AssumeRole is denied | to you' },
    HERE,
  ])
  expect(inventory.hosts.map(({ host }) => host)).toEqual([arn('i-1')])
  expect(accounts.map(({ place }) => place)).toEqual([HERE])
})

test.each(['NO_CREDENTIALS', 'CREDENTIALS_EXPIRED', 'ENDPOINT_UNREACHABLE', 'EC2_FAILED'] as const)(
  'whatever is wrong with an account (%s) is its own problem',
  async (code) => {
    const open = () => Promise.reject(new AgentError(code, 'no', { hint: '' }))
    const { inventory } = await readInventory(open, configOf(), [])
    expect(inventory).toEqual({ hosts: [], accounts: [{ ...HERE, problem: 'no' }] })
  },
)

test('an account that answers in part is not taken for one that has no more', async () => {
  const halting = {
    ...account([instance('i-1', { Snapstream: 'daily' })]),
    listManagedNodes: () => Promise.reject(new AgentError('ACCESS_DENIED', 'no', { hint: '' })),
  }
  const { inventory } = await readInventory(() => Promise.resolve(halting), configOf(), [])
  expect(inventory.accounts).toEqual([{ ...HERE, problem: 'no' }])
})

test('who stops the command stops it', async () => {
  const open = () => Promise.reject(new AgentError('INTERRUPTED', 'stopped', { hint: '' }))
  await expect(readInventory(open, configOf(), [])).rejects.toMatchObject({ code: 'INTERRUPTED' })
})

test.each([
  ['eu-west-1', 'aws'],
  ['cn-north-1', 'aws-cn'],
  ['us-gov-west-1', 'aws-us-gov'],
  ['eusc-de-east-1', 'aws-eusc'],
])('an instance of %s has the ARN that it has itself', async (region, partition) => {
  const config = configOf({ accounts: [{ account: '1', region }] })
  const { inventory } = await readInventory(
    () => Promise.resolve(account([instance('i-1', { Weekly: 'yes' })])),
    config,
    [],
  )
  expect(inventory.hosts[0]?.host).toBe(`arn:${partition}:ec2:${region}:1:instance/i-1`)
})
