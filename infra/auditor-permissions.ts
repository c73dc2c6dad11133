/** What the auditor's function may do, statement by statement: it reads manifests, and no data. */
import { Stack } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import { Ec2Tag, Prefix } from '../agent/contract'
import { EVENT_DETAIL_TYPE, EVENT_SOURCE, METRIC_NAMESPACE } from '../fleet/model/auditor'
import { OF_BACKUPS } from './host-permissions'
import { inventoryStatements } from './inventory-access'

/** What says which backups there are, what became of them, and what the auditor knew of them. */
export const AUDITED = [
  Prefix.manifests,
  Prefix.verifications,
  Prefix.verdicts,
  Prefix.drills,
  Prefix.fleet,
  Prefix.reports,
] as const
/** What is only looked for: whether it is there, and how large. */
export const LISTED = [...AUDITED, Prefix.data, Prefix.catalogs] as const
/** What the auditor writes, and replaces each time. */
const WRITTEN = [Prefix.fleet, Prefix.reports]
export interface AuditorRights {
  readonly bucket: IBucket
  /** ARNs of the roles by which other accounts are asked. */
  readonly inventoryRoles: readonly string[]
}

/** Statements on the bucket, of whoever looks at the fleet: the function, and people. */
export function lookStatements(bucket: IBucket): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'FindManifests',
      actions: ['s3:ListBucket'],
      resources: [bucket.bucketArn],
      conditions: { StringLike: { 's3:prefix': LISTED.map((prefix) => `${prefix}/*`) } },
    }),
    new PolicyStatement({
      sid: 'ReadManifests',
      actions: ['s3:GetObject'],
      resources: AUDITED.map((prefix) => bucket.arnForObjects(`${prefix}/*`)),
    }),
    new PolicyStatement({
      sid: 'InspectBucket',
      actions: ['s3:GetBucketLocation', 's3:GetBucketVersioning', 's3:GetLifecycleConfiguration'],
      resources: [bucket.bucketArn],
    }),
  ]
}

export function auditorStatements(scope: Construct, { bucket, inventoryRoles }: AuditorRights): PolicyStatement[] {
  return [
    ...lookStatements(bucket),
    new PolicyStatement({
      sid: 'WriteReports',
      actions: ['s3:PutObject', 's3:AbortMultipartUpload'],
      resources: WRITTEN.map((prefix) => bucket.arnForObjects(`${prefix}/*`)),
    }),
    new PolicyStatement({
      sid: 'TagSuperseded',
      actions: ['s3:GetObjectTagging', 's3:PutObjectTagging'],
      resources: OF_BACKUPS.map((prefix) => bucket.arnForObjects(`${prefix}/*`)),
    }),
    ...inventoryStatements(),
    ...(inventoryRoles.length === 0
      ? []
      : [
          new PolicyStatement({ sid: 'AskOtherAccounts', actions: ['sts:AssumeRole'], resources: [...inventoryRoles] }),
        ]),
    ...tellStatements(scope),
    ...reapStatements(scope),
  ]
}

function tellStatements(scope: Construct): PolicyStatement[] {
  const stack = Stack.of(scope)
  return [
    new PolicyStatement({
      sid: 'Measure',
      actions: ['cloudwatch:PutMetricData'],
      resources: ['*'],
      conditions: { StringEquals: { 'cloudwatch:namespace': METRIC_NAMESPACE } },
    }),
    new PolicyStatement({ sid: 'BucketSizes', actions: ['cloudwatch:GetMetricData'], resources: ['*'] }),
    new PolicyStatement({
      sid: 'TellOfTransitions',
      actions: ['events:PutEvents'],
      resources: [stack.formatArn({ service: 'events', resource: 'event-bus', resourceName: 'default' })],
      // A request may have several events: of each.
      conditions: {
        Null: { 'events:source': 'false', 'events:detail-type': 'false' },
        'ForAllValues:StringEquals': { 'events:source': EVENT_SOURCE, 'events:detail-type': EVENT_DETAIL_TYPE },
      },
    }),
    new PolicyStatement({
      sid: 'Compliance',
      actions: ['ssm:PutComplianceItems'],
      resources: [
        stack.formatArn({ service: 'ec2', resource: 'instance', resourceName: '*' }),
        stack.formatArn({ service: 'ssm', resource: 'managed-instance', resourceName: '*' }),
      ],
    }),
  ]
}

/** Only what bears all three marks of ours, which hosts can give at creation alone. */
function reapStatements(scope: Construct): PolicyStatement[] {
  const stack = Stack.of(scope)
  const arn = (resource: string, account = stack.account) =>
    stack.formatArn({ service: 'ec2', account, resource, resourceName: '*' })
  const marks = [Ec2Tag.host, Ec2Tag.run, Ec2Tag.expires].map((tag) => [`aws:ResourceTag/${tag}`, 'false'])
  const marked = { Null: Object.fromEntries(marks) as Record<string, string> }
  return [
    new PolicyStatement({
      sid: 'FindLeftovers',
      actions: ['ec2:DescribeVolumes', 'ec2:DescribeSnapshots'],
      resources: ['*'],
    }),
    new PolicyStatement({
      sid: 'ReapVolumes',
      actions: ['ec2:DeleteVolume', 'ec2:DetachVolume'],
      resources: [arn('volume')],
      conditions: marked,
    }),
    // EC2 asks about the instance, too, from which the volume goes.
    new PolicyStatement({ sid: 'FromInstances', actions: ['ec2:DetachVolume'], resources: [arn('instance')] }),
    new PolicyStatement({
      sid: 'ReapSnapshots',
      actions: ['ec2:DeleteSnapshot'],
      resources: [arn('snapshot', '*')],
      conditions: marked,
    }),
  ]
}
