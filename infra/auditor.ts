/** The auditor: a function that looks at the whole fleet each hour, and says what it saw. */
import { join } from 'node:path'
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda'
import { LogLevel, NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { AuditorVariable, type AuditorEvent } from '../fleet/model/auditor'
import { Alarms } from './alarms'
import { auditorStatements, LISTED } from './auditor-permissions'
import { createDashboard } from './dashboard'
import { planFleet, type FleetOptions, type FleetSettings } from './fleet-config'
import { failSynthesis, suppressNag, wildcardIn } from './nag'

export interface AuditorOptions extends FleetOptions {
  /**
   * Also measure each host's hours since its newest good backup, by class. CloudWatch charges $0.30 a month for each.
   * @default false
   */
  readonly perHostMetrics?: boolean
  /**
   * When the topic is told how the fleet is, whatever has changed; UTC.
   * @default 'cron(37 6 ? * MON *)'
   */
  readonly digest?: string
  /**
   * Keep a slot of the account's concurrency for the auditor, so that no two of it run at once. AWS refuses that where fewer than 100
   * would be left, as in new accounts.
   * @default true
   */
  readonly reserveConcurrency?: boolean
}

export interface AuditorProps extends FleetSettings {
  readonly fleet?: AuditorOptions | undefined
  readonly bucket: IBucket
  readonly key: IKey | undefined
  readonly topic: ITopic
  /** What is put into the bundle in the place of names, as esbuild's `define` has it. */
  readonly define?: Readonly<Record<string, string>> | undefined
}

/** In order, so that a digest does not meet the hourly pass. */
const HOURLY = 'cron(7 * * * ? *)'
const WEEKLY = 'cron(37 6 ? * MON *)'
/** As long as Lambda lets a function run. */
const TIMEOUT = Duration.minutes(15)
/** A pass over 5,000 hosts takes 300 MiB; a core comes with 1,769. */
const MEMORY_MIB = 1024

/** @throws Error where the configuration of the fleet makes no sense */
export class Auditor extends Construct {
  readonly role: Role

  constructor(scope: Construct, id: string, props: AuditorProps) {
    super(scope, id)
    const { config, problems } = planFleet(props)
    failSynthesis(this, problems)

    this.role = this.createRole(
      props,
      config.accounts.map(({ roleArn = '' }) => roleArn),
    )
    const handler = this.createFunction(props, JSON.stringify(config))
    this.schedule('Hourly', 'Looks at the fleet', HOURLY, handler, {})
    this.schedule('Digest', 'Tells how the fleet is', props.fleet?.digest ?? WEEKLY, handler, { digest: true })
    const { all } = new Alarms(this, 'Alarms', { handler, topic: props.topic })
    createDashboard(this, 'Dashboard', { alarms: all, bucket: props.bucket, handler })
  }

  private createRole({ bucket, key, topic }: AuditorProps, inventoryRoles: readonly string[]): Role {
    const { stackName, region } = Stack.of(this)
    const role = new Role(this, 'Role', {
      // Other accounts know it by its name.
      roleName: `${stackName}-auditor-${region}`,
      description: 'What the auditor looks at the fleet with',
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    })
    for (const statement of auditorStatements(this, { bucket, inventoryRoles })) role.addToPolicy(statement)
    key?.grant(role, 'kms:Decrypt', 'kms:GenerateDataKey')
    topic.grantPublish(role)
    this.acknowledge(role, bucket)
    return role
  }

  private acknowledge(role: Role, bucket: IBucket): void {
    const objects = LISTED.map((prefix) => wildcardIn(bucket, `${prefix}/*`))
    suppressNag(
      role,
      objects,
      'It reads the manifests of all hosts, and tags what newer backups have made dispensable.',
    )
    suppressNag(role, ['AwsSolutions-IAM5[Resource::*]'], 'These actions know no narrower resource.')
    const local = (service: string, resource: string) =>
      `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:${service}:<AWS::Region>:<AWS::AccountId>:${resource}/*]`
    suppressNag(
      role,
      [
        local('ec2', 'instance'),
        local('ec2', 'volume'),
        local('ssm', 'managed-instance'),
        'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:*:snapshot/*]',
      ],
      'Hosts, and what killed backups leave of them, come and go: tags decide.',
    )
  }

  private createFunction(props: AuditorProps, config: string): NodejsFunction {
    const { bucket, topic, fleet, define = {} } = props
    const root = join(__dirname, '..')
    const logGroup = new LogGroup(this, 'Log', {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.RETAIN,
    })
    logGroup.grantWrite(this.role)
    return new NodejsFunction(this, 'Function', {
      description: 'Looks at all backups, and says which host has no good one',
      entry: join(root, 'fleet', 'audit', 'lambda.io.ts'),
      projectRoot: root,
      depsLockFilePath: join(root, 'package-lock.json'),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: MEMORY_MIB,
      timeout: TIMEOUT,
      role: this.role,
      logGroup,
      ...((fleet?.reserveConcurrency ?? true) && { reservedConcurrentExecutions: 1 }),
      // The next hour is soon, and a digest that comes twice says nothing new.
      retryAttempts: 0,
      environment: {
        [AuditorVariable.bucket]: bucket.bucketName,
        [AuditorVariable.topic]: topic.topicArn,
        [AuditorVariable.stack]: Stack.of(this).stackName,
        [AuditorVariable.perHostMetrics]: fleet?.perHostMetrics ? 'yes' : 'no',
      },
      bundling: {
        // What the tests run, and not what Lambda happens to have.
        bundleAwsSDK: true,
        logLevel: LogLevel.WARNING,
        define: { ...define, [`process.env.${AuditorVariable.fleet}`]: JSON.stringify(config) },
      },
    })
  }

  private schedule(id: string, description: string, cron: string, handler: NodejsFunction, event: AuditorEvent): void {
    new Rule(this, id, {
      description,
      schedule: Schedule.expression(cron),
      targets: [new LambdaFunction(handler, { event: RuleTargetInput.fromObject(event), retryAttempts: 2 })],
    })
  }
}
