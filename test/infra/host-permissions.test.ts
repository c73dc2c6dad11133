import {
  OTHER_ACCOUNT,
  hostA,
  hostB,
  hostElsewhere,
  run,
  data,
  monthly,
  verdict,
  manifest,
  everythingInS3,
  policyOf,
  instance,
  writeOnce,
  put,
  putOver,
  putPart,
  stored,
  encrypted,
  tagged,
  FOREIGN_KEY,
  CUSTOMER_KEY,
  get,
  onObject,
  onBucket,
  decide,
  type Decision,
  type What,
} from './simulate'
import { ACCOUNT, REGION, resourcesOf, synthesize } from './synthesize'

const usual = synthesize()
const bucketPolicy = policyOf(usual, 'AWS::S3::BucketPolicy', 'Vault')
const hostPolicy = policyOf(usual, 'AWS::IAM::ManagedPolicy', 'HostAccessPolicy')

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
    ['tags its own archive', 'denied', onObject('s3:PutObjectTagging', data(hostA))],
    ['uploads its own archive with a tag', 'denied', tagged(data(hostA))],
    ['tags its own manifest', 'denied', onObject('s3:PutObjectTagging', manifest(hostA))],
    ['tags a version', 'denied', onObject('s3:PutObjectVersionTagging', data(hostA))],
    ["takes its own archive's tags away", 'denied', onObject('s3:DeleteObjectTagging', data(hostA))],
    ["tags another host's archive", 'denied', onObject('s3:PutObjectTagging', data(hostB))],
    ['reads the state of the fleet', 'denied', get('fleet/state.jsonl.zst')],
    ['replaces the state of the fleet', 'denied', putOver('fleet/state.jsonl.zst')],
    ['puts a state of the fleet where there is none', 'denied', put('fleet/state.jsonl.zst')],
    ['reads the reports', 'denied', get('reports/index.html')],
    ['replaces the reports', 'denied', putOver('reports/index.html')],
    ['writes what a drill of its own run came to', 'denied', put(`drills/daily/${hostA}/${run}/20260201T020000Z.json`)],
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
    expect(await decide(instance(hostA, [hostPolicy]), what, bucketPolicy)).toBe(expected)
    if (expected === 'denied') {
      // The bucket policy says no by itself, whatever else the role of the host may do.
      expect(await decide(instance(hostA, [everythingInS3]), what, bucketPolicy)).toBe('denied')
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
    expect(await decide({ account: ACCOUNT, policies: [policy], context }, what, bucketPolicy)).toBe(expected)
  })
})

test('nothing is overwritten where S3 does not say whether a request creates an object', async () => {
  expect(
    await decide(instance(hostA, [everythingInS3]), { action: 's3:PutObject', key: data(hostA) }, bucketPolicy),
  ).toBe('denied')
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
    expect(await decide(stranger, what, bucketPolicy)).toBe('denied')
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
