/**
 * What lets a host without LVM be backed up: snapshots of its own disks, and volumes made of them for as long as they are read.
 *
 * EC2 asks IAM about each resource of a request, and all of them have to be allowed. What a host makes bears its ARN as a tag, from its
 * creation on; what does not bear it, the host can neither read, attach, detach nor delete, its own disks included.
 */
import { Stack } from 'aws-cdk-lib'
import { Effect, ManagedPolicy, PolicyStatement, type IManagedPolicy, type IRole } from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import { Ec2Tag } from '../agent/contract'
import { HostKey } from './host-permissions'
import { failSynthesis, suppressNag } from './nag'

export interface EbsAccessOptions {
  /**
   * ARNs of the customer managed keys that volumes are encrypted with. The key policies have to let the account's IAM policies
   * decide, as they do unless changed. AWS's own key (`aws/ebs`) needs no entry.
   * @default - volumes are not encrypted, or with AWS's own key
   */
  readonly keyArns?: readonly string[]
}

export interface EbsAccessProps extends EbsAccessOptions {
  readonly roles: IRole[]
}

/** An alias would be a key of somebody's choice: IAM takes keys only. */
const KEY_ARN = /^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/
/** The host that asks: no policy says more of it. */
const SELF = `\${${HostKey.instanceProfile}}`
const GIVEN_AT_CREATION = [Ec2Tag.host, Ec2Tag.run, Ec2Tag.expires]
/** What a clone is, so that nobody's host can make one of a type that costs a hundred times as much. */
const VOLUME_TYPE = 'gp3'

/** @throws Error where a key is given by anything but its ARN */
export class EbsAccess extends Construct {
  readonly policy: IManagedPolicy

  constructor(scope: Construct, id: string, { roles, keyArns = [] }: EbsAccessProps) {
    super(scope, id)
    failSynthesis(
      this,
      keyArns
        .filter((arn) => !KEY_ARN.test(arn))
        .map((arn) => `${arn} is no ARN of a key: use arn:aws:kms:<region>:<account>:key/<id>, and no alias`),
    )
    this.policy = new ManagedPolicy(this, 'Policy', {
      description: 'Lets each host take snapshots of its own disks, and read and remove what it made of them',
      statements: ebsStatements(this, keyArns),
      roles,
    })
    suppressNag(
      this,
      [
        ...['instance/*', 'volume/*', 'volume/vol-*'].map((resource) => wildcardOfAccount(resource)),
        'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:*:snapshot/*]',
      ],
      'Volumes and snapshots come and go: the ARN of the host that asks, in their tags, decides.',
    )
    suppressNag(
      this,
      ['AwsSolutions-IAM5[Resource::*]'],
      'To describe knows no narrower resource; a denial wants none.',
    )
  }
}

function wildcardOfAccount(resource: string): string {
  return `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:${resource}]`
}

/** ARNs as EC2 names what a request is about. */
function arnsIn(scope: Construct) {
  const arn = (resource: string, resourceName: string) =>
    Stack.of(scope).formatArn({ service: 'ec2', resource, resourceName })
  return {
    instances: arn('instance', '*'),
    volumes: arn('volume', '*'),
    /** Those that are there already: one that is yet to be made has no id. */
    existingVolumes: arn('volume', 'vol-*'),
    // Snapshots have no account in their ARNs.
    snapshots: Stack.of(scope).formatArn({ service: 'ec2', account: '*', resource: 'snapshot', resourceName: '*' }),
    // No ARN can be a variable as a whole where a resource stands, so the instance's is put together from its id.
    named: arn('instance', '${ec2:InstanceID}'),
  }
}

function ebsStatements(scope: Construct, keyArns: readonly string[]): PolicyStatement[] {
  const { instances, volumes, existingVolumes, snapshots, named } = arnsIn(scope)
  const itself = { ArnEquals: { [HostKey.instanceProfile]: named } }
  const own = { StringEquals: { [`aws:ResourceTag/${Ec2Tag.host}`]: SELF } }
  const marked = { [`aws:RequestTag/${Ec2Tag.host}`]: SELF }
  return [
    allow('Look', ['DescribeInstances', 'DescribeInstanceTypes', 'DescribeVolumes', 'DescribeSnapshots'], ['*']),

    // A request names an instance, never a volume: it is about the volumes of that instance and no others.
    allow('SnapshotsOfItself', ['CreateSnapshots'], [instances], itself),
    allow('SnapshotsOfItsVolumes', ['CreateSnapshots'], [volumes]),
    allow('MarkedSnapshots', ['CreateSnapshots'], [snapshots], { StringEquals: marked }),

    allow('MarkedVolumes', ['CreateVolume', 'CopyVolumes'], [volumes], {
      StringEquals: { ...marked, 'ec2:VolumeType': VOLUME_TYPE },
    }),
    allow('OfOwnSnapshots', ['CreateVolume'], [snapshots], own),
    ...copyStatements(existingVolumes, marked),

    allow('OwnVolumes', ['AttachVolume', 'DetachVolume', 'DeleteVolume'], [volumes], own),
    allow('ToAndFromItself', ['AttachVolume', 'DetachVolume'], [instances], itself),
    allow('OwnSnapshots', ['DeleteSnapshot'], [snapshots], own),

    // So that a volume that is attached goes with an instance that is terminated.
    allow('TerminateWithItself', ['ModifyInstanceAttribute'], [instances], {
      ...itself,
      StringEquals: { 'ec2:Attribute': 'blockDeviceMapping' },
    }),
    allow('TerminateOwnVolumes', ['ModifyInstanceAttribute'], [volumes], own),

    allow('TagAtCreation', ['CreateTags'], [volumes, snapshots], {
      StringEquals: { ...marked, 'ec2:CreateAction': ['CreateSnapshots', 'CreateVolume', 'CopyVolumes'] },
      'ForAllValues:StringEquals': { 'aws:TagKeys': GIVEN_AT_CREATION },
    }),
    ...tagDenials(),
    ...keyStatements(scope, keyArns),
  ]
}

/**
 * Which instance a volume is attached to, no policy can say. So a host may clone what an operator has tagged for it; what it made itself
 * bears another tag, with which it could also be deleted.
 */
function copyStatements(existingVolumes: string, marked: Readonly<Record<string, string>>): PolicyStatement[] {
  const source = { [`aws:ResourceTag/${Ec2Tag.source}`]: SELF }
  return [
    allow('ClonesOfSources', ['CopyVolumes'], [existingVolumes], { StringEquals: source }),
    // Were the source asked about with the tags of the request, which are the clone's, the statement on what is made would let it pass.
    deny('ClonesOfNothingElse', ['CopyVolumes'], [existingVolumes], { StringEquals: marked, StringNotEquals: source }),
  ]
}

/**
 * A role that may tag, by other policies, could else tag itself into another host's snapshots, or its own root into what may be deleted.
 * IAM compares the names of tags without case, EC2 keeps them apart.
 */
function tagDenials(): PolicyStatement[] {
  const afterwards = { Null: { 'ec2:CreateAction': 'true' } }
  return [
    deny('NoMarksAfterwards', ['CreateTags', 'DeleteTags'], ['*'], {
      ...afterwards,
      'ForAnyValue:StringEqualsIgnoreCase': { 'aws:TagKeys': Object.values(Ec2Tag) },
    }),
    deny('MarksStay', ['CreateTags', 'DeleteTags'], ['*'], {
      Null: { ...afterwards.Null, [`aws:ResourceTag/${Ec2Tag.host}`]: 'false' },
    }),
  ]
}

/** What EC2 does with the key of a volume, in the host's name. */
function keyStatements(scope: Construct, keyArns: readonly string[]): PolicyStatement[] {
  if (keyArns.length === 0) return []
  const { region, urlSuffix } = Stack.of(scope)
  const viaEc2 = { StringEquals: { 'kms:ViaService': `ec2.${region}.${urlSuffix}` } }
  return [
    new PolicyStatement({
      sid: 'VolumeKeys',
      actions: [
        'kms:Decrypt',
        'kms:DescribeKey',
        'kms:GenerateDataKeyWithoutPlaintext',
        'kms:ReEncryptFrom',
        'kms:ReEncryptTo',
      ],
      resources: [...keyArns],
      conditions: viaEc2,
    }),
    new PolicyStatement({
      sid: 'VolumeKeyGrants',
      actions: ['kms:CreateGrant'],
      resources: [...keyArns],
      conditions: { ...viaEc2, Bool: { 'kms:GrantIsForAWSResource': 'true' } },
    }),
  ]
}

type Conditions = Readonly<Record<string, Readonly<Record<string, unknown>>>>

function allow(sid: string, names: readonly string[], resources: string[], conditions: Conditions = {}) {
  return new PolicyStatement({ sid, actions: names.map((name) => `ec2:${name}`), resources, conditions })
}

function deny(sid: string, names: readonly string[], resources: string[], conditions: Conditions) {
  const actions = names.map((name) => `ec2:${name}`)
  return new PolicyStatement({ effect: Effect.DENY, sid, actions, resources, conditions })
}
