/** What lets a host be backed up: policies to attach to its role, and a role for hosts that have none. */
import { Stack } from 'aws-cdk-lib'
import {
  InstanceProfile,
  ManagedPolicy,
  PolicyStatement,
  Role,
  ServicePrincipal,
  type IManagedPolicy,
  type IRole,
} from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { ILogGroup } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { Prefix } from '../agent/contract'
import { suppressNag, failSynthesis, wildcardIn } from './nag'
import { EbsAccess, type EbsAccessOptions } from './ebs-access'
import { HostKey, hostStatements, ownKeys, type HostStorage } from './host-permissions'

export interface HostAccessOptions {
  /**
   * Names of roles of this account that the policy is attached to.
   * @default - attach it by hand, or use the role that is made here
   */
  readonly attachToRoles?: readonly string[]
  /**
   * Make a second policy, to attach to the role of Default Host Management. Every instance of the region that has no
   * profile can then write backups, each in its own place.
   * @default false
   */
  readonly defaultHostManagement?: boolean
  /**
   * Make a policy, attached to the same roles, with which hosts back up what is not on LVM: each takes snapshots of its own disks in EC2,
   * and reads them. Default Host Management has none like it.
   * @default false
   */
  readonly ebs?: boolean | EbsAccessOptions
}

export interface HostAccessProps extends HostAccessOptions {
  readonly storage: HostStorage
  /** Key of the bucket. */
  readonly key: IKey | undefined
  /** Where Run Command sends its output, with the credentials of the host. */
  readonly logGroup: ILogGroup
}

/** A managed policy holds 6,144 characters (IAM quotas); a class takes four ARNs of up to 170 each in it. */
const CLASSES_MAX = 8

/** @throws Error where there are more retention classes than a managed policy has room for */
export class HostAccess extends Construct {
  readonly policy: IManagedPolicy
  /** For instances that have no role yet: the policy, and what the SSM agent needs. */
  readonly role: IRole
  readonly profile: InstanceProfile
  readonly defaultHostManagementPolicy: IManagedPolicy | undefined
  readonly ebsPolicy: IManagedPolicy | undefined

  constructor(scope: Construct, id: string, props: HostAccessProps) {
    super(scope, id)
    const { classes } = props.storage
    if (classes.length > CLASSES_MAX) {
      failSynthesis(this, [`${classes.length} retention classes do not fit in a policy: define at most ${CLASSES_MAX}`])
    }
    this.role = new Role(this, 'Role', {
      description: 'Hosts that Snapstream backs up',
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
    })
    new ManagedPolicy(this, 'SystemsManager', {
      description: 'What the SSM agent needs, without the right to read all parameters of the account',
      statements: systemsManagerStatements(),
      roles: [this.role],
    })
    const existing = (props.attachToRoles ?? []).map((name) => Role.fromRoleName(this, `Role-${name}`, name))
    const roles = [this.role, ...existing]
    this.policy = this.createPolicy('Policy', HostKey.instanceProfile, props, roles)
    this.defaultHostManagementPolicy = props.defaultHostManagement
      ? this.createPolicy('DefaultHostManagementPolicy', HostKey.defaultHostManagement, props, [])
      : undefined
    this.ebsPolicy = props.ebs
      ? new EbsAccess(this, 'Ebs', { ...(props.ebs !== true && props.ebs), roles }).policy
      : undefined
    this.profile = new InstanceProfile(this, 'Profile', { role: this.role })
    this.suppressWildcardNags(props.storage)
  }

  private createPolicy(id: string, hostKey: HostKey, props: HostAccessProps, roles: IRole[]): ManagedPolicy {
    const { storage, key, logGroup } = props
    return new ManagedPolicy(this, id, {
      description: 'Lets each host add backups in its own place of the vault, and nowhere else',
      statements: [
        ...hostStatements(storage, hostKey),
        ...(key ? [keyStatement(this, key)] : []),
        new PolicyStatement({
          sid: 'CommandOutput',
          actions: ['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
          resources: [logGroup.logGroupArn],
        }),
        // The SSM agent looks the group up before it writes; this action knows no narrower resource.
        new PolicyStatement({ sid: 'FindLogGroup', actions: ['logs:DescribeLogGroups'], resources: ['*'] }),
      ],
      roles,
    })
  }

  private suppressWildcardNags(storage: HostStorage): void {
    const own = Object.values(HostKey).flatMap((key) => ownKeys(storage, key))
    // cdk-nag writes the variable of a policy as it writes a reference.
    const findings = own.map((pattern) => wildcardIn(storage.bucket, pattern.replace(/\$\{(.*)\}/, '<$1>')))
    suppressNag(this, findings, 'The variable before the wildcard is the ARN of the host that asks.')
    suppressNag(
      this,
      [wildcardIn(storage.bucket, `${Prefix.agent}/*`)],
      'Every host may read the agent, in each version.',
    )
    suppressNag(this, ['AwsSolutions-IAM5[Resource::*]'], 'These actions know no narrower resource.')
  }
}

/** S3 decrypts the parts of an upload when it completes it, so writers need both. */
function keyStatement(scope: Construct, key: IKey): PolicyStatement {
  const { region, urlSuffix } = Stack.of(scope)
  return new PolicyStatement({
    sid: 'Key',
    actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
    resources: [key.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `s3.${region}.${urlSuffix}` } },
  })
}

/** AmazonSSMManagedInstanceCore without `ssm:GetParameter`, which would open every parameter of the account. */
function systemsManagerStatements(): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'SystemsManager',
      actions: [
        'ssm:UpdateInstanceInformation',
        'ssm:DescribeAssociation',
        'ssm:ListAssociations',
        'ssm:ListInstanceAssociations',
        'ssm:UpdateAssociationStatus',
        'ssm:UpdateInstanceAssociationStatus',
        'ssm:DescribeDocument',
        'ssm:GetDocument',
        'ssm:GetManifest',
        'ssm:PutInventory',
        'ssm:PutComplianceItems',
        'ssm:PutConfigurePackageResult',
        'ssmmessages:CreateControlChannel',
        'ssmmessages:CreateDataChannel',
        'ssmmessages:OpenControlChannel',
        'ssmmessages:OpenDataChannel',
        'ec2messages:AcknowledgeMessage',
        'ec2messages:DeleteMessage',
        'ec2messages:FailMessage',
        'ec2messages:GetEndpoint',
        'ec2messages:GetMessages',
        'ec2messages:SendReply',
      ],
      resources: ['*'],
    }),
  ]
}
