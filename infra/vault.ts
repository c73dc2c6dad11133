/** The bucket that holds the backups of a fleet. */
import { Annotations, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { CfnVPCEndpoint } from 'aws-cdk-lib/aws-ec2'
import { AccountPrincipal } from 'aws-cdk-lib/aws-iam'
import { Key, type IKey } from 'aws-cdk-lib/aws-kms'
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  ObjectLockRetention,
  ObjectOwnership,
  type CfnBucket,
  type IBucket,
  type ReplicationRule,
} from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { suppressNag, failSynthesis, wildcardIn } from './nag'
import { bucketDenials, hostStatements, HostKey, type HostStorage } from './host-permissions'
import { checkRetention, lifecycleRules, type RetentionClass } from './retention'

export interface ObjectLock {
  /** `compliance` binds everybody, the root user included, for as long as it lasts. `governance` lets a few lift it. */
  readonly mode: 'governance' | 'compliance'
  readonly days: number
}

export interface Replication {
  /** A versioned bucket, in any account and region. Its lifecycle rules are its own: they are not replicated. */
  readonly bucketArn: string
  /**
   * Account of that bucket; its owner then owns the copies.
   * @default - this account
   */
  readonly account?: string
}

export interface GatewayEndpoint {
  readonly vpcId: string
  /** The route tables of the hosts' subnets. */
  readonly routeTableIds: readonly string[]
}

export interface VaultOptions {
  /**
   * `s3` has keys that S3 keeps, `kms` a key of this account, rotated every year.
   * @default 's3'
   */
  readonly encryption?: 's3' | 'kms'
  /** @default - backups are protected by policy and versions, not by a lock */
  readonly objectLock?: ObjectLock
  /**
   * How long an expired or deleted version can still be brought back.
   * @default 7
   */
  readonly noncurrentDays?: number
  /**
   * Keep S3's access logs, in a bucket of their own, for a year.
   * @default false
   */
  readonly accessLogs?: boolean
  /** @default - no second copy */
  readonly replication?: Replication
  /**
   * A free route from the hosts to S3 which spares them the NAT gateway and its price per gigabyte.
   * @default - the hosts reach S3 as they do now
   */
  readonly gatewayEndpoint?: GatewayEndpoint
  /**
   * Other accounts whose hosts back up here, each host still in its own place only.
   * @default - this account
   */
  readonly hostAccounts?: readonly string[]
}

/** A bucket that the stack of another account made, whose `hostAccounts` name this one. */
export interface CentralVault {
  readonly bucketName: string
  readonly region: string
  /**
   * Output `AuditorFunctionRole` of that stack, which may then ask this account which hosts it has (output `InventoryRole`).
   * @default - that stack's auditor knows only those hosts of this account that have written a manifest
   */
  readonly auditor?: string
}

export interface VaultProps extends VaultOptions {
  readonly retention: readonly RetentionClass[]
  /**
   * Whether hosts may read their own backups.
   * @default true
   */
  readonly hostRead?: boolean
  /**
   * Send S3's events to EventBridge.
   * @default false
   */
  readonly events?: boolean
}

const ACCESS_LOG_DAYS = 365

/**
 * A versioned bucket in which a host can add backups and nobody can overwrite one. It outlives its stack.
 *
 * @throws Error where S3 would refuse the retention, or not do as it says
 */
export class Vault extends Construct {
  readonly bucket: IBucket
  readonly key: IKey | undefined
  /** What policies of hosts are made from. */
  readonly storage: HostStorage

  constructor(scope: Construct, id: string, props: VaultProps) {
    super(scope, id)
    this.check(props)

    this.key = props.encryption === 'kms' ? this.createKey() : undefined
    const bucket = new Bucket(this, 'Bucket', {
      versioned: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: lifecycleRules(props.retention, props.noncurrentDays ?? 7),
      ...encryptionOf(this.key),
      ...(props.objectLock && { objectLockEnabled: true, objectLockDefaultRetention: lockOf(props.objectLock) }),
      ...(props.accessLogs && { serverAccessLogsBucket: this.createLogBucket() }),
      ...(props.replication && { replicationRules: [this.replicationRule(props.replication)] }),
    })
    // The types of CDK do not agree with each other about optional properties.
    this.bucket = bucket as IBucket
    this.storage = {
      bucket: this.bucket,
      classes: props.retention.map(({ name }) => name),
      stored: props.retention.map(({ name, storageClass = 'STANDARD' }) => ({ name, storageClass })),
      keyArn: this.key?.keyArn,
      hostRead: props.hostRead ?? true,
    }
    this.protect(props.hostAccounts ?? [])
    if (props.events) this.enableEvents()
    if (props.gatewayEndpoint) this.createGatewayEndpoint(props.gatewayEndpoint)
    if (props.replication) {
      const findings = [wildcardIn(this.bucket, '*'), `AwsSolutions-IAM5[Resource::${props.replication.bucketArn}/*]`]
      suppressNag(this.bucket, findings, 'All that comes into the bucket is copied.')
    }
    if (!props.accessLogs) {
      suppressNag(
        this.bucket,
        ['AwsSolutions-S1'],
        'Access logs are an option: CloudTrail data events serve many better.',
      )
    }
  }

  private check({ retention, objectLock, noncurrentDays, encryption, hostAccounts, replication }: VaultProps): void {
    const { errors, warnings } = checkRetention(retention, objectLock?.days)
    const problems = [...errors]
    if (objectLock && !(Number.isInteger(objectLock.days) && objectLock.days >= 1)) {
      problems.push(`Object Lock of ${objectLock.days} days: use a whole number of at least 1`)
    }
    if (noncurrentDays !== undefined && !(Number.isInteger(noncurrentDays) && noncurrentDays >= 1)) {
      problems.push(`noncurrentDays is ${noncurrentDays}: use a whole number of at least 1`)
    }
    if (encryption === 'kms' && hostAccounts?.length) {
      problems.push(
        "hosts of other accounts cannot use this account's key: set encryption to 's3', or drop hostAccounts",
      )
    }
    if (encryption === 'kms' && replication) {
      problems.push("a copy would need a second key at its destination: set encryption to 's3', or drop replication")
    }
    failSynthesis(this, problems)
    for (const [index, warning] of warnings.entries()) {
      Annotations.of(this).addWarningV2(`snapstream:retention-cost-${index}`, warning)
    }
  }

  private createKey(): Key {
    return new Key(this, 'Key', {
      description: 'Encrypts the backups of Snapstream',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    })
  }

  private createLogBucket(): IBucket {
    const logs = new Bucket(this, 'AccessLogs', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [{ expiration: Duration.days(ACCESS_LOG_DAYS) }],
    })
    suppressNag(logs, ['AwsSolutions-S1'], 'Logs about the logs would say nothing more.')
    return logs as IBucket
  }

  private replicationRule({ bucketArn, account }: Replication): ReplicationRule {
    const destination = Bucket.fromBucketAttributes(this, 'Replica', { bucketArn, ...(account && { account }) })
    return { destination, ...(account && { accessControlTransition: true }) }
  }

  private protect(hostAccounts: readonly string[]): void {
    for (const statement of bucketDenials(this.storage)) this.bucket.addToResourcePolicy(statement)
    if (hostAccounts.length === 0) return
    const principals = hostAccounts.map((account) => new AccountPrincipal(account))
    for (const statement of hostStatements(this.storage, HostKey.instanceProfile)) {
      this.bucket.addToResourcePolicy(statement.copy({ sid: `OtherAccounts${statement.sid ?? ''}`, principals }))
    }
  }

  private enableEvents(): void {
    // The property of the L2 construct would bring a Lambda function to do what CloudFormation can do by itself.
    const bucket = this.bucket.node.defaultChild as CfnBucket
    bucket.addPropertyOverride('NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled', true)
  }

  private createGatewayEndpoint({ vpcId, routeTableIds }: GatewayEndpoint): void {
    new CfnVPCEndpoint(this, 'GatewayEndpoint', {
      vpcId,
      routeTableIds: [...routeTableIds],
      serviceName: `com.amazonaws.${Stack.of(this).region}.s3`,
      vpcEndpointType: 'Gateway',
    })
  }
}

function encryptionOf(key: IKey | undefined) {
  if (!key) return { encryption: BucketEncryption.S3_MANAGED }
  // One data key per bucket and a while, not one per object: a hundredth of the requests to KMS.
  return { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }
}

function lockOf({ mode, days }: ObjectLock): ObjectLockRetention {
  const duration = Duration.days(days)
  return mode === 'compliance' ? ObjectLockRetention.compliance(duration) : ObjectLockRetention.governance(duration)
}
