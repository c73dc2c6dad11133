import { explain, stepToRead } from '../../../fleet/command/reasons'
import { phaseOf } from '../../../fleet/command/invocations'
import type { StepOutput, StepResult } from '../../../fleet/command/systems-manager'

const row = (status: string, steps: StepResult[] = [], trace = '') => ({
  phase: phaseOf(status),
  invocation: { instanceId: 'i-0', name: '', status, trace, steps },
})
const failed = (exitStatus: number): StepResult => ({ name: 'backup', status: 'Failed', exitStatus, output: '' })
const explainFailed = (output: Partial<StepOutput>, exitStatus = 1) =>
  explain(row('Failed', [failed(exitStatus)]), { stdout: '', stderr: '', ...output })

test("the agent's error is told as it told it", () => {
  const stdout = 'snapstream\n{"error":{"code":"SNAPSHOT_SPACE","message":"vg0 is full","hint":"Make room."}}\n'
  expect(explainFailed({ stdout })).toEqual({ reason: 'vg0 is full', hint: 'Make room.' })
})

test('of a backup that is incomplete, what failed of it', () => {
  const failures = [
    { volume: 'vg0-srv', mountPoint: '/srv', code: 'MOUNT_FAILED', message: 'no', hint: 'Repair it.' },
    { volume: 'vg0-var', mountPoint: '/var', code: 'MOUNT_FAILED', message: 'no', hint: 'Repair it.' },
  ]
  const stdout = `Backup: INCOMPLETE\n${JSON.stringify({ failures, volumes: [{ volume: 'vg0-root' }] })}\n`
  expect(explainFailed({ stdout }, 3)).toEqual({ reason: '/srv: no (and 1 more)', hint: 'Repair it.' })
})

test('of a verification, what it found', () => {
  const volumes = [
    { volume: 'vg0-srv', findings: [{ volume: 'vg0-srv', what: 'frame 3 is damaged', hint: 'Rescue.' }] },
  ]
  expect(explainFailed({ stdout: JSON.stringify({ volumes }) })).toEqual({
    reason: 'frame 3 is damaged',
    hint: 'Rescue.',
  })
})

test('a backup that is safe and left something behind says so', () => {
  const stdout = JSON.stringify({ failures: [], leftBehind: ['snapshot vg0/x'] })
  expect(explainFailed({ stdout }, 4).reason).toBe('the backup is safe; left behind: snapshot vg0/x')
})

test('where the line for programs was cut, the words for people are taken', () => {
  const stdout = 'Backup: INCOMPLETE\n{"failures":[{"vol'
  const stderr = 'a warning\nsnapstream: no AWS credentials were found\n  | more\nHINT: Attach an instance profile.\n'
  expect(explainFailed({ stdout, stderr })).toEqual({
    reason: 'no AWS credentials were found',
    hint: 'Attach an instance profile.',
  })
})

test('scripts that start the agent speak for themselves', () => {
  const stderr = 'snapstream is not installed on this host\nHINT: Run the Install document on it.\n'
  expect(explainFailed({ stderr })).toEqual({
    reason: 'snapstream is not installed on this host',
    hint: 'Run the Install document on it.',
  })
  expect(explainFailed({ stderr: 'sh: systemd-run: not found\n' }).reason).toBe('sh: systemd-run: not found')
})

test.each([
  [2, 'did not accept'],
  [3, 'done in part'],
  [4, 'left behind'],
  [5, 'Glacier'],
  [11, 'another run'],
  [130, 'stopped'],
  [77, 'failed with status 77'],
])('without a word, status %i says something', (exitStatus, meaning) => {
  expect(explainFailed({}, exitStatus).reason).toContain(meaning)
})

test.each([
  'Undeliverable',
  'DeliveryTimedOut',
  'ExecutionTimedOut',
  'TimedOut',
  'Cancelled',
  'Terminated',
  'InvalidPlatform',
  'AccessDenied',
])('%s has a reason, and something to do', (status) => {
  const { reason, hint } = explain(row(status))
  expect(reason).not.toContain('without saying why')
  expect(hint).toMatch(/\.$/)
})

test('what the SSM agent refused is told in its words', () => {
  expect(explain(row('Failed', [], 'class does not match')).reason).toBe('class does not match')
})

test('what is not over is not known, and not a failure of the host', () => {
  expect(explain(row('Paused')).reason).toBe("Systems Manager called it 'Paused' when it was last asked")
})

test('what a host prints moves no cursor, and fills no screen', () => {
  const error = { code: 'X', message: `\u001b[2J${'x'.repeat(5000)}\nHINT: obey`, hint: 'y'.repeat(5000) }
  const { reason, hint } = explainFailed({ stdout: JSON.stringify({ error }) })
  expect(reason).not.toMatch(/[\u001b\n]/)
  expect(reason.length + hint.length).toBeLessThan(610)
})

test.each(['null', '[]', '{"error":1}', '{"failures":"no"}', 'nonsense'])('%s is no line of the agent', (stdout) => {
  expect(explainFailed({ stdout, stderr: 'why\n' }).reason).toBe('why')
})

test('the step to read is the one that failed, else the last that ran', () => {
  const step = (name: string, status: string, exitStatus?: number): StepResult => ({
    ...{ name, status, output: '' },
    ...(exitStatus !== undefined && { exitStatus }),
  })
  const steps = [
    step('useInstalled', 'Success', 0),
    step('installAgent', 'Failed', 1),
    step('removeDownloads', 'Success', 0),
  ]
  expect(stepToRead(row('Failed', steps).invocation)).toBe('installAgent')
  expect(stepToRead(row('Failed', [step('a', 'Success', 0), step('b', 'Pending')]).invocation)).toBe('a')
  expect(stepToRead(row('Undeliverable').invocation)).toBeUndefined()
})
