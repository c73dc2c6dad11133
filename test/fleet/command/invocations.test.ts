import {
  countHosts,
  foldTable,
  hasSucceeded,
  isFinished,
  startTable,
  type CommandTable,
} from '../../../fleet/command/invocations'
import type { Invocation, SentCommand } from '../../../fleet/command/systems-manager'

const sent: SentCommand = {
  ...{ commandId: 'c', document: 'Snapstream-Backup', comment: '', status: 'Pending', targetCount: 0 },
  ...{ requestedAt: new Date(0), expiresAt: new Date(3600_000) },
}
const command = (status: string, targetCount: number): SentCommand => ({ ...sent, status, targetCount })
const on = (instanceId: string, status: string): Invocation => ({ instanceId, status, name: '', trace: '', steps: [] })
const begun = startTable(sent)
const fold = (table: CommandTable, of: SentCommand | undefined, hosts: Invocation[], seconds = 10) =>
  foldTable(table, of, hosts, seconds * 1000)

test('hosts show late, one by one, and the command is not over before all have', () => {
  const nothing = fold(begun, undefined, [])
  expect(countHosts(nothing)).toEqual({ pending: 0, running: 0, done: 0, failed: 0, unseen: 0 })
  expect(isFinished(nothing, 10_000)).toBe(false)
  const one = fold(nothing, command('InProgress', 3), [on('a', 'Success')])
  expect(countHosts(one)).toMatchObject({ done: 1, unseen: 2 })
  expect(isFinished(one, 10_000)).toBe(false)
  const all = fold(one, command('Success', 3), [on('a', 'Success'), on('b', 'Success'), on('c', 'Success')])
  expect([isFinished(all, 10_000), hasSucceeded(all)]).toEqual([true, true])
})

test('a list that breaks off forgets nobody, and who had ended is not at work again', () => {
  const all = fold(begun, command('InProgress', 2), [on('a', 'Success'), on('b', 'InProgress')])
  const part = fold(all, command('InProgress', 2), [on('a', 'InProgress')])
  expect(countHosts(part)).toMatchObject({ done: 1, running: 1, unseen: 0 })
})

test('a command that is called ended waits a minute for hosts that have not shown, which then are not known', () => {
  const short = fold(begun, command('Success', 2), [on('a', 'Success')], 10)
  expect(isFinished(short, 60_000)).toBe(false)
  const again = fold(short, command('Success', 2), [on('a', 'Success')], 69)
  expect([isFinished(again, 71_000), hasSucceeded(again)]).toEqual([true, false])
})

test('a host that is at work when the command has ended for long is no success', () => {
  const table = fold(begun, command('Success', 2), [on('a', 'Success'), on('b', 'InProgress')], 10)
  expect([isFinished(table, 71_000), hasSucceeded(table)]).toEqual([true, false])
})

test('a tag that no host bears is no success', () => {
  const none = fold(begun, command('NoInstancesInTag', 0), [])
  expect([isFinished(none, 10_000), hasSucceeded(none)]).toEqual([true, false])
})

test.each([
  'Undeliverable',
  'DeliveryTimedOut',
  'ExecutionTimedOut',
  'Terminated',
  'Cancelled',
  'Failed',
  'AccessDenied',
])('%s is a failure, though the command as a whole is called a success', (status) => {
  const table = fold(begun, command('Success', 2), [on('a', 'Success'), on('b', status)])
  expect(countHosts(table)).toMatchObject({ done: 1, failed: 1 })
  expect([isFinished(table, 10_000), hasSucceeded(table)]).toEqual([true, false])
})

test('a status that nobody knows yet is neither done nor over', () => {
  const table = fold(begun, command('Success', 1), [on('a', 'Paused')])
  expect(countHosts(table)).toMatchObject({ running: 1, done: 0 })
  expect([isFinished(table, 20_000), hasSucceeded(table)]).toEqual([false, false])
})

test('a command that never ends is given up some time after it has expired', () => {
  const table = fold(begun, command('InProgress', 1), [on('a', 'InProgress')])
  expect(isFinished(table, 3600_000)).toBe(false)
  expect([isFinished(table, 4_500_000), hasSucceeded(table)]).toEqual([true, false])
})
