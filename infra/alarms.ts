/**
 * When somebody has to be woken. Each alarm is called as its section of docs/runbook.md, after the name of the stack; a test holds the
 * one against the other.
 */
import { Duration, Stack } from 'aws-cdk-lib'
import { Alarm, ComparisonOperator, Metric as CloudWatchMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { Metric, METRIC_NAMESPACE, MetricDimension } from '../fleet/model/auditor'

export interface AlarmsProps {
  readonly handler: IFunction
  readonly topic: ITopic
}

const HOUR = Duration.hours(1)

interface Watch {
  readonly id: string
  readonly title: string
  readonly metric: CloudWatchMetric
  readonly isSilenceBad?: true
  /** Hours in a row. */
  readonly hours: number
  readonly what: string
}

export class Alarms extends Construct {
  readonly all: readonly Alarm[]

  constructor(scope: Construct, id: string, { handler, topic }: AlarmsProps) {
    super(scope, id)
    const watches: readonly Watch[] = [
      {
        id: 'Overdue',
        title: 'A host has no good backup',
        metric: measured(this, Metric.hostsOverdue, 'Maximum'),
        hours: 1,
        what: 'no verified backup of at least one host is as young as its retention class wants it',
      },
      {
        id: 'Silent',
        title: 'The auditor is silent',
        metric: measured(this, Metric.heartbeat, 'Sum'),
        isSilenceBad: true,
        hours: 3,
        what: 'nobody looks at the backups: a host that has none is not noticed, and nothing expires',
      },
      {
        id: 'Failed',
        title: 'The auditor fails in part',
        metric: handler.metricErrors({ period: HOUR, statistic: 'Sum' }),
        // An event, or a digest, comes once.
        hours: 1,
        what: 'the auditor could not do all that it has to; its log says what',
      },
      {
        id: 'Unknown',
        title: 'Hosts of an account are not known',
        metric: measured(this, Metric.accountsUnknown, 'Maximum'),
        hours: 3,
        what: 'an account could not be asked which hosts it has: one that was never backed up is not noticed',
      },
      {
        id: 'Suspicious',
        title: 'A backup is not like the others',
        metric: measured(this, Metric.hostsSuspicious, 'Maximum'),
        hours: 1,
        what: 'the newest backup of at least one host is far from those before it',
      },
      {
        id: 'Growing',
        title: 'The bucket grows out of its trend',
        metric: measured(this, Metric.storageOutOfTrend, 'Maximum'),
        hours: 1,
        what: 'the bucket grew within a day as it did not in the weeks before',
      },
    ]
    this.all = watches.map((watch) => this.create(watch, topic))
  }

  private create({ id, title, metric, isSilenceBad, hours, what }: Watch, topic: ITopic): Alarm {
    const alarm = new Alarm(this, id, {
      alarmName: `${Stack.of(this).stackName}: ${title}`,
      alarmDescription: `${what[0]?.toUpperCase() ?? ''}${what.slice(1)}. See "${title}" in docs/runbook.md.`,
      metric,
      threshold: 1,
      comparisonOperator: isSilenceBad
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: hours,
      // Where nothing is measured, nothing has become better; the alarm on silence says so itself.
      treatMissingData: isSilenceBad ? TreatMissingData.BREACHING : TreatMissingData.IGNORE,
    })
    const action = new SnsAction(topic)
    alarm.addAlarmAction(action)
    alarm.addOkAction(action)
    return alarm
  }
}

/** What the auditor of this stack measures. */
export function measured(
  scope: Construct,
  metricName: string,
  statistic: 'Maximum' | 'Sum' | 'Average',
  more: Readonly<Record<string, string>> = {},
): CloudWatchMetric {
  return new CloudWatchMetric({
    namespace: METRIC_NAMESPACE,
    metricName,
    dimensionsMap: { [MetricDimension.stack]: Stack.of(scope).stackName, ...more },
    statistic,
    period: HOUR,
  })
}
