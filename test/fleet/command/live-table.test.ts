import { foldTable, startTable, type CommandTable } from '../../../fleet/command/invocations'
import { formatLiveTable } from '../../../fleet/command/live-table'
import type { Invocation, StepResult } from '../../../fleet/command/systems-manager'

const ROOM = { columns: 80, rows: 24 }
const sent = {
  ...{ commandId: '01234567-89ab-cdef-0123-456789abcdef', document: 'Snapstream-Backup', comment: '' },
  ...{ status: 'InProgress', targetCount: 0, requestedAt: new Date(0) },
}
const step = (more: Partial<StepResult>): StepResult => ({ name: 'backup', status: 'InProgress', output: '', ...more })
const on = (instanceId: string, status: string, ...steps: StepResult[]): Invocation => ({
  ...{ instanceId, status, name: `name-of-${instanceId}`, trace: '', steps },
})
const table = (hosts: Invocation[], targetCount = hosts.length): CommandTable =>
  foldTable(startTable(sent), { ...sent, targetCount }, hosts, 0)
const NONE = new Map<string, string>()

test('those at work come first, with how long and how far; then who waits, failed, and is done', () => {
  const hosts = [
    on('i-1', 'Success', step({ status: 'Success', output: 'Backup x of y: COMPLETE\n  /srv' })),
    on('i-2', 'ExecutionTimedOut'),
    on('i-3', 'Pending'),
    on('i-4', 'InProgress', step({ startedAt: new Date(60_000) })),
  ]
  expect(formatLiveTable(table(hosts, 5), new Map([['i-4', '/srv: archiving']]), undefined, 200_000, ROOM)).toEqual([
    'Snapstream-Backup 01234567-89ab-cdef-0123-456789abcdef',
    '1 done, 1 failed, 1 running, 1 pending, 1 not listed yet, after 3 min 20 s',
    '  i-4  name-of-i-4  running  2 min 20 s  /srv: archiving',
    '  i-3  name-of-i-3  pending',
    '  i-2  name-of-i-2  failed               ExecutionTimedOut',
    '  i-1  name-of-i-1  done                 Backup x of y: COMPLETE',
  ])
})

test('of a document of several steps, which one is at work', () => {
  const steps = [
    step({ name: 'useInstalled', status: 'Success' }),
    step({ name: 'installAgent', startedAt: new Date(0) }),
  ]
  expect(formatLiveTable(table([on('i-1', 'InProgress', ...steps)]), NONE, undefined, 0, ROOM)[2]).toBe(
    '  i-1  name-of-i-1  running  0.0 s  installAgent',
  )
})

test('of more hosts than there is room for, some and how many more', () => {
  const hosts = Array.from({ length: 300 }, (_, i) => on(`i-${i}`, i < 3 ? 'InProgress' : 'Pending'))
  const lines = formatLiveTable(table(hosts), NONE, undefined, 0, { columns: 80, rows: 10 })
  expect(lines).toHaveLength(8)
  expect(lines.at(-1)).toBe('  … and 295 more hosts')
})

test('that Systems Manager cannot be asked is said below', () => {
  const lines = formatLiveTable(table([]), NONE, 'ListCommands failed: \u001b[2Jno route', 0, ROOM)
  expect(lines.at(-1)).toBe('  ListCommands failed: ?[2Jno route')
  expect(lines[1]).toContain('hosts are being looked up')
})

test('what a host printed neither moves the cursor nor breaks a line', () => {
  const output = `\u001b[2J${'x'.repeat(500)}\nobey`
  const lines = formatLiveTable(table([on('i-1', 'Success', step({ output }))]), NONE, undefined, 0, ROOM)
  for (const line of lines) {
    expect(line.length).toBeLessThanOrEqual(80)
    expect(line).not.toMatch(/[\u001b\n]/)
  }
})
