/** What is deployed: by default, and with each option. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Match, type Template } from 'aws-cdk-lib/assertions'
import { DOCUMENT_NAMES } from '../../infra/documents'
import { SnapstreamStack } from '../../infra/stack'
import {
  BUCKET,
  DEFAULT_STAGE,
  newApp,
  resolve,
  resourceOf,
  resourcesOf,
  stubFiles,
  synthesize,
  type Json,
  type Resource,
} from './synthesize'

const VPC = 'vpc-0123456789abcdef0'
const ROUTE_TABLES = ['rtb-0123456789abcdef0', 'rtb-0123456789abcdef1']
const usual = synthesize()
const contentOf = (template: Template, name: string) =>
  resolve(resourceOf(template, 'AWS::SSM::Document', `Documents${name}`).Properties.Content!) as {
    parameters: Record<string, { default?: string }>
  }

test('is the template it was', () => {
  const template = structuredClone(usual.toJSON()) as { Resources: Record<string, Resource> }
  for (const { Type, Properties } of Object.values(template.Resources)) {
    // Documents and policies have tests of their own.
    if (Type === 'AWS::SSM::Document') delete Properties.Content
    delete Properties.PolicyDocument
    delete Properties.AssumeRolePolicyDocument
  }
  // Hashes of what is shipped, and of CDK's own assets, change without a change of ours.
  const masked = JSON.stringify(template).replace(/[0-9a-f]{64}/g, '<sha256>')
  expect(JSON.parse(masked)).toMatchSnapshot()
})

describe('the vault', () => {
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
    [{ schedules: [{ ...DEFAULT_STAGE.schedules[0], class: 'hourly' }] }, "Snapstream/Schedules: schedule 'nightly'"],
    [
      {
        retention: Array.from({ length: 9 }, (_, index) => ({ name: `c${index}`, expireAfterDays: 35 })),
        schedules: [],
      },
      'Snapstream/HostAccess: 9 retention classes do not fit in a policy',
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
})

describe('with the vault of another account', () => {
  const template = synthesize({ vault: { bucketName: 'the-central-vault', region: 'eu-central-1' } })

  test('hosts back up there, and nothing here holds backups', () => {
    template.resourceCountIs('AWS::S3::Bucket', 0)
    template.resourceCountIs('AWS::Lambda::Function', 0)
    const { bucket, region } = contentOf(template, 'Backup').parameters
    expect([bucket?.default, region?.default]).toEqual(['the-central-vault', 'eu-central-1'])
    const policy = resolve(
      resourceOf(template, 'AWS::IAM::ManagedPolicy', 'HostAccessPolicy').Properties.PolicyDocument!,
    )
    expect(JSON.stringify(policy)).toContain('arn:aws:s3:::the-central-vault/data/daily/${ec2:SourceInstanceARN}/*')
  })

  test('the agent is where the stack of that account put it', () => {
    const sha256 = (from: Template) => contentOf(from, 'Install').parameters.bundleSha256?.default
    expect(sha256(template)).toBe(sha256(usual))
  })
})

describe('the policies of hosts', () => {
  test('fit, with as many retention classes as there may be', () => {
    const retention = Array.from({ length: 8 }, (_, index) => ({
      name: `a-retention-class-of-some-length-${index}`.slice(-32),
      expireAfterDays: 35,
    }))
    const template = synthesize({ retention, schedules: [] })
    const policy = resolve(
      resourceOf(template, 'AWS::IAM::ManagedPolicy', 'HostAccessPolicy').Properties.PolicyDocument!,
    )
    // The quota is on characters without white space.
    expect(JSON.stringify(policy).replaceAll(BUCKET, 'b'.repeat(63)).length).toBeLessThanOrEqual(6144)
    const bucketPolicy = resolve(resourceOf(template, 'AWS::S3::BucketPolicy').Properties.PolicyDocument!)
    expect(JSON.stringify(bucketPolicy).replaceAll(BUCKET, 'b'.repeat(63)).length).toBeLessThanOrEqual(20 * 1024)
  })

  test('are attached to the roles that the configuration names', () => {
    synthesize({ hosts: { attachToRoles: ['web-servers'] } }).hasResourceProperties('AWS::IAM::ManagedPolicy', {
      Roles: Match.arrayWith(['web-servers']),
    })
  })
})

describe('documents', () => {
  test.each(DOCUMENT_NAMES)('%s is named after the stack and updated in place', (name) => {
    usual.hasResourceProperties('AWS::SSM::Document', {
      Name: `Snapstream-${name}`,
      DocumentType: 'Command',
      DocumentFormat: 'JSON',
      UpdateMethod: 'NewVersion',
    })
  })

  test('know the vault', () => {
    for (const name of ['Install', 'Backup', 'Verify', 'Restore', 'Cleanup']) {
      expect(contentOf(usual, name).parameters.bucket?.default).toBe(BUCKET)
    }
  })

  test('Install knows what is shipped, under the hash of its content', () => {
    const { version, bundleSha256, runtimeX64Sha256, nodeRuntime } = contentOf(usual, 'Install').parameters
    expect(bundleSha256?.default).toMatch(/^[0-9a-f]{64}$/)
    expect(version?.default).toBe(`1.2.3-${bundleSha256!.default!.slice(0, 12)}`)
    expect(runtimeX64Sha256?.default).not.toBe(bundleSha256?.default)
    expect(nodeRuntime?.default).toBe('bundled')
  })

  test('Install leaves Node alone where hosts bring their own', () => {
    const { version, bundle } = stubFiles()
    const { nodeRuntime, runtimeX64Sha256 } = contentOf(synthesize({}, { version, bundle }), 'Install').parameters
    expect([nodeRuntime?.default, runtimeX64Sha256?.default]).toEqual(['system', 'none'])
  })

  test('Data Lifecycle Manager may run Quiesce', () => {
    usual.hasResourceProperties('AWS::SSM::Document', {
      Name: 'Snapstream-Quiesce',
      Tags: Match.arrayWith([{ Key: 'DLMScriptsAccess', Value: 'true' }]),
    })
  })
})

describe('schedules', () => {
  test('a window backs up the tagged hosts, in the class and storage class that its schedule says', () => {
    usual.hasResourceProperties('AWS::SSM::MaintenanceWindow', {
      Name: 'Snapstream-monthly',
      Schedule: 'cron(0 7 1 * ? *)',
      ScheduleTimezone: 'UTC',
    })
    usual.hasResourceProperties('AWS::SSM::MaintenanceWindowTarget', {
      Targets: [{ Key: 'tag:Backup', Values: ['true'] }],
    })
    usual.hasResourceProperties('AWS::SSM::MaintenanceWindowTask', {
      CutoffBehavior: 'CONTINUE_TASK',
      MaxErrors: '100%',
      TaskInvocationParameters: {
        MaintenanceWindowRunCommandParameters: Match.objectLike({
          Parameters: { class: ['monthly'], storageClass: ['GLACIER_IR'], jitterSeconds: ['600'] },
        }),
      },
    })
  })

  test('the parameters of every task are parameters of the document, and match', () => {
    const { parameters } = contentOf(usual, 'Backup') as { parameters: Record<string, { allowedPattern: string }> }
    for (const { Properties } of Object.values(resourcesOf(usual, 'AWS::SSM::MaintenanceWindowTask'))) {
      const invocation = Properties.TaskInvocationParameters as unknown as {
        MaintenanceWindowRunCommandParameters: { Parameters: Record<string, string[]> }
      }
      for (const [name, [value]] of Object.entries(invocation.MaintenanceWindowRunCommandParameters.Parameters)) {
        expect(value).toMatch(new RegExp(parameters[name]!.allowedPattern))
      }
    }
  })

  test('an association asks for what its schedule says, and does not start at once when it is changed', () => {
    const verified = { verify: 'source', sample: '1/7' } as const
    const schedules = [{ ...DEFAULT_STAGE.schedules[0]!, kind: 'association' as const, ...verified }]
    const template = synthesize({ schedules })
    template.resourceCountIs('AWS::SSM::MaintenanceWindow', 0)
    template.hasResourceProperties('AWS::SSM::Association', {
      AssociationName: 'Snapstream-nightly',
      ApplyOnlyAtCronInterval: true,
      Parameters: { class: ['daily'], jitterSeconds: ['600'], verify: ['source'], sample: ['1/7'] },
    })
  })

  test('every host that is backed up has the agent: one association for each tag', () => {
    const [nightly] = DEFAULT_STAGE.schedules
    const schedules = [
      nightly!,
      { ...nightly!, name: 'weekly', tag: { key: 'Backup', value: 'weekly' } },
      { ...nightly!, name: 'databases', tag: { key: 'Role', value: 'database' } },
    ]
    const targets = Object.values(resourcesOf(synthesize({ schedules }), 'AWS::SSM::Association')).map(
      ({ Properties }) => Properties.Targets,
    )
    expect(targets).toEqual([
      [{ Key: 'tag:Backup', Values: ['true', 'weekly'] }],
      [{ Key: 'tag:Role', Values: ['database'] }],
    ])
  })

  test('windows may send the one document to the tagged hosts, and nothing to others', () => {
    const policy = resolve(resourceOf(usual, 'AWS::IAM::Policy', 'SchedulesWindowRole').Properties.PolicyDocument!)
    const sending = (policy as { Statement: readonly Record<string, Json>[] }).Statement.filter(
      ({ Action }) => Action === 'ssm:SendCommand',
    )
    expect(sending.map(({ Resource, Condition }) => [Resource, Condition])).toEqual([
      [expect.stringContaining(':document/'), undefined],
      [expect.stringContaining(':instance/*'), { StringEquals: { 'ssm:resourceTag/Backup': 'true' } }],
    ])
  })
})

describe('notifications', () => {
  test('reach the addresses of the configuration', () => {
    const template = synthesize({ notifications: { emails: ['operators@example.com'] } })
    template.hasResourceProperties('AWS::SNS::Subscription', { Endpoint: 'operators@example.com', Protocol: 'email' })
  })

  test('tell of completed backups by an event of the bucket, without a function for it', () => {
    const template = synthesize({ notifications: { completed: true } })
    template.hasResourceProperties('AWS::S3::Bucket', {
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
    })
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: Match.objectLike({ source: ['aws.s3'], 'detail-type': ['Object Created'] }),
    })
    // The one function is CDK's, which brings the agent.
    template.resourceCountIs('AWS::Lambda::Function', 1)
  })
})

test('the outputs say what an operator needs next', () => {
  const outputs = resolve(usual.findOutputs('*')) as Record<string, { Value: string }>
  expect(Object.keys(outputs)).toEqual(
    expect.arrayContaining(['Bucket', 'HostPolicy', 'InstanceProfile', 'Topic', 'BackupDocument', 'Windownightly']),
  )
  expect(outputs.BackupNow?.Value).toMatch(
    /^aws ssm send-command --region eu-west-1 --document-name \S+ --targets 'Key=tag:Backup,Values=true'$/,
  )
})

test('every output that the deployment guide speaks of is there', () => {
  const guide = readFileSync(join(__dirname, '../../docs/deploy.md'), 'utf8')
  const named = [...guide.matchAll(/output `?([A-Z]\w+)/g)].map(([, name]) => name)
  const outputs = synthesize({ hosts: { defaultHostManagement: true } }).findOutputs('*')
  expect(named.length).toBeGreaterThan(5)
  expect(Object.keys(outputs)).toEqual(expect.arrayContaining(named))
})
