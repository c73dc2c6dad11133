/** The log of a command, as CloudWatch has it: against moto. */
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs'
import { commandLog } from '../../../fleet/command/logs.io'
import { startMoto, type RunningServer } from '../../servers'
import { refusalOf } from '../../support/refusal'

const signal = new AbortController().signal
const A = 'i-0aaaaaaaaaaaaaaaa'
const wanted = { logGroup: '/backups', commandId: 'c-1', instanceId: A, since: new Date(Date.now() - 60_000) }

let moto: RunningServer
const log = () =>
  commandLog({ region: moto.region, endpointUrl: moto.endpoint, credentials: () => Promise.resolve(moto) })

beforeAll(async () => {
  moto = await startMoto()
  const client = new CloudWatchLogsClient({ region: moto.region, endpoint: moto.endpoint, credentials: moto })
  const logGroupName = '/backups'
  await client.send(new CreateLogGroupCommand({ logGroupName }))
  const put = async (logStreamName: string, ...messages: string[]) => {
    await client.send(new CreateLogStreamCommand({ logGroupName, logStreamName }))
    const logEvents = messages.map((message, index) => ({ message, timestamp: Date.now() - 1000 + index }))
    await client.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }))
  }
  await put(`c-1/${A}/backup/stderr`, 'first', 'last')
  await put(`c-1/${A}/backup/stdout`, 'summary', 'summary', 'summary')
  await put('c-1/i-0bbbbbbbbbbbbbbbb/backup/stderr', 'of another host')
  await put(`c-2/${A}/backup/stderr`, 'of another command')
})
afterAll(() => moto.stop())

test('the last that this host wrote to standard error for this command', async () => {
  expect(await log().lastLine(wanted, signal)).toBe('last')
})

test('nothing yet', async () => {
  expect(await log().lastLine({ ...wanted, commandId: 'c-3' }, signal)).toBeUndefined()
})

test('a log group that is not there', async () => {
  expect((await refusalOf(log().lastLine({ ...wanted, logGroup: '/none' }, signal))).message).toContain(
    'FilterLogEvents failed',
  )
})
