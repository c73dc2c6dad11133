import { Match } from 'aws-cdk-lib/assertions'
import { runSimulation } from '@cloud-copilot/iam-simulate'
import {
  data,
  decide,
  everythingInS3,
  get,
  instance,
  operator,
  hostA,
  hostB,
  manifest,
  onBucket,
  onObject,
  policyOf,
  put,
  putOver,
  verdict,
} from './simulate'
import { type Decision, type Policy, type What } from './simulate'
import { ACCOUNT, documentOf, resolve, resourceOf, resourcesOf, synthesize, type Json } from './synthesize'

const ROLE = `arn:aws:iam::${ACCOUNT}:role/drills`
const weekly = {
  ...{ name: 'drill', cron: 'cron(0 12 ? * WED *)', class: 'daily', tag: { key: 'Drill', value: 'true' } },
  ...{ share: '1/7', scratch: '/mnt/scratch' },
}
const drills = { hostRoles: [ROLE], schedules: [weekly] }
const template = synthesize({ drills })

test('a window has the tagged machines drill, and its failures are told of as those of backups', () => {
  template.hasResourceProperties('AWS::SSM::MaintenanceWindow', {
    ...{ Name: 'Snapstream-drill', Schedule: 'cron(0 12 ? * WED *)' },
  })
  template.hasResourceProperties('AWS::SSM::MaintenanceWindowTask', {
    TaskInvocationParameters: {
      MaintenanceWindowRunCommandParameters: Match.objectLike({
        Comment: 'Snapstream drill',
        Parameters: { class: ['daily'], share: ['1/7'], scratch: ['/mnt/scratch'] },
        NotificationConfig: Match.objectLike({ NotificationEvents: ['Failed', 'TimedOut', 'Cancelled'] }),
      }),
    },
  })
  const targets = Object.values(resourcesOf(template, 'AWS::SSM::Association')).map(
    ({ Properties }) => Properties.Targets,
  )
  expect(targets).toContainEqual([{ Key: 'tag:Drill', Values: ['true'] }])
})

test('the document assumes the role without being told, and takes no script that root would run', () => {
  const { parameters } = documentOf(template, 'Drill')
  expect(JSON.stringify(parameters.roleArn!.default)).toContain('Driller')
  expect(Object.keys(parameters).filter((name) => /check|script|hook|ping/i.test(name))).toEqual([])
  expect(documentOf(synthesize(), 'Drill').parameters.roleArn!.default).toBe('')
})

test('without drills nobody has a role for them', () => {
  const usual = synthesize()
  expect(Object.keys(resourcesOf(usual, 'AWS::IAM::Role')).filter((id) => id.startsWith('Driller'))).toEqual([])
  expect(JSON.stringify(usual.toJSON().Outputs)).not.toContain('Driller')
})

describe('who may assume the role', () => {
  const trust = resolve(
    resourceOf(template, 'AWS::IAM::Role', 'Driller').Properties.AssumeRolePolicyDocument as Json,
  ) as unknown as Policy

  test.each<[string, Decision]>([
    [ROLE, 'allowed'],
    [`arn:aws:iam::${ACCOUNT}:role/web-servers`, 'denied'],
    ['arn:aws:iam::999999999999:role/drills', 'denied'],
  ])('%s: %s', async (principal, expected) => {
    const result = await runSimulation(
      {
        request: {
          principal,
          action: 'sts:AssumeRole',
          resource: { resource: `arn:aws:iam::${ACCOUNT}:role/driller`, accountId: ACCOUNT },
          contextVariables: { 'ec2:SourceInstanceARN': hostA },
        },
        identityPolicies: [],
        resourcePolicy: trust,
        serviceControlPolicies: [],
        resourceControlPolicies: [],
      },
      {},
    )
    if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors))
    expect(result.overallResult === 'Allowed' ? 'allowed' : 'denied').toBe(expected)
  })
})

const driller = policyOf(template, 'AWS::IAM::Policy', 'Driller')
const restorer = policyOf(template, 'AWS::IAM::Policy', 'OperatorRolesRestorer')
const host = policyOf(template, 'AWS::IAM::ManagedPolicy', 'HostAccessPolicy')
const bucketPolicy = policyOf(template, 'AWS::S3::BucketPolicy', 'Vault')
const drillOf = (name: string) => verdict(name).replace(/^verdicts/, 'drills')

test.each<[string, Decision, Policy, What]>([
  ['a driller reads any archive', 'allowed', driller, get(data(hostB))],
  ['a driller reads any manifest', 'allowed', driller, get(manifest(hostB))],
  ['a driller lists the bucket', 'allowed', driller, onBucket('s3:ListBucket')],
  ['a driller records a drill', 'allowed', driller, put(drillOf(hostB))],
  ['a driller records a verdict', 'denied', driller, put(verdict(hostB))],
  ['a driller writes a backup', 'denied', driller, put(data(hostB))],
  ['a driller has archives brought back, which costs', 'denied', driller, onObject('s3:RestoreObject', data(hostB))],
  ['a driller reads an earlier version', 'denied', driller, onObject('s3:GetObjectVersion', data(hostB))],
  ['a driller deletes', 'denied', driller, onObject('s3:DeleteObject', data(hostB))],
  ['a driller reads what the auditor knows', 'denied', driller, get('fleet/state.jsonl.zst')],
  ['a driller reads the report', 'denied', driller, get('reports/index.html')],
  ['a restorer records a drill', 'allowed', restorer, put(drillOf(hostB))],
  ['a host records a drill', 'denied', host, put(drillOf(hostA))],
])('%s: %s', async (_, expected, policy, what) => {
  const who = policy === host ? instance(hostA, [host]) : operator(policy)
  expect(await decide(who, what, bucketPolicy)).toBe(expected)
})

test('a drill that is on record stays as it is, and no host writes one, whatever its role may do', async () => {
  expect(await decide(operator(driller), putOver(drillOf(hostB)), bucketPolicy)).toBe('denied')
  expect(await decide(instance(hostA, [everythingInS3]), put(drillOf(hostA)), bucketPolicy)).toBe('denied')
  // What makes drills possible: the role that a machine assumes is nobody's instance.
  expect(await decide(instance(hostA, [driller]), get(data(hostB)), bucketPolicy)).toBe('denied')
})

test('what cannot be is refused with the fix', () => {
  expect(() => synthesize({ drills: { ...drills, hostRoles: [] } })).toThrow('name those of the machines in hostRoles')
  const central = { bucketName: 'vault', region: 'eu-west-1' }
  expect(() => synthesize({ drills, vault: central })).toThrow('drill there')
  expect(() => synthesize({ drills: { ...drills, schedules: [{ ...weekly, class: 'x' }] } })).toThrow('retention class')
})
