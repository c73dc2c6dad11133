/** What is told of a restore before it is done: what it would bring, cost, wait for, and not do. */
import { describePlan } from '../../agent/restore/dry-run-report'
import type { RestoreTask } from '../../agent/restore/restore-task'
import { volumeBackupOf } from '../support/manifest'
import { requestOf } from '../support/request'
import { bare, catalogOf, different, dir, file, having, planOf } from './plan-fixture'

const run = { run: 'R', host: 'db-1', absent: [], warned: [] }
const request = requestOf('restore', 'db-1', '--target', '/target', '--dry-run')
const APP = catalogOf(dir('.'), dir('app'), file('app/conf', 100))

const segmentIn = (storageClass: string, retrieval: 'readable' | 'archived' | 'retrieving' = 'readable') => ({
  ...{ segment: volumeBackupOf().archive.segments[0]!, storageClass, retrieval },
})

async function taskOf(changes: Partial<RestoreTask> = {}, plan = planOf(APP)): Promise<RestoreTask> {
  const task = {
    selection: { volume: volumeBackupOf({ mountPoint: '/srv' }), paths: [], mountPoints: [], restoredMountPoints: [] },
    ...{ target: { ...bare, directory: '/target/srv' }, staged: false, plan: await plan },
    ...{ fetch: { requests: 1, bytes: 2048, segments: [0] }, states: [segmentIn('STANDARD')] },
    ...changes,
  }
  // Neither is told of.
  return task as typeof task & Pick<RestoreTask, 'catalog' | 'table'>
}

test('what comes back, from where, and what it takes', async () => {
  const { status, summary, json } = describePlan(run, request, [await taskOf()])
  expect(status).toBe(0)
  expect(summary.split('\n')).toEqual([
    'Restore of R of db-1, nothing was changed',
    expect.stringMatching(/^ {2}\/srv -> \/target\/srv +3 entries +2 KiB in 1 request +12 KiB on disk$/),
    '  /srv is stored in STANDARD',
  ])
  expect(json).toMatchObject({
    ...{ run: 'R', host: 'db-1', absent: [], warned: [] },
    volumes: [
      {
        mountPoint: '/srv',
        directory: '/target/srv',
        entries: 3,
        kept: 0,
        sizeBytes: 12_288,
        conflictEntries: 0,
        frozen: 0,
      },
    ],
  })
})

test('what is there already is named as it is on the host, and is no failure of something that is not done', async () => {
  const into = having({
    '.': different({ isDirectory: true }),
    app: different({ isDirectory: true }),
    'app/conf': different(),
  })
  const { status, summary, json } = describePlan(run, request, [await taskOf({}, planOf(APP, { into }))])
  expect([status, summary]).toEqual([0, expect.stringMatching(/already.*: \/srv\/app\/conf$/m)])
  expect(json).toMatchObject({ volumes: [{ conflicts: ['app/conf'], conflictEntries: 1, entries: 0 }] })
})

test('what would not come back is told with the reason', async () => {
  const lost = [{ offset: 2048, bytes: 1 }]
  const { summary, json } = describePlan(run, request, [await taskOf({}, planOf(APP, { lost }))])
  expect(summary).toMatch(/^ {4}LOST \/srv\/app\/conf$/m)
  expect(json).toMatchObject({ volumes: [{ lost: ['app/conf'], lostEntries: 1 }] })
})

describe('what is in Glacier', () => {
  const states = [segmentIn('GLACIER', 'archived'), segmentIn('GLACIER', 'retrieving'), segmentIn('GLACIER')]

  test.each([
    [[], '3 to 5 hours with standard'],
    [['--thaw', 'bulk'], '5 to 12 hours with bulk'],
  ])('has to be thawed first, as far as it is not: %j', async (options, time) => {
    const asked = requestOf('restore', 'db-1', '--target', '/target', '--dry-run', ...options)
    const { summary, json } = describePlan(run, asked, [await taskOf({ states })])
    expect(summary).toContain(`    2 objects have to be thawed first: ${time}`)
    expect(summary).toContain('  /srv is stored in GLACIER\n')
    expect(json).toMatchObject({ volumes: [{ frozen: 2, storageClasses: ['GLACIER'] }] })
  })

  test('does not matter where nothing of it is needed', async () => {
    const { summary } = describePlan(run, request, [await taskOf({ states: [] })])
    expect(summary).toContain('  /srv is stored in nothing that is needed')
    expect(summary).not.toContain('thawed')
  })
})

test('volumes that the run does not have are told of, each with the reason', () => {
  const absent = [{ mountPoint: '/db', why: 'failed to be backed up: its snapshot overflowed', failed: true }]
  expect(describePlan({ ...run, absent }, request, []).summary).toContain(
    '  not in this run: /db failed to be backed up: its snapshot overflowed',
  )
})
