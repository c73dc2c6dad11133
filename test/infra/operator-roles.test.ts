import { runSimulation } from '@cloud-copilot/iam-simulate'
import {
  hostA,
  hostB,
  data,
  verdict,
  manifest,
  everythingInS3,
  policyOf,
  operator,
  put,
  putOver,
  get,
  onObject,
  onBucket,
  decide,
  type Decision,
  type Policy,
  type What,
} from './simulate'
import { ACCOUNT, resolve, resourceOf, synthesize } from './synthesize'

const usual = synthesize()
const bucketPolicy = policyOf(usual, 'AWS::S3::BucketPolicy', 'Vault')
const restorerPolicy = policyOf(usual, 'AWS::IAM::Policy', 'OperatorRolesRestorer')
const auditorPolicy = policyOf(usual, 'AWS::IAM::Policy', 'OperatorRolesAuditor')

describe('the roles of operators', () => {
  const trustOf = (template: typeof usual, role: string) =>
    resolve(
      resourceOf(template, 'AWS::IAM::Role', `OperatorRoles${role}`).Properties.AssumeRolePolicyDocument!,
    ) as Policy
  const mayAssume: Policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:*', Resource: '*' }] }

  async function assume(trust: Policy, context: Readonly<Record<string, string>>): Promise<Decision> {
    const result = await runSimulation(
      {
        request: {
          principal: `arn:aws:iam::${ACCOUNT}:role/some-role`,
          action: 'sts:AssumeRole',
          resource: { resource: `arn:aws:iam::${ACCOUNT}:role/restorer`, accountId: ACCOUNT },
          contextVariables: context,
        },
        identityPolicies: [{ name: 'power-user', policy: mayAssume }],
        resourcePolicy: trust,
        serviceControlPolicies: [],
        resourceControlPolicies: [],
      },
      {},
    )
    if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors))
    return result.overallResult === 'Allowed' ? 'allowed' : 'denied'
  }

  test.each(['Restorer', 'Auditor'])(
    '%s: people may assume it, and no instance, whatever its role allows',
    async (role) => {
      const trust = trustOf(usual, role)
      expect(await assume(trust, {})).toBe('allowed')
      expect(await assume(trust, { 'ec2:SourceInstanceARN': hostA })).toBe('denied')
      expect(await assume(trust, { 'ssm:SourceInstanceARN': hostA })).toBe('denied')
    },
  )

  test('an instance may where that was asked for', async () => {
    const trust = trustOf(synthesize({ operators: { instancesMayAssume: true } }), 'Restorer')
    expect(await assume(trust, { 'ec2:SourceInstanceARN': hostA })).toBe('allowed')
  })
})

test.each<[string, Decision, Policy, What]>([
  ['a restorer reads any archive', 'allowed', restorerPolicy, get(data(hostB))],
  ['a restorer reads an earlier version', 'allowed', restorerPolicy, onObject('s3:GetObjectVersion', data(hostB))],
  ['a restorer has archives brought back', 'allowed', restorerPolicy, onObject('s3:RestoreObject', data(hostB))],
  ['a restorer lists the bucket', 'allowed', restorerPolicy, onBucket('s3:ListBucket')],
  ['a restorer lists unfinished uploads', 'allowed', restorerPolicy, onBucket('s3:ListBucketMultipartUploads')],
  ['a restorer lists versions', 'allowed', restorerPolicy, onBucket('s3:ListBucketVersions')],
  ['a restorer records a verdict', 'allowed', restorerPolicy, put(verdict(hostB))],
  ['a restorer overwrites a verdict', 'denied', restorerPolicy, putOver(verdict(hostB))],
  ['an auditor reads a verdict', 'allowed', auditorPolicy, get(verdict(hostB))],
  ['an auditor records a verdict', 'denied', auditorPolicy, put(verdict(hostB))],
  ['a restorer writes', 'denied', restorerPolicy, put(data(hostB))],
  ['a restorer deletes', 'denied', restorerPolicy, onObject('s3:DeleteObject', data(hostB))],
  ['a restorer undeletes', 'denied', restorerPolicy, onObject('s3:DeleteObjectVersion', data(hostB))],
  [
    'an auditor lists manifests',
    'allowed',
    auditorPolicy,
    onBucket('s3:ListBucket', { 's3:prefix': 'manifests/daily/' }),
  ],
  [
    'an auditor sees which archives there are',
    'allowed',
    auditorPolicy,
    onBucket('s3:ListBucket', { 's3:prefix': 'data/daily/' }),
  ],
  ['an auditor lists versions', 'denied', auditorPolicy, onBucket('s3:ListBucketVersions')],
  ['an auditor lists everything', 'denied', auditorPolicy, onBucket('s3:ListBucket')],
  ['an auditor reads a manifest', 'allowed', auditorPolicy, get(manifest(hostA))],
  ['an auditor reads an archive', 'denied', auditorPolicy, get(data(hostA))],
  ['an auditor reads what is known of the fleet', 'allowed', auditorPolicy, get('fleet/state.jsonl.zst')],
  ['an auditor reads the report', 'allowed', auditorPolicy, get('reports/index.html')],
  ['an auditor writes the report', 'denied', auditorPolicy, putOver('reports/index.html')],
  ['an auditor tags a backup', 'denied', auditorPolicy, onObject('s3:PutObjectTagging', data(hostA))],
  ['an administrator overwrites a backup by mistake', 'denied', everythingInS3, putOver(data(hostA))],
  ['an administrator deletes a backup', 'allowed', everythingInS3, onObject('s3:DeleteObject', data(hostA))],
  ['an administrator deploys the agent', 'allowed', everythingInS3, putOver('agent/0123abcd/agent.cjs')],
])('%s: %s', async (_, expected, policy, what) => {
  expect(await decide(operator(policy), what, bucketPolicy)).toBe(expected)
})
