/** Who may ask an account for its hosts, and what for. */
import { runSimulation } from '@cloud-copilot/iam-simulate'
import {
  OTHER_ACCOUNT,
  decide,
  get,
  manifest,
  hostA,
  everythingInS3,
  operator,
  policyOf,
  type Decision,
  type Policy,
} from './simulate'
import { ACCOUNT, REGION, resolve, resourceOf, synthesize } from './synthesize'

const auditor = `arn:aws:iam::${OTHER_ACCOUNT}:role/Snapstream-auditor-eu-central-1`
const central = { bucketName: 'the-central-vault', region: 'eu-central-1' }
const template = synthesize({ vault: { ...central, auditor } })
const trust = resolve(
  resourceOf(template, 'AWS::IAM::Role', 'InventoryAccess').Properties.AssumeRolePolicyDocument!,
) as Policy
const policy = policyOf(template, 'AWS::IAM::Policy', 'InventoryAccess')

async function assume(principal: string, externalId?: string): Promise<Decision> {
  const account = principal.split(':')[4]!
  const result = await runSimulation(
    {
      request: {
        principal,
        action: 'sts:AssumeRole',
        resource: { resource: `arn:aws:iam::${ACCOUNT}:role/inventory`, accountId: ACCOUNT },
        contextVariables: {
          'aws:PrincipalArn': principal,
          'aws:PrincipalAccount': account,
          ...(externalId && { 'sts:ExternalId': externalId }),
        },
      },
      identityPolicies: [
        {
          name: 'any',
          policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:*', Resource: '*' }] },
        },
      ],
      resourcePolicy: trust,
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  )
  if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors))
  return result.overallResult === 'Allowed' ? 'allowed' : 'denied'
}

test.each<[string, Decision, string, string | undefined]>([
  ["the vault's auditor, for this vault", 'allowed', auditor, 'the-central-vault'],
  ["the vault's auditor, made to ask for another vault", 'denied', auditor, 'another-vault'],
  ["the vault's auditor, without saying for which", 'denied', auditor, undefined],
  ['another role of its account', 'denied', `arn:aws:iam::${OTHER_ACCOUNT}:role/another`, 'the-central-vault'],
  [
    'a role of that name in another account',
    'denied',
    auditor.replace(OTHER_ACCOUNT, '333333333333'),
    'the-central-vault',
  ],
  ['a role of this account', 'denied', `arn:aws:iam::${ACCOUNT}:role/another`, 'the-central-vault'],
])('%s: %s', async (_, expected, principal, externalId) => {
  expect(await assume(principal, externalId)).toBe(expected)
})

test('it sees which hosts there are, and changes nothing', async () => {
  const may = async (action: string) => {
    const result = await runSimulation(
      {
        request: {
          principal: `arn:aws:iam::${ACCOUNT}:role/inventory`,
          action,
          resource: { resource: '*', accountId: ACCOUNT },
          contextVariables: {},
        },
        identityPolicies: [{ name: 'inventory', policy }],
        serviceControlPolicies: [],
        resourceControlPolicies: [],
      },
      {},
    )
    return result.resultType !== 'error' && result.overallResult === 'Allowed'
  }
  expect(await may('ec2:DescribeInstances')).toBe(true)
  expect(await may('ssm:DescribeInstanceInformation')).toBe(true)
  expect(await may('ssm:DescribeMaintenanceWindowExecutions')).toBe(true)
  expect(await may('ec2:DescribeSnapshots')).toBe(false)
  expect(await decide(operator(policy), get(manifest(hostA)), everythingInS3)).toBe('denied')
  const actions = (policy.Statement as { Action: string | string[] }[]).flatMap(({ Action }) => Action)
  expect(actions.filter((action) => !/^(ec2|ssm):(Describe|List|Get)/.test(action))).toEqual([])
})

test("the stack has no auditor of its own, and says what the vault's stack has to be told", () => {
  template.resourceCountIs('AWS::Lambda::Function', 0)
  template.resourceCountIs('AWS::CloudWatch::Alarm', 0)
  template.hasOutput('InventoryRole', {})
  const { RoleName } = resourceOf(template, 'AWS::IAM::Role', 'InventoryAccess').Properties
  expect(resolve(RoleName!)).toBe(`Snapstream-inventory-${REGION}`)
})

test('without the name of the auditor nobody may ask', () => {
  expect(synthesize({ vault: central }).findOutputs('InventoryRole')).toEqual({})
})

test('what is no role is refused', () => {
  const account = () => synthesize({ vault: { ...central, auditor: OTHER_ACCOUNT } })
  expect(account).toThrow(/222222222222 is no ARN of a role: use output AuditorFunctionRole/)
})
