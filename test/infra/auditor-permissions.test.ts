/** What the auditor's function may do: in the bucket, in EC2 and elsewhere. */
import { runSimulation } from '@cloud-copilot/iam-simulate'
import {
  data,
  decide,
  get,
  hostA,
  hostB,
  manifest,
  onBucket,
  onObject,
  operator,
  policyOf,
  put,
  putOver,
  run,
  verdict,
  instance,
  type Decision,
  type What,
} from './simulate'
import { ACCOUNT, REGION, resolve, resourceOf, synthesize, type Json } from './synthesize'

const INVENTORY_ROLE = 'arn:aws:iam::222222222222:role/Snapstream-inventory-eu-central-1'
const template = synthesize({ fleet: { accounts: [{ account: '222222222222', region: 'eu-central-1' }] } })
const policy = policyOf(template, 'AWS::IAM::Policy', 'AuditorRole')
const bucketPolicy = policyOf(template, 'AWS::S3::BucketPolicy', 'Vault')
const hostPolicy = policyOf(template, 'AWS::IAM::ManagedPolicy', 'HostAccessPolicy')
const drill = `drills/daily/${hostA}/${run}/20260201T020000Z.json`
const catalog = `catalogs/daily/${hostA}/${run}/vg0-home.jsonl.zst`

describe('in the bucket', () => {
  test.each<[string, Decision, What]>([
    ['reads a manifest', 'allowed', get(manifest(hostB))],
    ['reads a verdict', 'allowed', get(verdict(hostB))],
    ['reads a drill', 'allowed', get(drill)],
    ['lists manifests', 'allowed', onBucket('s3:ListBucket', { 's3:prefix': 'manifests/' })],
    ['lists archives', 'allowed', onBucket('s3:ListBucket', { 's3:prefix': `data/daily/${hostA}/` })],
    ['reads its state', 'allowed', get('fleet/state.jsonl.zst')],
    ['replaces its state', 'allowed', putOver('fleet/state.jsonl.zst')],
    ['replaces the report', 'allowed', putOver('reports/index.html')],
    ['gives an upload of a report up', 'allowed', onObject('s3:AbortMultipartUpload', 'reports/index.html')],
    ['marks an archive as superseded', 'allowed', onObject('s3:PutObjectTagging', data(hostA))],
    ['marks a manifest as superseded', 'allowed', onObject('s3:PutObjectTagging', manifest(hostA))],
    ['looks whether it did', 'allowed', onObject('s3:GetObjectTagging', catalog)],
    ['reads the lifecycle rules', 'allowed', onBucket('s3:GetLifecycleConfiguration')],

    ['reads an archive', 'denied', get(data(hostA))],
    ['reads a catalog', 'denied', get(catalog)],
    ['lists versions', 'denied', onBucket('s3:ListBucketVersions')],
    ['lists everything', 'denied', onBucket('s3:ListBucket')],
    ['writes an archive', 'denied', put(data(hostA))],
    ['writes a manifest', 'denied', put(manifest(hostA))],
    ['replaces a manifest', 'denied', putOver(manifest(hostA))],
    ['records a verdict', 'denied', put(verdict(hostA))],
    ['deletes an archive', 'denied', onObject('s3:DeleteObject', data(hostA))],
    ['deletes its state', 'denied', onObject('s3:DeleteObject', 'fleet/state.jsonl.zst')],
    ['changes the agent', 'denied', putOver('agent/0123abcd/agent.cjs')],
    ['changes the lifecycle rules', 'denied', onBucket('s3:PutLifecycleConfiguration')],
  ])('it %s: %s', async (_, expected, what) => {
    expect(await decide(operator(policy), what, bucketPolicy)).toBe(expected)
  })

  test.each<[string, What]>([
    ['reads what is known of the fleet', get('fleet/state.jsonl.zst')],
    ['writes it', putOver('fleet/state.jsonl.zst')],
    ['reads the report, which tells of all hosts', get('reports/index.html')],
    ['writes the report that operators open', put('reports/index.html')],
  ])("a host with the auditor's own policy %s: denied", async (_, what) => {
    expect(await decide(instance(hostA, [hostPolicy, policy]), what, bucketPolicy)).toBe('denied')
  })
})

interface Elsewhere {
  readonly action: string
  readonly arn: string
  readonly context?: Readonly<Record<string, string>>
}

const marks = {
  'aws:ResourceTag/snapstream:host': hostA,
  'aws:ResourceTag/snapstream:run': run,
  'aws:ResourceTag/snapstream:expires': '2026-02-02T02:00:00.000Z',
}
const volume = `arn:aws:ec2:${REGION}:${ACCOUNT}:volume/vol-0aaaaaaaaaaaaaaaa`
const snapshot = `arn:aws:ec2:${REGION}::snapshot/snap-0aaaaaaaaaaaaaaaa`
const bus = `arn:aws:events:${REGION}:${ACCOUNT}:event-bus/default`
const ours = { 'events:source': 'snapstream', 'events:detail-type': 'Snapstream Host State Change' }

async function decideElsewhere({ action, arn, context = {} }: Elsewhere): Promise<Decision> {
  const tags = Object.fromEntries(
    Object.entries(context).map(([key, value]) => [key.replace('aws:ResourceTag', 'ec2:ResourceTag'), value]),
  )
  const result = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${ACCOUNT}:role/auditor`,
        action,
        resource: { resource: arn, accountId: ACCOUNT },
        contextVariables: { ...tags, ...context },
      },
      identityPolicies: [{ name: 'auditor', policy }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  )
  if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors))
  return result.overallResult === 'Allowed' ? 'allowed' : 'denied'
}

test.each<[string, Decision, Elsewhere]>([
  ['sees which instances there are', 'allowed', { action: 'ec2:DescribeInstances', arn: '*' }],
  ['sees which nodes are managed', 'allowed', { action: 'ssm:DescribeInstanceInformation', arn: '*' }],
  ['deletes an expired volume of ours', 'allowed', { action: 'ec2:DeleteVolume', arn: volume, context: marks }],
  ['detaches one', 'allowed', { action: 'ec2:DetachVolume', arn: volume, context: marks }],
  ['detaches it from an instance', 'allowed', { action: 'ec2:DetachVolume', arn: hostA }],
  ['deletes a snapshot of ours', 'allowed', { action: 'ec2:DeleteSnapshot', arn: snapshot, context: marks }],
  ['deletes a volume that is not marked', 'denied', { action: 'ec2:DeleteVolume', arn: volume }],
  [
    'deletes a volume that may be cloned',
    'denied',
    { action: 'ec2:DeleteVolume', arn: volume, context: { 'aws:ResourceTag/snapstream:source': hostA } },
  ],
  ['detaches a disk of a host', 'denied', { action: 'ec2:DetachVolume', arn: volume }],
  ['deletes a snapshot that is not marked', 'denied', { action: 'ec2:DeleteSnapshot', arn: snapshot }],
  ['attaches a volume', 'denied', { action: 'ec2:AttachVolume', arn: volume, context: marks }],
  ['makes a volume', 'denied', { action: 'ec2:CreateVolume', arn: volume, context: marks }],
  ['tags a volume', 'denied', { action: 'ec2:CreateTags', arn: volume, context: marks }],
  ['stops an instance', 'denied', { action: 'ec2:StopInstances', arn: hostA }],
  ['sends a command', 'denied', { action: 'ssm:SendCommand', arn: hostA }],
  ['says how compliant a host is', 'allowed', { action: 'ssm:PutComplianceItems', arn: hostA }],
  [
    'measures',
    'allowed',
    { action: 'cloudwatch:PutMetricData', arn: '*', context: { 'cloudwatch:namespace': 'Snapstream' } },
  ],
  [
    "measures in another's name",
    'denied',
    { action: 'cloudwatch:PutMetricData', arn: '*', context: { 'cloudwatch:namespace': 'AWS/EC2' } },
  ],
  ['tells of a transition', 'allowed', { action: 'events:PutEvents', arn: bus, context: ours }],
  [
    "tells of something in another's name",
    'denied',
    { action: 'events:PutEvents', arn: bus, context: { ...ours, 'events:source': 'another' } },
  ],
  ['asks another account', 'allowed', { action: 'sts:AssumeRole', arn: INVENTORY_ROLE }],
  [
    'assumes another role there',
    'denied',
    { action: 'sts:AssumeRole', arn: INVENTORY_ROLE.replace('Snapstream-inventory', 'Admin') },
  ],
  ['passes a role on', 'denied', { action: 'iam:PassRole', arn: INVENTORY_ROLE }],
])('it %s: %s', async (_, expected, what) => {
  expect(await decideElsewhere(what)).toBe(expected)
})

test('only Lambda may assume the role', () => {
  const trust = resolve(resourceOf(template, 'AWS::IAM::Role', 'AuditorRole').Properties.AssumeRolePolicyDocument!)
  const { Statement } = trust as { Statement: Json }
  expect(Statement).toEqual([
    { Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } },
  ])
})
