/** CloudWatch, Systems Manager, EventBridge and SNS, as the auditor uses them. */
import { CloudWatchClient, GetMetricDataCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch'
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns'
import { PutComplianceItemsCommand, SSMClient } from '@aws-sdk/client-ssm'
import { AgentError } from '../../agent/errors'
import {
  BUCKET_STORAGE_TYPES,
  COMPLIANCE_TYPE,
  EVENT_DETAIL_TYPE,
  EVENT_SOURCE,
  METRIC_NAMESPACE,
} from '../model/auditor'
import { patientClient } from './client.io'
import { ebsLeftovers } from './leftovers.io'
import type { Outlets } from './outlets'
import type { DaySize } from './trend'

export interface OutletsOptions {
  readonly bucket: string
  readonly topicArn: string
  readonly region: string
  readonly now: () => Date
}

/** API_PutMetricData. */
const METRICS_PER_REQUEST = 1000
/** API_PutEvents. */
const EVENTS_PER_REQUEST = 10
const DAY_SECONDS = 86_400
export function awsOutlets(options: OutletsOptions): Outlets {
  const { bucket, topicArn, region, now } = options
  const cloudwatch = new CloudWatchClient(patientClient(region))
  const ssm = new SSMClient(patientClient(region))
  const events = new EventBridgeClient(patientClient(region))
  const sns = new SNSClient(patientClient(region))
  return {
    leftovers: ebsLeftovers(region),
    async putMetrics(data, abortSignal) {
      for (const some of chunks(data, METRICS_PER_REQUEST)) {
        const MetricData = some.map(({ name, value, unit, dimensions }) => ({
          MetricName: name,
          Value: value,
          Unit: unit,
          Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
        }))
        await cloudwatch.send(new PutMetricDataCommand({ Namespace: METRIC_NAMESPACE, MetricData }), { abortSignal })
      }
    },
    async readBucketSizes(days, abortSignal) {
      // Of a day that is not over S3 has not said anything.
      const end = Math.floor(now().getTime() / 1000 / DAY_SECONDS) * DAY_SECONDS
      const request = {
        StartTime: new Date((end - days * DAY_SECONDS) * 1000),
        EndTime: new Date(end * 1000),
        MetricDataQueries: BUCKET_STORAGE_TYPES.map((type) => sizeQuery(bucket, type)),
      }
      const { MetricDataResults = [] } = await cloudwatch.send(new GetMetricDataCommand(request), { abortSignal })
      return sumByDay(MetricDataResults)
    },
    async putCompliance({ resourceId, at, items }, abortSignal) {
      const command = new PutComplianceItemsCommand({
        ResourceId: resourceId,
        ResourceType: 'ManagedInstance',
        ComplianceType: COMPLIANCE_TYPE,
        ExecutionSummary: { ExecutionTime: new Date(at * 1000), ExecutionType: 'Audit' },
        UploadType: 'COMPLETE',
        Items: items.map(({ id, title, severity, status, details }) => ({
          ...{ Id: id, Title: title, Severity: severity, Status: status, Details: details },
        })),
      })
      await ssm.send(command, { abortSignal })
    },
    async putEvents(all, abortSignal) {
      const refused: Refused[] = []
      for (const some of chunks(all, EVENTS_PER_REQUEST)) {
        const Entries = some.map((detail) => ({
          Source: EVENT_SOURCE,
          DetailType: EVENT_DETAIL_TYPE,
          Time: new Date(detail.at),
          Resources: detail.host.startsWith('arn:') ? [detail.host] : [],
          Detail: JSON.stringify(detail),
        }))
        const answer = await events.send(new PutEventsCommand({ Entries }), { abortSignal })
        refused.push(...refusedOf(answer))
      }
      assertNone(refused)
    },
    async publish({ subject, text }, abortSignal) {
      await sns.send(new PublishCommand({ TopicArn: topicArn, Subject: subject, Message: text }), { abortSignal })
    },
  }
}

function sizeQuery(bucket: string, type: string) {
  return {
    Id: type.charAt(0).toLowerCase() + type.slice(1),
    MetricStat: {
      Metric: {
        Namespace: 'AWS/S3',
        MetricName: 'BucketSizeBytes',
        Dimensions: [
          { Name: 'BucketName', Value: bucket },
          { Name: 'StorageType', Value: type },
        ],
      },
      Period: DAY_SECONDS,
      Stat: 'Average',
    },
  }
}

interface Series {
  readonly Timestamps?: readonly Date[] | undefined
  readonly Values?: readonly number[] | undefined
}

function sumByDay(series: readonly Series[]): DaySize[] {
  const days = new Map<number, number>()
  for (const { Timestamps = [], Values = [] } of series) {
    for (const [index, time] of Timestamps.entries()) {
      const day = Math.floor(time.getTime() / 1000 / DAY_SECONDS)
      days.set(day, (days.get(day) ?? 0) + (Values[index] ?? 0))
    }
  }
  return [...days].map(([day, bytes]) => ({ day, bytes })).sort((a, b) => a.day - b.day)
}

interface PutEventsAnswer {
  readonly FailedEntryCount?: number | undefined
  readonly Entries?:
    readonly { readonly ErrorCode?: string | undefined; readonly ErrorMessage?: string | undefined }[] | undefined
}

type Refused = NonNullable<PutEventsAnswer['Entries']>[number]

/** EventBridge answers 200 where it took only some of them. */
function refusedOf({ FailedEntryCount = 0, Entries = [] }: PutEventsAnswer): readonly Refused[] {
  return FailedEntryCount === 0 ? [] : Entries.filter(({ ErrorCode }) => ErrorCode !== undefined)
}

/** All have been sent by then: nobody is told again of those that come after one that was refused. */
function assertNone(refused: readonly Refused[]): void {
  const [first] = refused
  if (!first) return
  const why = `${first.ErrorCode ?? ''}: ${first.ErrorMessage ?? ''}`
  throw new AgentError('STORE_FAILED', `EventBridge did not take ${refused.length} events (${why})`, {
    hint: 'Hosts whose state has changed are on the page nevertheless. See the limits of EventBridge for PutEvents in this region.',
  })
}

function* chunks<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size)
}
