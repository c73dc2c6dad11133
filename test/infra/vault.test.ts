import { Match } from 'aws-cdk-lib/assertions'
import { SnapstreamStack } from '../../infra/stack'
import { DEFAULT_STAGE, newApp, resourcesOf, stubFiles, synthesize } from './synthesize'

const usual = synthesize()
const VPC = 'vpc-0123456789abcdef0'
const ROUTE_TABLES = ['rtb-0123456789abcdef0', 'rtb-0123456789abcdef1']

test('keeps its bucket, whatever becomes of the stack', () => {
  expect(Object.keys(resourcesOf(usual, 'AWS::S3::Bucket'))).toEqual(['VaultBucket0925C477'])
  usual.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' })
  expect(new SnapstreamStack(newApp(), 'Snapstream', DEFAULT_STAGE, stubFiles()).terminationProtection).toBe(true)
})

test('is versioned, private and encrypted, and has no name of its own', () => {
  usual.hasResourceProperties('AWS::S3::Bucket', {
    BucketName: Match.absent(),
    VersioningConfiguration: { Status: 'Enabled' },
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
    },
    OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
  })
})

test('with a key of its own: rotated, kept, and open to hosts through S3 only', () => {
  const template = synthesize({ vault: { encryption: 'kms' } })
  template.hasResource('AWS::KMS::Key', { DeletionPolicy: 'Retain', Properties: { EnableKeyRotation: true } })
  template.hasResourceProperties('AWS::IAM::ManagedPolicy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({ Sid: 'Key', Condition: { StringEquals: { 'kms:ViaService': Match.anyValue() } } }),
      ]),
    },
  })
})

test.each(['governance', 'compliance'] as const)('with Object Lock, %s', (mode) => {
  synthesize({ vault: { objectLock: { mode, days: 30 } } }).hasResourceProperties('AWS::S3::Bucket', {
    ObjectLockEnabled: true,
    ObjectLockConfiguration: { Rule: { DefaultRetention: { Days: 30, Mode: mode.toUpperCase() } } },
  })
})

test('with access logs in a bucket of their own', () => {
  const template = synthesize({ vault: { accessLogs: true } })
  template.resourceCountIs('AWS::S3::Bucket', 2)
  template.hasResourceProperties('AWS::S3::Bucket', {
    LoggingConfiguration: { DestinationBucketName: Match.anyValue() },
  })
})

test('with a copy in another account, which then owns it', () => {
  const replication = { bucketArn: 'arn:aws:s3:::the-copy', account: '222222222222' }
  synthesize({ vault: { replication } }).hasResourceProperties('AWS::S3::Bucket', {
    ReplicationConfiguration: {
      Rules: [
        Match.objectLike({
          Destination: {
            Bucket: 'arn:aws:s3:::the-copy',
            Account: '222222222222',
            AccessControlTranslation: { Owner: 'Destination' },
          },
          Status: 'Enabled',
        }),
      ],
    },
  })
})

test('a copy gets the tag by which runs expire there, too, and no deletion', () => {
  const template = synthesize({ vault: { replication: { bucketArn: 'arn:aws:s3:::the-copy' } } })
  template.hasResourceProperties('AWS::S3::Bucket', {
    ReplicationConfiguration: {
      Rules: [Match.objectLike({ Filter: { Prefix: '' }, DeleteMarkerReplication: { Status: 'Disabled' } })],
    },
  })
  const allowed = (action: string) =>
    Match.objectLike({
      Statement: Match.arrayWith([Match.objectLike({ Action: Match.arrayWith([action]), Effect: 'Allow' })]),
    })
  for (const action of ['s3:GetObjectVersionTagging', 's3:ReplicateTags']) {
    template.hasResourceProperties('AWS::IAM::Policy', { PolicyDocument: allowed(action) })
  }
})

test('with a gateway endpoint', () => {
  const gatewayEndpoint = { vpcId: VPC, routeTableIds: ROUTE_TABLES }
  synthesize({ vault: { gatewayEndpoint } }).hasResourceProperties('AWS::EC2::VPCEndpoint', {
    VpcId: VPC,
    RouteTableIds: ROUTE_TABLES,
    VpcEndpointType: 'Gateway',
  })
})

test.each<[object, string]>([
  [{ retention: [{ name: 'daily', expireAfterDays: 0 }] }, "Snapstream/Vault: 'daily' expires after 0 days"],
  [{ vault: { objectLock: { mode: 'compliance', days: 36 } } }, 'lock for a shorter time, or keep the class longer'],
  [{ vault: { noncurrentDays: 0 } }, 'noncurrentDays is 0'],
  [{ vault: { encryption: 'kms', hostAccounts: ['222222222222'] } }, "set encryption to 's3', or drop hostAccounts"],
  [
    { vault: { encryption: 'kms', replication: { bucketArn: 'arn:aws:s3:::x' } } },
    "set encryption to 's3', or drop replication",
  ],
])('%j is refused, naming the construct and the fix', (config, expected) => {
  expect(() => synthesize(config)).toThrow(expected)
})

test('a class that costs more than it looks is deployed with a warning', () => {
  const retention = [{ name: 'daily', expireAfterDays: 35, storageClass: 'GLACIER_IR' } as const]
  const schedules = DEFAULT_STAGE.schedules.slice(0, 1)
  const stack = new SnapstreamStack(newApp(), 'Snapstream', { retention, schedules }, stubFiles())
  expect(stack.node.findChild('Vault').node.metadata).toEqual([
    expect.objectContaining({ type: 'aws:cdk:warning', data: expect.stringContaining('S3 charges for at least 90') }),
  ])
})
