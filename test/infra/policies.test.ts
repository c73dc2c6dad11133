/** Who may do what: the synthesized policies, evaluated by an IAM simulator. */
import { runSimulation, type Simulation } from '@cloud-copilot/iam-simulate'
import { DOCUMENT_NAMES } from '../../infra/documents'
import { ACCOUNT, BUCKET, REGION, resolve, resourceOf, resourcesOf, synthesize, type Json } from './synthesize'

const OTHER_ACCOUNT = '222222222222'
const hostA = `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/i-0aaaaaaaaaaaaaaaa`
const hostB = `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/i-0bbbbbbbbbbbbbbbb`
const hostElsewhere = `arn:aws:ec2:${REGION}:${OTHER_ACCOUNT}:instance/i-0cccccccccccccccc`
const run = '20260131T020000Z-k3xw7a'
const data = (host: string, volume = 'vg0-home.tar.zst') => `data/daily/${host}/${run}/${volume}`
const monthly = (host: string) => `data/monthly/${host}/${run}/vg0-home.tar.zst`
const verdict = (host: string) => `verdicts/daily/${host}/${run}/20260201T020000Z.json`
const manifest = (host: string) => `manifests/daily/${host}/${run}.json`

type Policy = Record<string, Json>
type Decision = 'allowed' | 'denied'

const usual = synthesize()
const bucketPolicy = policyOf(usual, 'AWS::S3::BucketPolicy', 'Vault')
const hostPolicy = policyOf(usual, 'AWS::IAM::ManagedPolicy', 'HostAccessPolicy')
const restorerPolicy = policyOf(usual, 'AWS::IAM::Policy', 'OperatorRolesRestorer')
const auditorPolicy = policyOf(usual, 'AWS::IAM::Policy', 'OperatorRolesAuditor')
const everythingInS3: Policy = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }],
}

function policyOf(template: typeof usual, type: string, idPrefix: string): Policy {
  return resolve(resourceOf(template, type, idPrefix).Properties.PolicyDocument!) as Policy
}

interface Who {
  readonly account: string
  readonly policies: readonly Policy[]
  readonly context: Readonly<Record<string, string>>
}

const instance = (arn: string, policies = [hostPolicy], account = ACCOUNT): Who => ({
  account,
  policies,
  context: { 'ec2:SourceInstanceARN': arn },
})
const operator = (policy: Policy): Who => ({ account: ACCOUNT, policies: [policy], context: {} })

interface What {
  readonly action: string
  /** Key of the object; none for the bucket itself. */
  readonly key?: string
  readonly context?: Readonly<Record<string, string>>
}

const writeOnce = { 's3:if-none-match': '*', 's3:ObjectCreationOperation': 'true' }
const overwriting = { 's3:ObjectCreationOperation': 'true' }
const put = (key: string): What => ({ action: 's3:PutObject', key, context: writeOnce })
const putOver = (key: string): What => ({ action: 's3:PutObject', key, context: overwriting })
const putPart = (key: string): What => ({
  action: 's3:PutObject',
  key,
  context: { 's3:ObjectCreationOperation': 'false' },
})
const stored = (key: string, storageClass: string): What => ({
  ...put(key),
  context: { ...writeOnce, 's3:x-amz-storage-class': storageClass },
})
const encrypted = (context: Readonly<Record<string, string>>): What => ({
  ...put(data(hostA)),
  context: { ...writeOnce, ...context },
})
const FOREIGN_KEY = {
  's3:x-amz-server-side-encryption': 'aws:kms',
  's3:x-amz-server-side-encryption-aws-kms-key-id': `arn:aws:kms:${REGION}:${OTHER_ACCOUNT}:key/theirs`,
}
const CUSTOMER_KEY = { 's3:x-amz-server-side-encryption-customer-algorithm': 'AES256' }
const get = (key: string): What => ({ action: 's3:GetObject', key })
const onObject = (action: string, key: string): What => ({ action, key })
const onBucket = (action: string, context = {}): What => ({ action, context })

async function decide(who: Who, what: What, bucket = bucketPolicy): Promise<Decision> {
  const simulation: Simulation = {
    request: {
      principal: `arn:aws:iam::${who.account}:role/some-role`,
      action: what.action,
      resource: {
        resource: `arn:aws:s3:::${BUCKET}${what.key === undefined ? '' : `/${what.key}`}`,
        accountId: ACCOUNT,
      },
      contextVariables: { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3', ...who.context, ...what.context },
    },
    identityPolicies: who.policies.map((policy, index) => ({ name: `policy-${index}`, policy })),
    resourcePolicy: bucket,
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  }
  const result = await runSimulation(simulation, {})
  if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors))
  return result.overallResult === 'Allowed' ? 'allowed' : 'denied'
}

describe('a host', () => {
  test.each<[string, Decision, What]>([
    ['writes its own archive', 'allowed', put(data(hostA))],
    ['writes its own catalog', 'allowed', put(`catalogs/daily/${hostA}/${run}/vg0-home.jsonl.zst`)],
    ['writes its own manifest', 'allowed', put(manifest(hostA))],
    ['writes its own verification', 'allowed', put(`verifications/daily/${hostA}/${run}/20260201T020000Z.json`)],
    ['writes in the other retention class', 'allowed', put(`data/monthly/${hostA}/${run}/vg0-home.tar.zst`)],
    ['uploads a part', 'allowed', putPart(data(hostA))],
    ['aborts its own upload', 'allowed', onObject('s3:AbortMultipartUpload', data(hostA))],
    ['lists the parts of its own upload', 'allowed', onObject('s3:ListMultipartUploadParts', data(hostA))],
    ['reads its own archive', 'allowed', get(data(hostA))],
    ['reads the agent', 'allowed', get('agent/0123abcd/agent.cjs')],
    ['asks whether the bucket is versioned', 'allowed', onBucket('s3:GetBucketVersioning')],

    ['overwrites its own archive', 'denied', putOver(data(hostA))],
    ['overwrites its own manifest', 'denied', putOver(manifest(hostA))],
    ['deletes its own archive', 'denied', onObject('s3:DeleteObject', data(hostA))],
    ['deletes a version', 'denied', onObject('s3:DeleteObjectVersion', data(hostA))],
    ['lifts the lock of its own archive', 'denied', onObject('s3:BypassGovernanceRetention', data(hostA))],
    ['lists the bucket', 'denied', onBucket('s3:ListBucket', { 's3:prefix': `manifests/daily/${hostA}/` })],
    ['lists versions', 'denied', onBucket('s3:ListBucketVersions')],
    ['reads a version', 'denied', onObject('s3:GetObjectVersion', data(hostA))],
    ["lists everybody's uploads", 'denied', onBucket('s3:ListBucketMultipartUploads')],
    ["writes another host's archive", 'denied', put(data(hostB))],
    ["reads another host's archive", 'denied', get(data(hostB))],
    ["reads another host's manifest", 'denied', get(manifest(hostB))],
    ["aborts another host's upload", 'denied', onObject('s3:AbortMultipartUpload', data(hostB))],
    ["writes below another host's place", 'denied', put(`data/daily/${hostB}/${hostA}/${run}/vg0-home.tar.zst`)],
    ['makes up a retention class', 'denied', put(`data/forever/${hostA}/${run}/vg0-home.tar.zst`)],
    ["writes an operator's verdict on its own run", 'denied', put(verdict(hostA))],
    ["reads an operator's verdict on its own run", 'denied', get(verdict(hostA))],
    ['writes elsewhere in the bucket', 'denied', put('index.html')],
    ['changes the agent', 'denied', put('agent/0123abcd/agent.cjs')],
    ['changes the lifecycle rules', 'denied', onBucket('s3:PutLifecycleConfiguration')],
    ['changes the bucket policy', 'denied', onBucket('s3:PutBucketPolicy')],
    ['names the storage class that archives of the class have anyway', 'allowed', stored(data(hostA), 'STANDARD')],
    ['puts an archive in the storage class of its retention class', 'allowed', stored(monthly(hostA), 'GLACIER_IR')],
    ['uploads a part of such an archive', 'allowed', putPart(monthly(hostA))],
    ['names the encryption that the vault has', 'allowed', encrypted({ 's3:x-amz-server-side-encryption': 'AES256' })],

    ['puts an archive where nobody can read it at once', 'denied', stored(data(hostA), 'DEEP_ARCHIVE')],
    ["puts an archive in another retention class's storage class", 'denied', stored(data(hostA), 'GLACIER_IR')],
    ['puts its manifest in Glacier', 'denied', stored(manifest(hostA), 'GLACIER')],
    ['encrypts with a key of its own', 'denied', encrypted(FOREIGN_KEY)],
    ['encrypts with a key that it brings', 'denied', encrypted(CUSTOMER_KEY)],
    ['speaks plain HTTP', 'denied', { ...put(data(hostA)), context: { ...writeOnce, 'aws:SecureTransport': 'false' } }],
    ['speaks TLS 1.1', 'denied', { ...get(data(hostA)), context: { 's3:TlsVersion': '1.1' } }],
  ])('%s: %s', async (_, expected, what) => {
    expect(await decide(instance(hostA), what)).toBe(expected)
    if (expected === 'denied') {
      // The bucket policy says no by itself, whatever else the role of the host may do.
      expect(await decide(instance(hostA, [everythingInS3]), what)).toBe('denied')
    }
  })

  test.each([
    ['writes its own archive', 'allowed', put(data(hostA))],
    ['reads its own archive', 'denied', get(data(hostA))],
    ['reads the agent', 'allowed', get('agent/0123abcd/agent.cjs')],
  ])('that may not read, %s: %s', async (_, expected, what) => {
    const writeOnly = synthesize({ hosts: { read: false } })
    const bucket = policyOf(writeOnly, 'AWS::S3::BucketPolicy', 'Vault')
    const policy = policyOf(writeOnly, 'AWS::IAM::ManagedPolicy', 'HostAccessPolicy')
    expect(await decide(instance(hostA, [policy]), what, bucket)).toBe(expected)
    if (expected === 'denied') expect(await decide(instance(hostA, [everythingInS3]), what, bucket)).toBe('denied')
  })

  test.each([
    ['writes its own archive', 'allowed', put(data(hostA))],
    ["writes another host's archive", 'denied', put(data(hostB))],
    ["reads another host's archive", 'denied', get(data(hostB))],
    ['overwrites its own archive', 'denied', putOver(data(hostA))],
    ['deletes its own archive', 'denied', onObject('s3:DeleteObject', data(hostA))],
  ])('of Default Host Management, %s: %s', async (_, expected, what) => {
    const managed = synthesize({ hosts: { defaultHostManagement: true } })
    const policy = policyOf(managed, 'AWS::IAM::ManagedPolicy', 'HostAccessDefaultHostManagement')
    const context = { 'ssm:SourceInstanceARN': hostA }
    expect(await decide({ account: ACCOUNT, policies: [policy], context }, what)).toBe(expected)
  })
})

test('nothing is overwritten where S3 does not say whether a request creates an object', async () => {
  expect(await decide(instance(hostA, [everythingInS3]), { action: 's3:PutObject', key: data(hostA) })).toBe('denied')
})

describe('a host of a vault with a key of its own', () => {
  const withKey = synthesize({ vault: { encryption: 'kms' } })
  const bucket = policyOf(withKey, 'AWS::S3::BucketPolicy', 'Vault')
  const [keyId] = Object.keys(resourcesOf(withKey, 'AWS::KMS::Key'))
  const own = { 's3:x-amz-server-side-encryption': 'aws:kms' }
  const keyHeader = 's3:x-amz-server-side-encryption-aws-kms-key-id'

  test.each<[string, Decision, Readonly<Record<string, string>>]>([
    ['leaves the encryption to the vault', 'allowed', {}],
    ['names the key of the vault', 'allowed', { ...own, [keyHeader]: `arn:aws:arn:${REGION}:${ACCOUNT}:${keyId}` }],
    ['names a key of its own', 'denied', FOREIGN_KEY],
    ['has it encrypted without the key', 'denied', { 's3:x-amz-server-side-encryption': 'AES256' }],
  ])('%s: %s', async (_, expected, context) => {
    expect(await decide(instance(hostA, [everythingInS3]), encrypted(context), bucket)).toBe(expected)
  })
})

describe('another account', () => {
  const stranger = instance(hostElsewhere, [hostPolicy, everythingInS3], OTHER_ACCOUNT)

  test.each([
    ['writes', put(data(hostElsewhere))],
    ['reads', get(data(hostA))],
    ['lists', onBucket('s3:ListBucket')],
  ])('%s: denied', async (_, what) => {
    expect(await decide(stranger, what)).toBe('denied')
  })

  test.each([
    ["writes its own hosts' archives", 'allowed', put(data(hostElsewhere))],
    ["reads its own hosts' archives", 'allowed', get(data(hostElsewhere))],
    ["reads this account's", 'denied', get(data(hostA))],
    ["overwrites its own hosts' archives", 'denied', putOver(data(hostElsewhere))],
    ["deletes its own hosts' archives", 'denied', onObject('s3:DeleteObject', data(hostElsewhere))],
    ['lists', 'denied', onBucket('s3:ListBucket')],
  ])('that was let in, %s: %s', async (_, expected, what) => {
    const shared = policyOf(synthesize({ vault: { hostAccounts: [OTHER_ACCOUNT] } }), 'AWS::S3::BucketPolicy', 'Vault')
    expect(await decide(stranger, what, shared)).toBe(expected)
  })
})

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

describe('commands', () => {
  const arn = (document: string) => `arn:aws:ssm:${REGION}:${ACCOUNT}:document/${document}`
  const documentOf = (name: string) =>
    arn(Object.keys(resourcesOf(usual, 'AWS::SSM::Document')).find((id) => id.startsWith(`Documents${name}`))!)
  const policies = Object.fromEntries(
    ['Backup', 'Restore', 'Install'].map((name) => [
      name,
      policyOf(usual, 'AWS::IAM::ManagedPolicy', `CommandPolicies${name}`),
    ]),
  )

  async function send(policy: string, resource: string, tag?: string): Promise<Decision> {
    const result = await runSimulation(
      {
        request: {
          principal: `arn:aws:iam::${ACCOUNT}:role/operator`,
          action: 'ssm:SendCommand',
          resource: { resource, accountId: ACCOUNT },
          contextVariables: tag === undefined ? {} : { 'ssm:resourceTag/Backup': tag },
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
})

test('the topic takes events of this account only', async () => {
  const topic = policyOf(usual, 'AWS::SNS::TopicPolicy', 'Notifications')
  const resource = `arn:aws:sns:${REGION}:${ACCOUNT}:the-topic`
  const here = JSON.parse(JSON.stringify(topic).replace(/"Notifications\w+"/g, JSON.stringify(resource))) as Policy
  const publish = async (account: string) => {
    const result = await runSimulation(
      {
        request: {
          principal: 'events.amazonaws.com',
          action: 'sns:Publish',
          resource: { resource, accountId: ACCOUNT },
          contextVariables: { 'aws:SourceAccount': account, 'aws:SecureTransport': 'true' },
        },
        identityPolicies: [],
        resourcePolicy: here,
        serviceControlPolicies: [],
        resourceControlPolicies: [],
      },
      {},
    )
    if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors))
    return result.overallResult
  }
  expect([await publish(ACCOUNT), await publish(OTHER_ACCOUNT)]).toEqual(['Allowed', 'ImplicitlyDenied'])
})

describe('operators', () => {
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
    ['an auditor lists archives', 'denied', auditorPolicy, onBucket('s3:ListBucket', { 's3:prefix': 'data/daily/' })],
    ['an auditor lists versions', 'denied', auditorPolicy, onBucket('s3:ListBucketVersions')],
    ['an auditor lists everything', 'denied', auditorPolicy, onBucket('s3:ListBucket')],
    ['an auditor reads a manifest', 'allowed', auditorPolicy, get(manifest(hostA))],
    ['an auditor reads an archive', 'denied', auditorPolicy, get(data(hostA))],
    ['an administrator overwrites a backup by mistake', 'denied', everythingInS3, putOver(data(hostA))],
    ['an administrator deletes a backup', 'allowed', everythingInS3, onObject('s3:DeleteObject', data(hostA))],
    ['an administrator deploys the agent', 'allowed', everythingInS3, putOver('agent/0123abcd/agent.cjs')],
  ])('%s: %s', async (_, expected, policy, what) => {
    expect(await decide(operator(policy), what)).toBe(expected)
  })
})
