import { hostsToStop } from '../../../fleet/command/hosts-to-stop'
import type { Invocation } from '../../../fleet/command/systems-manager'

const on = (instanceId: string, status: string, startedAt?: Date): Invocation => ({
  ...{ instanceId, status, name: '', trace: '' },
  steps: startedAt ? [{ name: 'backup', status, output: '', startedAt }] : [],
})

test('who was at work, who began meanwhile, and nobody else', () => {
  const before = [on('working', 'InProgress'), on('waiting', 'Pending'), on('late', 'Pending'), on('done', 'Success')]
  const after = [
    on('working', 'Cancelled'),
    on('waiting', 'Cancelled'),
    on('late', 'Cancelled', new Date()),
    on('done', 'Success', new Date()),
    on('stopping', 'Cancelling'),
  ]
  expect(hostsToStop(before, after)).toEqual(['working', 'stopping', 'late'])
})
