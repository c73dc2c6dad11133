import { runCommand } from '../../../fleet/command/systems-manager.io'
import type { Invocation } from '../../../fleet/command/systems-manager'
import { fakeClock } from '../../support/fake-clock'
import { refusalOf } from '../../support/refusal'
import { describeRunCommand } from '../../support/run-command-contract'
import { startSystemsManager, type StandInHost, type SystemsManager } from '../../support/systems-manager'

const signal = new AbortController().signal
const A = 'i-0aaaaaaaaaaaaaaaa'
const B = 'i-0bbbbbbbbbbbbbbbb'
const tags = { Backup: 'true' }
const printed = { status: 'Success', steps: [{ Name: 'backup', Status: 'Success', ResponseCode: 0, stdout: 'done' }] }
const hosts: Record<string, StandInHost> = {
  [A]: { name: 'web-1', tags, life: [printed] },
  [B]: { tags, life: [printed] },
  'i-0cccccccccccccccc': {},
}

let manager: SystemsManager
const service = () =>
  runCommand({
    ...{ region: 'eu-west-1', endpointUrl: manager.url, clock: fakeClock() },
    credentials: () => Promise.resolve({ accessKeyId: 'x', secretAccessKey: 'x' }),
  })
const plan = {
  ...{ document: 'Snapstream-Backup', targets: { kind: 'hosts' as const, instanceIds: [A, B] }, parameters: {} },
  ...{ maxConcurrency: '25%', maxErrors: '100%', deliverySeconds: 600 },
}

beforeEach(async () => {
  manager = await startSystemsManager(hosts, { documents: ['Snapstream-Backup'], pageSize: 1 })
})
afterEach(() => manager[Symbol.asyncDispose]())

describe('as everywhere', () => {
  describeRunCommand(async () => ({ service: service(), instanceIds: [A, B], step: 'backup' }))
})

test('a command is sent with its rate, its patience and where its output goes', async () => {
  const tagged = { kind: 'tags' as const, tags: [{ key: 'Backup', values: ['true', 'yes'] }] }
  await service().send(
    { ...plan, targets: tagged, parameters: { class: 'weekly' }, logGroup: '/backups' },
    'why',
    signal,
  )
  expect(manager.sent).toEqual([
    {
      ...{ DocumentName: 'Snapstream-Backup', Comment: 'why', Parameters: { class: ['weekly'] } },
      ...{ Targets: [{ Key: 'tag:Backup', Values: ['true', 'yes'] }] },
      ...{ MaxConcurrency: '25%', MaxErrors: '100%', TimeoutSeconds: 600 },
      CloudWatchOutputConfig: { CloudWatchOutputEnabled: true, CloudWatchLogGroupName: '/backups' },
    },
  ])
})

test('hosts are listed page by page, with what their steps came to', async () => {
  const { commandId } = await service().send(plan, 'why', signal)
  await service().describe(commandId, signal)
  const listed: Invocation[] = []
  for await (const each of service().listInvocations(commandId, signal)) listed.push(each)
  expect(listed.map(({ instanceId, name, status }) => [instanceId, name, status])).toEqual([
    [A, 'web-1', 'Success'],
    [B, '', 'Success'],
  ])
  expect(listed[0]?.steps).toMatchObject([{ name: 'backup', status: 'Success', exitStatus: 0, output: 'done' }])
  expect(manager.asked.filter((action) => action === 'ListCommandInvocations')).toHaveLength(2)
})

test('a command that was refused for its rate is sent again, until it is sent', async () => {
  manager.fail('SendCommand', { error: 'ThrottlingException', times: 3 })
  await service().send(plan, 'why', signal)
  expect(manager.asked).toEqual(Array(4).fill('SendCommand'))
  expect(manager.sent).toHaveLength(1)
})

test('and where that never ends, it is told so', async () => {
  manager.fail('SendCommand', { error: 'ThrottlingException', times: 100 })
  expect(await refusalOf(service().send(plan, 'why', signal))).toMatchObject({
    code: 'SSM_FAILED',
    message: expect.stringContaining('ThrottlingException'),
  })
})

test('a command whose answer is lost is not sent a second time', async () => {
  manager.fail('SendCommand', { done: true })
  expect((await refusalOf(service().send(plan, 'why', signal))).code).toBe('ENDPOINT_UNREACHABLE')
  expect(manager.asked).toEqual(['SendCommand'])
})

test.each([
  ['InvalidDocument', 'SSM_FAILED', '--stack'],
  ['InvalidParameters', 'SSM_FAILED', 'deploy the stack'],
  ['InvalidInstanceId', 'SSM_FAILED', 'not managed'],
  ['AccessDeniedException', 'ACCESS_DENIED', 'BackupCommands'],
  ['ExpiredTokenException', 'CREDENTIALS_EXPIRED', 'aws sso login'],
  ['UnrecognizedClientException', 'ACCESS_DENIED', 'get-caller-identity'],
])('%s is told in words that help', async (error, code, hint) => {
  manager.fail('SendCommand', { error })
  expect(await refusalOf(service().send(plan, 'why', signal))).toMatchObject({
    code,
    message: expect.stringContaining(error),
    hint: expect.stringContaining(hint),
  })
})

test('statuses are told alike however they are written, and half a success is none', async () => {
  const life = (status: string, details: string): StandInHost => ({ life: [{ status, details }] })
  const odd: Record<string, StandInHost> = {
    [A]: life('TimedOut', 'Delivery Timed Out'),
    [B]: life('InProgress', 'Success'),
    'i-0cccccccccccccccc': life('Success', ''),
  }
  await using others = await startSystemsManager(odd)
  const there = runCommand({
    ...{ region: 'eu-west-1', endpointUrl: others.url },
    credentials: () => Promise.resolve({ accessKeyId: 'x', secretAccessKey: 'x' }),
  })
  const all = { ...plan, targets: { kind: 'hosts' as const, instanceIds: Object.keys(odd) } }
  const { commandId } = await there.send(all, 'why', signal)
  const statuses: string[] = []
  for await (const { status } of there.listInvocations(commandId, signal)) statuses.push(status)
  expect(statuses).toEqual(['DeliveryTimedOut', 'InProgress', 'Success'])
})
