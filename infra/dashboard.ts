/** The fleet on a screen. */
import { Duration, Stack } from 'aws-cdk-lib'
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  Metric as CloudWatchMetric,
  SingleValueWidget,
  TextWidget,
  type Alarm,
} from 'aws-cdk-lib/aws-cloudwatch'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import { Prefix } from '../agent/contract'
import { BUCKET_STORAGE_TYPES, Metric, MetricDimension, SHOWN_STATES } from '../fleet/model/auditor'
import { measured } from './alarms'

export interface DashboardProps {
  readonly alarms: readonly Alarm[]
  readonly bucket: IBucket
  readonly handler: IFunction
}

const WHOLE = 24
const HALF = WHOLE / 2

export function createDashboard(scope: Construct, id: string, { alarms, bucket, handler }: DashboardProps): Dashboard {
  const { stackName, region } = Stack.of(scope)
  const hosts = SHOWN_STATES.map((state) =>
    measured(scope, Metric.hosts, 'Maximum', { [MetricDimension.state]: state }).with({ label: state }),
  )
  const page = `s3://${bucket.bucketName}/${Prefix.reports}/index.html`
  return new Dashboard(scope, id, {
    dashboardName: `${stackName}-${region}`,
    defaultInterval: Duration.days(14),
    widgets: [
      [new TextWidget({ markdown: `# Backups of ${stackName}\nHost by host: \`${page}\``, width: WHOLE, height: 2 })],
      [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: WHOLE, height: 3 })],
      [
        new SingleValueWidget({
          title: 'Now',
          metrics: [
            measured(scope, Metric.hostsOverdue, 'Maximum').with({ label: 'hosts without a good backup' }),
            measured(scope, Metric.hostsSuspicious, 'Maximum').with({ label: 'suspicious hosts' }),
            measured(scope, Metric.oldestProtected, 'Maximum').with({ label: 'oldest good backup, hours' }),
            measured(scope, Metric.accountsUnknown, 'Maximum').with({ label: 'accounts that are not known' }),
          ],
          width: WHOLE,
          height: 4,
        }),
      ],
      [
        new GraphWidget({ title: 'Hosts by state', left: hosts, stacked: true, width: HALF, height: 8 }),
        new GraphWidget({
          title: 'Oldest good backup of a protected host, hours',
          left: [measured(scope, Metric.oldestProtected, 'Maximum')],
          width: HALF,
          height: 8,
        }),
      ],
      [
        new GraphWidget({
          title: 'Bytes in the bucket, by storage class',
          left: BUCKET_STORAGE_TYPES.map((type) => sizeOf(bucket, type)),
          stacked: true,
          width: HALF,
          height: 8,
        }),
        new GraphWidget({
          title: 'The auditor: seconds, and failures',
          left: [handler.metricDuration({ statistic: 'Maximum', period: Duration.hours(1) })],
          right: [handler.metricErrors({ statistic: 'Sum', period: Duration.hours(1) })],
          width: HALF,
          height: 8,
        }),
      ],
    ],
  })
}

/** S3 measures once a day, and charges nothing for it. */
function sizeOf(bucket: IBucket, storageType: string): CloudWatchMetric {
  return new CloudWatchMetric({
    namespace: 'AWS/S3',
    metricName: 'BucketSizeBytes',
    dimensionsMap: { BucketName: bucket.bucketName, StorageType: storageType },
    statistic: 'Average',
    period: Duration.days(1),
    label: storageType,
  })
}
