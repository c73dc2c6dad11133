/**
 * The bundle of the auditor run as Lambda runs it, against a real S3 server, and moto in the place of all else of AWS: pass after pass,
 * as the hours go by.
 */
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch'
import { CloudWatchLogsClient, CreateLogGroupCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import { CreateVolumeCommand, DescribeVolumesCommand, EC2Client, RunInstancesCommand } from '@aws-sdk/client-ec2'
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge'
import { GetObjectCommand, GetObjectTaggingCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import { mapUnordered } from '../../../agent/lib/unordered'
import { catalogKey, dataKey, manifestKey, type RunKey } from '../../../agent/contract'
import { formatManifest } from '../../../agent/run/manifest'
import type { AuditorEvent } from '../../../fleet/model/auditor'
import type { FleetView } from '../../../fleet/model/records'
import type { HostEvent } from '../../../fleet/audit/events'
import { readAuditorDefine } from '../../../infra/agent-files'
import { DEFAULT_STAGE, stubFiles } from '../../infra/synthesize'
import { createBucket, plainClient, startMoto, testServers, type RunningServer } from '../../servers/index'
import { AuditorBundle } from '../../support/auditor-bundle'
import { startNodeService, type NodeService } from '../../support/node-service'
import { serve, type HttpServer } from '../../support/http-server'
import { runName } from '../../support/fleet'
import { manifestOf, volumeBackupOf } from '../../support/manifest'

const ACCOUNT = '123456789012'
/** Enough for threads to be started. */
const MANY = 2000
const LOG_GROUP = '/aws/events/snapstream'
const STATE = 'fleet/state.jsonl.zst'
jest.setTimeout(120_000)

let moto: RunningServer
let nodes: NodeService
let subscriber: HttpServer
let bundle: AuditorBundle
let s3: S3Client
let bucket: string
let topicArn: string
const digests: Promise<string>[] = []
const seaweedfs = () => testServers().seaweedfs
const aws = () => ({ region: moto.region, endpoint: moto.endpoint, credentials: moto })

beforeAll(async () => {
  const define = readAuditorDefine(join(__dirname, '../../..'))
  const fleet = { expectedHosts: [{ host: 'db-silent', classes: ['daily'] }] }
  bundle = new AuditorBundle({ ...DEFAULT_STAGE, fleet }, { ...stubFiles(), define })
  moto = await startMoto()
  nodes = await startNodeService(moto.endpoint)
  subscriber = await serve((request, response) => {
    digests.push(text(request))
    response.end()
  })
  s3 = plainClient(seaweedfs())
  bucket = await createBucket(seaweedfs(), { versioned: true })
  const sns = new SNSClient(aws())
  topicArn = (await sns.send(new CreateTopicCommand({ Name: 'backups' }))).TopicArn!
  await sns.send(new SubscribeCommand({ TopicArn: topicArn, Protocol: 'http', Endpoint: subscriber.url }))
  await new CloudWatchLogsClient(aws()).send(new CreateLogGroupCommand({ logGroupName: LOG_GROUP }))
  const events = new EventBridgeClient(aws())
  await events.send(new PutRuleCommand({ Name: 'all', EventPattern: JSON.stringify({ source: ['snapstream'] }) }))
  const Arn = `arn:aws:logs:${moto.region}:${ACCOUNT}:log-group:${LOG_GROUP}`
  await events.send(new PutTargetsCommand({ Rule: 'all', Targets: [{ Id: 'log', Arn }] }))
})
afterAll(async () => {
  s3.destroy()
  bundle.remove()
  await subscriber[Symbol.asyncDispose]()
  await nodes[Symbol.asyncDispose]()
  await moto.stop()
})

function invoke(event: AuditorEvent = {}, changes: Record<string, string> = {}) {
  const { endpoint, accessKeyId, secretAccessKey } = seaweedfs()
  const environment = {
    ...{ AWS_REGION: moto.region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    ...{ AWS_ENDPOINT_URL: moto.endpoint, AWS_ENDPOINT_URL_S3: endpoint, AWS_ENDPOINT_URL_SSM: nodes.endpoint },
    ...{ AWS_EC2_METADATA_DISABLED: 'true', SNAPSTREAM_BUCKET: bucket, SNAPSTREAM_TOPIC: topicArn },
    ...{ SNAPSTREAM_STACK: 'Snapstream', SNAPSTREAM_PER_HOST_METRICS: 'no', ...changes },
  }
  return bundle.invoke(event, environment, ACCOUNT)
}

async function put(Key: string, Body: Buffer | string): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }))
}

/** A good run, as small as one can be, which began so many minutes ago. */
async function putRun(host: string, minutesAgo: number, name = 'daily'): Promise<RunKey> {
  const run = { class: name, host, run: runName(Math.floor(Date.now() / 1000) - minutesAgo * 60) }
  await put(dataKey(run, 'vg0-home', 'zstd', 0), Buffer.alloc(1000))
  await put(catalogKey(run, 'vg0-home'), Buffer.alloc(300))
  await put(manifestKey(run), formatManifest(manifestOf({ ...run, volumes: [volumeBackupOf({}, run)] })))
  return run
}

async function read(Key: string): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }))
  return Body!.transformToString()
}

async function measured(MetricName: string): Promise<number | undefined> {
  const Metric = { Namespace: 'Snapstream', MetricName, Dimensions: [{ Name: 'Stack', Value: 'Snapstream' }] }
  const { MetricDataResults } = await new CloudWatchClient(aws()).send(
    new GetMetricDataCommand({
      ...{ StartTime: new Date(Date.now() - 3_600_000), EndTime: new Date(Date.now() + 60_000) },
      MetricDataQueries: [{ Id: 'it', MetricStat: { Metric, Period: 1, Stat: 'Maximum' } }],
    }),
  )
  const [{ Timestamps = [], Values = [] } = {}] = MetricDataResults!
  const newest = Math.max(...Timestamps.map((time) => time.getTime()))
  return Values[Timestamps.findIndex((time) => time.getTime() === newest)]
}

async function transitions(): Promise<readonly HostEvent[]> {
  const { events = [] } = await new CloudWatchLogsClient(aws()).send(
    new FilterLogEventsCommand({ logGroupName: LOG_GROUP }),
  )
  return events.map(({ message = '' }) => (JSON.parse(message) as { detail: HostEvent }).detail)
}

const isSuperseded = async ({ class: name, host, run }: RunKey) => {
  const Key = dataKey({ class: name, host, run }, 'vg0-home', 'zstd', 0)
  const { TagSet = [] } = await s3.send(new GetObjectTaggingCommand({ Bucket: bucket, Key }))
  return TagSet.some((tag) => tag.Key === 'snapstream-superseded')
}

/** An instance with the tag of the default schedules, which Systems Manager knows. */
async function launch(): Promise<string> {
  const Tags = [
    { Key: 'Backup', Value: 'true' },
    { Key: 'Name', Value: 'web-2' },
  ]
  const { Instances: [{ InstanceId = '' } = {}] = [] } = await new EC2Client(aws()).send(
    new RunInstancesCommand({
      ...{ ImageId: 'ami-12345678', MinCount: 1, MaxCount: 1 },
      TagSpecifications: [{ ResourceType: 'instance', Tags }],
    }),
  )
  nodes.managed = [InstanceId]
  return InstanceId
}

test('hour by hour: a host that never had a backup, its first one, and what newer ones supersede', async () => {
  const runs = [await putRun('web-1', 50)]
  await setTimeout(1100) // S3 dates objects by whole seconds
  for (const minutesAgo of [40, 30, 20]) runs.push(await putRun('web-1', minutesAgo))
  const id = await launch()
  const arn = `arn:aws:ec2:${moto.region}:${ACCOUNT}:instance/${id}`
  const first = await invoke()
  expect(first).toMatchObject({ error: undefined })
  expect(await read('reports/index.html')).toContain('db-silent')
  const fleet = JSON.parse(await read('reports/fleet.json')) as { hosts: { host: string; state: string }[] }
  expect(Object.fromEntries(fleet.hosts.map(({ host, state }) => [host, state]))).toEqual({
    ...{ 'db-silent': 'never', [arn]: 'never', 'web-1': 'protected' },
  })
  expect(nodes.compliance.get(id)?.Items.map(({ Id, Status }) => [Id, Status])).toEqual(
    ['daily', 'weekly', 'monthly'].map((name) => [name, 'NON_COMPLIANT']),
  )
  expect(await read('reports/fleet.csv')).toMatch(/^db-silent,/m)
  expect([await measured('HostsOverdue'), await measured('Heartbeat')]).toEqual([0, 1])
  expect(await transitions()).toEqual([])
  expect(await Promise.all(runs.map(isSuperseded))).toEqual([true, false, false, false])

  // An hour later, both have their first backups.
  await putRun('db-silent', 1)
  for (const name of ['daily', 'weekly', 'monthly']) await putRun(arn, 1, name)
  expect(await invoke()).toMatchObject({ error: undefined })
  expect((await transitions()).map(({ host, from, to }) => [host, from, to]).sort()).toEqual([
    [arn, 'never', 'protected'],
    ['db-silent', 'never', 'protected'],
  ])
  expect(nodes.compliance.get(id)?.Items.map(({ Status }) => Status)).toEqual(Array(3).fill('COMPLIANT'))

  // On Monday, people hear of it.
  expect(await invoke({ digest: true })).toMatchObject({ error: undefined })
  const messages = (await Promise.all(digests)).map((each) => JSON.parse(each) as { Subject?: string })
  expect(messages.map(({ Subject }) => Subject)).toEqual(
    expect.arrayContaining(['Snapstream: nothing to do for 3 hosts']),
  )
  expect(await transitions()).toHaveLength(2)
})

test('what a killed backup left in EBS is gone after a pass', async () => {
  const ec2 = new EC2Client(aws())
  const tags = {
    host: `arn:aws:ec2:${moto.region}:${ACCOUNT}:instance/i-0123456789abcdef0`,
    run: '20260101T010000Z-abc123',
    expires: '2026-01-03T01:00:00.000Z',
  }
  const Tags = Object.entries(tags).map(([key, Value]) => ({ Key: `snapstream:${key}`, Value }))
  const TagSpecifications = [{ ResourceType: 'volume' as const, Tags }]
  await ec2.send(new CreateVolumeCommand({ AvailabilityZone: `${moto.region}a`, Size: 1, TagSpecifications }))
  expect(await invoke()).toMatchObject({ error: undefined })
  const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({}))
  expect(Volumes.filter(({ Size }) => Size === 1)).toEqual([])
})

test('an account that does not answer is not known, which is told, and its hosts are judged by their backups', async () => {
  const { managed } = nodes
  nodes.managed = undefined
  expect(await invoke()).toMatchObject({ error: undefined })
  nodes.managed = managed
  expect(await measured('AccountsUnknown')).toBe(1)
  const { accounts, hosts } = JSON.parse(await read('reports/fleet.json')) as FleetView
  expect(accounts).toMatchObject([{ account: ACCOUNT, problem: expect.stringMatching(/DescribeInstanceInformation/) }])
  expect(hosts.map(({ host }) => host)).toEqual(expect.arrayContaining(['db-silent', 'web-1']))
})

test('two thousand manifests are read by threads, which begin where the function does', async () => {
  const started = Date.now()
  await mapUnordered(Array(MANY).keys(), 32, (index) => {
    const run = { class: 'daily', host: `many-${index}`, run: runName(Math.floor(started / 1000) - 600) }
    return put(manifestKey(run), formatManifest(manifestOf({ ...run, volumes: [volumeBackupOf({}, run)] })))
  })
  const { error, log } = await invoke()
  expect(error).toBeUndefined()
  expect(log).not.toContain('without threads')
  const { hosts } = JSON.parse(await read('reports/fleet.json')) as FleetView
  // Their archives are not there, and that is seen.
  expect(hosts.filter(({ host, state }) => host.startsWith('many-') && state !== 'protected')).toHaveLength(MANY)
})

test('where the topic is gone, the invocation fails, and all else was done', async () => {
  const before = await read('reports/fleet.json')
  const { error, log } = await invoke({ digest: true }, { SNAPSTREAM_TOPIC: `${topicArn}-gone` })
  expect(error).toBe('Error: not all was done: digest')
  expect(log).toMatch(/WARN|warn .*failed: digest: /)
  expect(await read('reports/fleet.json')).not.toBe(before)
})

test('a state that is damaged is made anew, and nobody is told of everything again', async () => {
  const told = (await transitions()).length
  await put(STATE, 'no state')
  expect(await invoke()).toMatchObject({ error: undefined })
  expect(await transitions()).toHaveLength(told)
})

test('where the bucket is gone, the invocation fails with a hint, and no heartbeat', async () => {
  const { error, log } = await invoke({}, { SNAPSTREAM_BUCKET: 'there-is-no-such-bucket' })
  expect(error).toMatch(/bucket/i)
  expect(log).toMatch(/HINT: /)
})
