/** The auditor's requests: to moto, and about compliance, which moto does not know, to a stand-in of ours. */
import { text } from 'node:stream/consumers'
import { CloudWatchClient, GetMetricDataCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch'
import { CloudWatchLogsClient, CreateLogGroupCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import {
  AttachVolumeCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  EC2Client,
  RunInstancesCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2'
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge'
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import { reap } from '../../../fleet/audit/leftovers.io'
import type { HostEvent } from '../../../fleet/audit/events'
import type { Outlets } from '../../../fleet/audit/outlets'
import { awsOutlets } from '../../../fleet/audit/outlets.io'
import { startMoto, type RunningServer } from '../../servers/index'
import { startNodeService, type NodeService } from '../../support/node-service'
import { serve } from '../../support/http-server'
import { silentLog } from '../../support/log'

const ACCOUNT = '123456789012'
const DAY_MILLISECONDS = 86_400_000
const { signal } = new AbortController()
const saved = { ...process.env }
let moto: RunningServer
let nodes: NodeService
let outlets: Outlets
let topicArn: string
let client: { region: string; endpoint: string; credentials: RunningServer }

beforeAll(async () => {
  moto = await startMoto()
  nodes = await startNodeService()
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: moto.endpoint,
    AWS_ENDPOINT_URL_SSM: nodes.endpoint,
    AWS_ACCESS_KEY_ID: moto.accessKeyId,
    AWS_SECRET_ACCESS_KEY: moto.secretAccessKey,
  })
  client = { region: moto.region, endpoint: moto.endpoint, credentials: moto }
  const { TopicArn = '' } = await new SNSClient(client).send(new CreateTopicCommand({ Name: 'backups' }))
  topicArn = TopicArn
  outlets = awsOutlets({ bucket: 'backups', topicArn, region: moto.region, now: () => new Date() })
})
afterAll(async () => {
  await nodes[Symbol.asyncDispose]()
  await moto.stop()
  process.env = saved
})

test('metrics arrive with their dimensions, more than one request takes', async () => {
  const ages = Array.from({ length: 1001 }, (_, index) => ({
    name: 'BackupAgeHours',
    value: index,
    unit: 'None' as const,
    dimensions: { Stack: 'S', Host: `host-${index}` },
  }))
  await outlets.putMetrics(
    [{ name: 'Hosts', value: 7, unit: 'Count', dimensions: { Stack: 'S', State: 'stale' } }, ...ages],
    signal,
  )
  const query = (id: string, MetricName: string, dimensions: Record<string, string>) => ({
    Id: id,
    MetricStat: {
      Metric: {
        ...{ Namespace: 'Snapstream', MetricName },
        Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
      },
      ...{ Period: 3600, Stat: 'Maximum' },
    },
  })
  const { MetricDataResults } = await new CloudWatchClient(client).send(
    new GetMetricDataCommand({
      ...{ StartTime: new Date(Date.now() - 3_600_000), EndTime: new Date(Date.now() + 3_600_000) },
      MetricDataQueries: [
        query('stale', 'Hosts', { Stack: 'S', State: 'stale' }),
        query('last', 'BackupAgeHours', { Stack: 'S', Host: 'host-1000' }),
      ],
    }),
  )
  expect(MetricDataResults?.map(({ Values }) => Values)).toEqual([[7], [1000]])
})

test("S3's own measure of the bucket is summed up over its storage classes, day by day", async () => {
  const today = Math.floor(Date.now() / DAY_MILLISECONDS)
  const datum = (StorageType: string, day: number, Value: number, BucketName = 'backups') => ({
    MetricName: 'BucketSizeBytes',
    Dimensions: [
      { Name: 'BucketName', Value: BucketName },
      { Name: 'StorageType', Value: StorageType },
    ],
    Timestamp: new Date(day * DAY_MILLISECONDS),
    Value,
  })
  const MetricData = [
    datum('StandardStorage', today - 2, 100),
    datum('StandardStorage', today - 1, 110),
    datum('DeepArchiveStorage', today - 1, 1000),
    datum('StandardStorage', today - 1, 5, 'another'),
  ]
  await new CloudWatchClient(client).send(new PutMetricDataCommand({ Namespace: 'AWS/S3', MetricData }))
  expect(await outlets.readBucketSizes(36, signal)).toEqual([
    { day: today - 2, bytes: 100 },
    { day: today - 1, bytes: 1110 },
  ])
})

test('compliance takes the place of what was said before, and waits where there are too many requests', async () => {
  const item = {
    id: 'daily',
    title: 'daily: stale',
    severity: 'CRITICAL',
    status: 'NON_COMPLIANT',
    details: { state: 'stale' },
  } as const
  const at = 1_795_831_500
  nodes.throttled = 2
  await outlets.putCompliance({ resourceId: 'i-0123456789abcdef0', at, items: [item] }, signal)
  expect(nodes.compliance.get('i-0123456789abcdef0')).toEqual({
    ...{
      ResourceId: 'i-0123456789abcdef0',
      ResourceType: 'ManagedInstance',
      ComplianceType: 'Custom:SnapstreamBackup',
    },
    ...{ ExecutionSummary: { ExecutionTime: at, ExecutionType: 'Audit' }, UploadType: 'COMPLETE' },
    Items: [
      {
        Id: 'daily',
        Title: 'daily: stale',
        Severity: 'CRITICAL',
        Status: 'NON_COMPLIANT',
        Details: { state: 'stale' },
      },
    ],
  })
  const refused = outlets.putCompliance({ resourceId: 'db-1', at, items: [item] }, signal)
  await expect(refused).rejects.toThrow(/is no node/)
})

test('events of transitions reach rules of the default bus, more than one request takes', async () => {
  const logs = new CloudWatchLogsClient(client)
  const events = new EventBridgeClient(client)
  await logs.send(new CreateLogGroupCommand({ logGroupName: '/aws/events/snapstream' }))
  const EventPattern = JSON.stringify({
    source: ['snapstream'],
    'detail-type': ['Snapstream Host State Change'],
    detail: { overdue: [true] },
  })
  await events.send(new PutRuleCommand({ Name: 'overdue', EventPattern }))
  const Arn = `arn:aws:logs:${moto.region}:${ACCOUNT}:log-group:/aws/events/snapstream`
  await events.send(new PutTargetsCommand({ Rule: 'overdue', Targets: [{ Id: 'log', Arn }] }))
  const event = (index: number): HostEvent => ({
    ...{ stack: 'S', bucket: 'backups', host: `host-${index}`, id: `host-${index}`, from: 'protected', to: 'stale' },
    ...{ overdue: index !== 3, reason: 'r', advice: '', at: '2026-11-28T02:05:00.000Z' },
  })
  await outlets.putEvents(
    Array.from({ length: 12 }, (_, index) => event(index)),
    signal,
  )
  const { events: logged = [] } = await logs.send(
    new FilterLogEventsCommand({ logGroupName: '/aws/events/snapstream' }),
  )
  const hosts = logged.map(({ message = '' }) => (JSON.parse(message) as { detail: HostEvent }).detail.host)
  expect(hosts).toHaveLength(11)
  expect(hosts).not.toContain('host-3')
})

test('the digest reaches whoever has subscribed to the topic', async () => {
  const bodies: Promise<string>[] = []
  await using subscriber = await serve((request, response) => {
    bodies.push(text(request))
    response.end()
  })
  const subscription = { TopicArn: topicArn, Protocol: 'http', Endpoint: subscriber.url }
  await new SNSClient(client).send(new SubscribeCommand(subscription))
  await outlets.publish({ subject: 'Snapstream: nothing to do for 2 hosts', text: 'two\nlines' }, signal)
  const messages = (await Promise.all(bodies)).map((body) => JSON.parse(body) as Record<string, string>)
  expect(messages).toMatchObject([{ Subject: 'Snapstream: nothing to do for 2 hosts', Message: 'two\nlines' }])
})

test('what killed backups left in EBS goes when it has expired, and nothing else', async () => {
  const ec2 = new EC2Client(client)
  const { Instances = [] } = await ec2.send(
    new RunInstancesCommand({ ImageId: 'ami-12345678', MinCount: 2, MaxCount: 2, InstanceType: 't3.micro' }),
  )
  const [running = '', stopped = ''] = Instances.map(({ InstanceId }) => InstanceId)
  const zone = Instances[0]!.Placement!.AvailabilityZone!
  const host = `arn:aws:ec2:${moto.region}:${ACCOUNT}:instance/${running}`
  const Tags = (expires: string) =>
    Object.entries({ host, run: '20260101T010000Z-abc123', expires }).map(([key, Value]) => ({
      Key: `snapstream:${key}`,
      Value,
    }))
  const make = async (expires?: string, attachTo?: string) => {
    const TagSpecifications = expires === undefined ? [] : [{ ResourceType: 'volume' as const, Tags: Tags(expires) }]
    const made = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: zone, Size: 1, TagSpecifications }))
    const VolumeId = made.VolumeId!
    if (attachTo !== undefined) {
      await ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId: attachTo, Device: '/dev/sdz' }))
    }
    return VolumeId
  }
  const over = '2026-01-03T01:00:00.000Z'
  const [gone, , kept, strange] = [
    await make(over),
    await make(over, running),
    await make('2126-01-03T01:00:00.000Z'),
    await make(),
  ]
  const ofStopped = await make(over, stopped)
  await ec2.send(new StopInstancesCommand({ InstanceIds: [stopped] }))
  const snapshot = async (expires: string) => {
    const TagSpecifications = [{ ResourceType: 'snapshot' as const, Tags: Tags(expires) }]
    return (await ec2.send(new CreateSnapshotCommand({ VolumeId: strange, TagSpecifications }))).SnapshotId!
  }
  const [oldSnapshot, newSnapshot] = [await snapshot(over), await snapshot('2126-01-03T01:00:00.000Z')]

  const deps = { leftovers: outlets.leftovers, log: silentLog, signal, now: () => new Date() }
  expect(await reap(deps, ACCOUNT)).toEqual({ volumes: 1, snapshots: 1, detached: 1, problems: [] })
  // An hour later, what was detached goes too.
  expect(await reap(deps, ACCOUNT)).toEqual({ volumes: 1, snapshots: 0, detached: 0, problems: [] })

  const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({}))
  const left = Volumes.map(({ VolumeId }) => VolumeId!)
  expect(left).toEqual(expect.arrayContaining([kept, strange]))
  expect([gone, ofStopped].filter((id) => left.includes(id))).toEqual([])
  expect(Volumes.filter(({ State, Size }) => State === 'in-use' && Size === 1)).toHaveLength(1)
  const { Snapshots = [] } = await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ['self'] }))
  const ids = Snapshots.map(({ SnapshotId }) => SnapshotId)
  expect([ids.includes(oldSnapshot), ids.includes(newSnapshot)]).toEqual([false, true])
  await outlets.leftovers.deleteVolume(gone, signal) // twice is no harm
  await outlets.leftovers.deleteSnapshot(oldSnapshot, signal)
})

test('a service that refuses is an error, with its words', async () => {
  const elsewhere = awsOutlets({
    bucket: 'backups',
    topicArn: `${topicArn}-gone`,
    region: moto.region,
    now: () => new Date(),
  })
  await expect(elsewhere.publish({ subject: 's', text: 't' }, signal)).rejects.toThrow(/does not exist/)
})
