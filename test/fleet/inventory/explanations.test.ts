import { AgentError } from '../../../agent/errors'
import { neverAborted } from '../../../agent/lib/never-aborted'
import type { Account, Invocation, WindowExecution } from '../../../fleet/inventory/account'
import { readExplanations, type ExplanationCase } from '../../../fleet/inventory/explanations.io'
import { fleetConfigSchema } from '../../../fleet/model/config'
import type { ExpectedHost, HostHistory } from '../../../fleet/model/records'
import { silentLog } from '../../support/log'

const PLACE = { account: '111122223333', region: 'eu-west-1' }
const NOW = 1_800_000_000
const NIGHT = NOW - 10 * 3600
const arn = (id: string) => `arn:aws:ec2:eu-west-1:111122223333:instance/${id}`
const config = fleetConfigSchema.parse({
  classes: [],
  schedules: [{ name: 'nightly', class: 'daily', tag: { key: 'Snapstream', value: 'daily' } }],
})

const hostOf = (id: string, changes: Partial<ExpectedHost> = {}): ExpectedHost => ({
  ...{ host: arn(id), ...PLACE, power: 'running', expectedBy: ['tag'], classes: ['daily'] },
  ...changes,
})

const invocation = (nodeId: string, changes: Partial<Invocation> = {}): Invocation => ({
  ...{ commandId: 'c-1', nodeId, document: 'Vault-Backup', comment: 'Snapstream nightly', requestedAt: NIGHT },
  ...{ status: 'Failed', statusDetails: 'Failed' },
  ...changes,
})

const execution = (changes: Partial<WindowExecution> = {}): WindowExecution => ({
  ...{ window: 'nightly', startedAt: NIGHT, status: 'SUCCESS', statusReason: '', commandIds: ['c-1'] },
  ...changes,
})

/** A host with one run of that time. */
function ranAt(id: string, writtenAt: number): readonly [string, HostHistory] {
  const sizes = { volumes: 1, objects: 2, entries: 1, rawBytes: 1, storedBytes: 1, catalogBytes: 1, seconds: 1 }
  const run = { run: '20270115T020000Z-aaaaaa', writtenAt, state: 'complete', verified: 'stream', ...sizes } as const
  return [arn(id), { host: arn(id), classes: [{ class: 'daily', runs: [run] }] }]
}

function explain(
  account: Partial<Account>,
  hosts: readonly ExpectedHost[] = [],
  histories: readonly (readonly [string, HostHistory])[] = [],
) {
  const none = () => Promise.resolve([])
  const silent: Account = {
    ...{ findTagged: none, findInstances: none, listManagedNodes: none },
    ...{ listFailedInvocations: none, listInvocations: none, listWindowExecutions: none },
  }
  const given: ExplanationCase = {
    ...{ config, now: NOW, histories: new Map(histories), inventory: { hosts, accounts: [PLACE] } },
    accounts: [{ place: PLACE, account: { ...silent, ...account } }],
  }
  return readExplanations({ log: silentLog, signal: neverAborted() }, given)
}

test.each([
  ['Undeliverable', 'undeliverable'],
  ['Delivery Timed Out', 'undeliverable'],
  ['DeliveryTimedOut', 'undeliverable'],
  ['Terminated', 'cancelled'],
  ['Execution Timed Out', 'timed-out'],
  ['TimedOut', 'timed-out'],
  ['Cancelled', 'cancelled'],
  ['Failed', 'failed'],
  ['Access Denied', 'failed'],
])('a command that ended as %s was %s', async (statusDetails, what) => {
  const [found] = await explain({ listFailedInvocations: async () => [invocation('i-1', { statusDetails })] })
  expect(found).toEqual({ host: arn('i-1'), class: 'daily', at: NIGHT, what, detail: `${statusDetails}, command c-1` })
})

test('commands of other documents explain no backup; one that people sent is of any class', async () => {
  const sent = [
    invocation('i-1', { document: 'AWS-RunPatchBaseline' }),
    invocation('mi-1'),
    invocation('i-2', { comment: 'by hand' }),
  ]
  expect(await explain({ listFailedInvocations: async () => sent })).toEqual([
    { host: arn('i-2'), at: NIGHT, what: 'failed', detail: 'Failed, command c-1' },
  ])
})

test('only what is of the last three nights is asked for', async () => {
  const asked: number[] = []
  await explain({ listFailedInvocations: async (since) => (asked.push(since), []) })
  expect(asked).toEqual([NOW - 72 * 3600])
})

test('a running host that the last window did not reach, and that has no run since, is told of', async () => {
  const hosts = [
    hostOf('i-1'),
    hostOf('i-2'),
    hostOf('i-3'),
    hostOf('i-4', { power: 'stopped' }),
    hostOf('i-5', { classes: [] }),
  ]
  const account = {
    listWindowExecutions: async () => [execution({ startedAt: NIGHT - 86_400, commandIds: ['c-0'] }), execution()],
    listInvocations: async (id: string) => (id === 'c-1' ? [invocation('i-1')] : []),
  }
  expect(await explain(account, hosts, [ranAt('i-2', NIGHT + 60), ranAt('i-3', NIGHT - 60)])).toEqual([
    { host: arn('i-3'), class: 'daily', at: NIGHT, what: 'no-invocation', detail: 'window of nightly, SUCCESS' },
  ])
})

test('where the window closed before all had their turn, that is why', async () => {
  const cut = execution({ status: 'TIMED_OUT', statusReason: 'cut\noff' })
  const [found] = await explain({ listWindowExecutions: async () => [cut] }, [hostOf('i-1')])
  expect(found).toMatchObject({ what: 'cut-off', detail: 'window of nightly, TIMED_OUT: cut | off' })
})

test('a window that has just opened has failed nobody, and where all have runs nothing more is asked', async () => {
  const listInvocations = () => Promise.reject(new Error('nobody asks'))
  const opened = { listInvocations, listWindowExecutions: async () => [execution({ startedAt: NOW - 3600 })] }
  expect(await explain(opened, [hostOf('i-1')])).toEqual([])
  const over = { listInvocations, listWindowExecutions: async () => [execution()] }
  expect(await explain(over, [hostOf('i-1')], [ranAt('i-1', NIGHT + 60)])).toEqual([])
})

test('what may not be asked explains nothing, and keeps nothing else from being known', async () => {
  const denied = () => Promise.reject(new AgentError('ACCESS_DENIED', 'no', { hint: '' }))
  const account = { listFailedInvocations: denied, listWindowExecutions: async () => [execution()] }
  expect(await explain(account, [hostOf('i-1')])).toHaveLength(1)
})
