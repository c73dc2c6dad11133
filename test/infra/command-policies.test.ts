import { runSimulation } from '@cloud-copilot/iam-simulate'
import { DOCUMENT_NAMES } from '../../infra/documents'
import { hostA, policyOf, type Decision } from './simulate'
import { ACCOUNT, REGION, resourcesOf, synthesize } from './synthesize'

const drills = {
  hostRoles: [`arn:aws:iam::${ACCOUNT}:role/drills`],
  schedules: [{ name: 'drill', cron: 'rate(7 days)', class: 'daily', tag: { key: 'Drill', value: 'true' } }],
}
const usual = synthesize({ drills })

const arn = (document: string) => `arn:aws:ssm:${REGION}:${ACCOUNT}:document/${document}`
const documentOf = (name: string) =>
  arn(Object.keys(resourcesOf(usual, 'AWS::SSM::Document')).find((id) => id.startsWith(`Documents${name}`))!)
const policies = Object.fromEntries(
  ['Backup', 'Restore', 'Install', 'Drill'].map((name) => [
    name,
    policyOf(usual, 'AWS::IAM::ManagedPolicy', `CommandPolicies${name}`),
  ]),
)

async function send(policy: string, resource: string, tag?: string, key = 'Backup'): Promise<Decision> {
  const result = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${ACCOUNT}:role/operator`,
        action: 'ssm:SendCommand',
        resource: { resource, accountId: ACCOUNT },
        contextVariables: tag === undefined ? {} : { [`ssm:resourceTag/${key}`]: tag },
      },
      identityPolicies: [{ name: policy, policy: policies[policy]! }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  )
  if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors))
  return result.overallResult === 'Allowed' ? 'allowed' : 'denied'
}

test.each([
  ['Backup', ['Backup', 'Verify', 'Cleanup', 'Cancel']],
  ['Restore', ['Restore', 'Cancel']],
  ['Install', ['Install']],
  ['Drill', ['Drill', 'Cleanup', 'Cancel']],
])('who may send %s may send %j, and nothing else', async (policy, documents) => {
  for (const name of DOCUMENT_NAMES) {
    expect([name, await send(policy, documentOf(name))]).toEqual([
      name,
      documents.includes(name) ? 'allowed' : 'denied',
    ])
  }
  expect(await send(policy, arn('AWS-RunShellScript'))).toBe('denied')
})

test.each(['Backup', 'Restore', 'Install'])('of %s reach hosts that are backed up, and no others', async (policy) => {
  expect(await send(policy, hostA, 'true')).toBe('allowed')
  expect(await send(policy, hostA)).toBe('denied')
  expect(await send(policy, hostA, 'false')).toBe('denied')
})

test('drills reach the machines that are there for them, and no host that is backed up', async () => {
  expect(await send('Drill', hostA, 'true', 'Drill')).toBe('allowed')
  expect(await send('Drill', hostA, 'true', 'Backup')).toBe('denied')
  expect(await send('Restore', hostA, 'true', 'Drill')).toBe('denied')
})

test.each(['Backup', 'Restore', 'Install'])('who may send %s may read what hosts print, and no other log', (policy) => {
  const [group] = Object.keys(resourcesOf(usual, 'AWS::Logs::LogGroup')).filter((id) => id.startsWith('CommandOutput'))
  const { Statement } = policies[policy] as { Statement: { Action: string | string[]; Resource: unknown }[] }
  expect(Statement.filter(({ Action }) => [Action].flat().some((action) => action.startsWith('logs:')))).toEqual([
    {
      ...{ Sid: 'ReadOutput', Effect: 'Allow', Action: 'logs:FilterLogEvents' },
      Resource: `arn:aws:arn:${REGION}:${ACCOUNT}:${group}`,
    },
  ])
})
