import { foldTable, startTable } from '../../../fleet/command/invocations'
import { reportCommand } from '../../../fleet/command/final-report'
import type { Invocation } from '../../../fleet/command/systems-manager'

const sent = {
  ...{ commandId: 'c', document: 'Snapstream-Backup', comment: '', status: 'Failed', targetCount: 0 },
  requestedAt: new Date(0),
}
const on = (instanceId: string, status: string, output = ''): Invocation => ({
  ...{ instanceId, status, name: '', trace: '', steps: [{ name: 'backup', status, output }] },
})
function report(hosts: Invocation[], status = 'Failed', targetCount = hosts.length) {
  const table = foldTable(startTable(sent), { ...sent, status, targetCount }, hosts, 0)
  const why = { reason: 'no credentials', hint: 'Attach a profile.' }
  const rows = [...table.rows.values()].map((row) => (row.phase === 'done' ? { row } : { row, why }))
  return reportCommand(table, rows, 90_000)
}

test('all done is told in a line each', () => {
  expect(report([on('i-1', 'Success', 'Backup a: COMPLETE\n')], 'Success')).toMatchObject({
    status: 0,
    summary: 'Snapstream-Backup c: 1 done, 0 failed, after 1 min 30 s\n  i-1    Backup a: COMPLETE',
    json: { ok: true, done: 1, hosts: [{ host: 'i-1', phase: 'done', summary: 'Backup a: COMPLETE' }] },
  })
})

test('who failed for one reason is told together, and what to do once', () => {
  const hosts = [...Array.from({ length: 12 }, (_, i) => on(`i-${i}`, 'Failed')), on('i-good', 'Success')]
  const { status, summary, json } = report(hosts)
  expect(status).toBe(3)
  expect(summary.split('\n').slice(1, 3)).toEqual([
    '  FAILED i-0, i-1, i-2, i-3, i-4, i-5, i-6, i-7, i-8, i-9 and 2 more: no credentials',
    '    HINT: Attach a profile.',
  ])
  expect((json.hosts as unknown[]).length).toBe(13)
})

test('nothing done at all is a failure', () => {
  expect(report([on('i-1', 'Failed')]).status).toBe(1)
})

test('a tag that no host bears is a failure, whatever the command is called', () => {
  const { status, summary } = report([], 'NoInstancesInTag')
  expect(status).toBe(1)
  expect(summary).toContain('FAILED no managed host has this tag')
  expect(report([], 'Success').status).toBe(1)
})

test('hosts that were counted and never listed are unknown, and no success', () => {
  const { status, summary, json } = report([on('i-1', 'Success')], 'Success', 3)
  expect(status).toBe(3)
  expect(summary).toContain('UNKNOWN 2 hosts that Systems Manager counts, and does not list')
  expect(json).toMatchObject({ ok: false, unseen: 2 })
})

test('what is not over is unknown rather than failed', () => {
  expect(report([on('i-1', 'Paused')]).summary).toContain('  UNKNOWN i-1: no credentials')
})
