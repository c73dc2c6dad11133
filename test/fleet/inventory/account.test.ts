/** Systems Manager as its API reference describes it; EC2 and STS are in the system test, as moto has them. */
import { text } from 'node:stream/consumers'
import { neverAborted } from '../../../agent/lib/never-aborted'
import { accountOpener } from '../../../fleet/inventory/account.io'
import { serve, type HttpServer } from '../../support/http-server'
import type { Account } from '../../../fleet/inventory/account'

const PLACE = { account: '111122223333', region: 'eu-west-1' }
const NODE = { InstanceId: 'i-1', PingStatus: 'Online', LastPingDateTime: 1_800_000_000, ComputerName: 'db.example' }

/** What is answered to each action, page by page; and what was asked. */
type Script = Readonly<Record<string, readonly object[]>>

let server: HttpServer
afterEach(() => server[Symbol.asyncDispose]())

async function account(
  script: Script,
): Promise<{ readonly account: Account; readonly asked: (readonly [string, object])[] }> {
  const asked: (readonly [string, object])[] = []
  server = await serve((request, response) => {
    void text(request).then((body) => {
      const action = String(request.headers['x-amz-target']).split('.')[1] ?? ''
      const pages = script[action] ?? []
      const page = pages[asked.filter(([name]) => name === action).length] ?? {
        __type: 'AccessDeniedException',
        message: `${action}?`,
      }
      asked.push([action, JSON.parse(body) as object])
      response.writeHead('__type' in page ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' })
      response.end(JSON.stringify(page))
    })
  })
  const credentials = async () => ({ accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' })
  const open = accountOpener({ bucket: 'backups', credentials, signal: neverAborted(), endpointUrl: server.url })
  return { account: await open(PLACE), asked }
}

test('nodes are read page by page, Linux alone', async () => {
  const { account: here, asked } = await account({
    DescribeInstanceInformation: [
      { InstanceInformationList: [NODE], NextToken: 'more' },
      { InstanceInformationList: [], NextToken: 'still' },
      {
        InstanceInformationList: [
          { InstanceId: 'mi-1', PingStatus: 'ConnectionLost', Name: 'nas' },
          { InstanceId: 'i-2', PingStatus: 'Inactive' },
        ],
      },
    ],
  })
  expect(await here.listManagedNodes()).toEqual([
    { nodeId: 'i-1', computerName: 'db.example', ping: 'online', lastPingAt: 1_800_000_000 },
    { nodeId: 'mi-1', name: 'nas', ping: 'lost' },
    { nodeId: 'i-2', ping: 'inactive' },
  ])
  expect(asked.map(([, input]) => input)).toEqual([
    { Filters: [{ Key: 'PlatformTypes', Values: ['Linux'] }], MaxResults: 50 },
    expect.objectContaining({ NextToken: 'more' }),
    expect.objectContaining({ NextToken: 'still' }),
  ])
})

test('of commands, those are asked for that did not succeed', async () => {
  const failed = {
    CommandId: 'c-1',
    InstanceId: 'i-1',
    DocumentName: 'Vault-Backup',
    Comment: 'Snapstream nightly',
    Status: 'TimedOut',
    StatusDetails: 'DeliveryTimedOut',
    RequestedDateTime: 1_800_000_000,
  }
  const { account: here, asked } = await account({
    ListCommandInvocations: [{ CommandInvocations: [] }, { CommandInvocations: [failed] }, { CommandInvocations: [] }],
  })
  expect(await here.listFailedInvocations(1_700_000_000)).toEqual([
    {
      ...{ commandId: 'c-1', nodeId: 'i-1', document: 'Vault-Backup', comment: 'Snapstream nightly' },
      ...{ requestedAt: 1_800_000_000, status: 'TimedOut', statusDetails: 'DeliveryTimedOut' },
    },
  ])
  const filters = asked.map(([, { Filters }]: readonly [string, { Filters?: unknown }]) => Filters)
  expect(filters).toEqual(
    ['Failed', 'TimedOut', 'Cancelled'].map((value) => [
      { key: 'InvokedAfter', value: '2023-11-14T22:13:20Z' },
      { key: 'Status', value },
    ]),
  )
})

test('windows of the schedules are followed to the commands that they sent', async () => {
  const { account: here, asked } = await account({
    DescribeMaintenanceWindows: [
      {
        WindowIdentities: [
          { WindowId: 'mw-1', Name: 'Vault-nightly' },
          { WindowId: 'mw-2', Name: 'patching' },
        ],
      },
    ],
    DescribeMaintenanceWindowExecutions: [
      {
        WindowExecutions: [
          { WindowExecutionId: 'e-1', Status: 'TIMED_OUT', StatusDetails: 'cut off', StartTime: 1_800_000_000 },
        ],
      },
    ],
    DescribeMaintenanceWindowExecutionTasks: [{ WindowExecutionTaskIdentities: [{ TaskExecutionId: 't-1' }] }],
    DescribeMaintenanceWindowExecutionTaskInvocations: [
      { WindowExecutionTaskInvocationIdentities: [{ ExecutionId: 'c-1' }, {}] },
    ],
  })
  expect(await here.listWindowExecutions(['nightly'], 1_700_000_000)).toEqual([
    { window: 'nightly', startedAt: 1_800_000_000, status: 'TIMED_OUT', statusReason: 'cut off', commandIds: ['c-1'] },
  ])
  expect(asked[1]).toEqual([
    'DescribeMaintenanceWindowExecutions',
    { WindowId: 'mw-1', Filters: [{ Key: 'ExecutedAfter', Values: ['2023-11-14T22:13:20Z'] }] },
  ])
})

test.each([
  ['AccessDeniedException', 'ACCESS_DENIED'],
  ['ExpiredTokenException', 'CREDENTIALS_EXPIRED'],
  ['UnrecognizedClientException', 'ACCESS_DENIED'],
  ['InvalidFilterKey', 'SSM_FAILED'],
])('%s is told as %s, with the action', async (name, code) => {
  const { account: here } = await account({ DescribeInstanceInformation: [{ __type: name, message: 'no' }] })
  await expect(here.listManagedNodes()).rejects.toMatchObject({
    code,
    message: expect.stringMatching(`^ssm:DescribeInstanceInformation failed: ${name}: no`),
  })
})
