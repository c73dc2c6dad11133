import type { BackupOutput } from '../../agent/backup/output-schema'
import { renewMetrics, type RunEnd } from '../../agent/notify/metrics'
import { manifestOf, volumeBackupOf } from '../support/manifest'

const startedAt = new Date('2026-01-31T02:00:00Z')
const endedAt = new Date('2026-01-31T02:07:30.500Z')
const outputOf = (changes: Parameters<typeof manifestOf>[0] = {}): BackupOutput => ({
  ...{ ...manifestOf(changes), system: undefined, leftBehind: [], manifest: 'manifests/x' },
})
const good: RunEnd = { startedAt, endedAt, status: 0, output: outputOf() }
/** By name and labels. */
const valuesOf = (text: string) =>
  Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split(' ')),
  ) as Record<string, string>

test('a good backup is all there, each metric with what it is', () => {
  const text = renewMetrics('', 'daily', good)
  expect(valuesOf(text)).toEqual({
    'snapstream_last_run_end_timestamp_seconds{class="daily"}': '1769825250.5',
    'snapstream_last_run_status{class="daily"}': '0',
    'snapstream_last_run_duration_seconds{class="daily"}': '450.5',
    'snapstream_last_run_failed_volumes{class="daily"}': '0',
    'snapstream_last_run_warnings{class="daily"}': '0',
    'snapstream_last_run_filesystems_left_out{class="daily"}': '0',
    'snapstream_last_success_start_timestamp_seconds{class="daily"}': '1769824800',
    'snapstream_last_success_duration_seconds{class="daily"}': '450.5',
    'snapstream_last_success_volumes{class="daily"}': '1',
    'snapstream_last_success_entries{class="daily"}': '3',
    'snapstream_last_success_raw_bytes{class="daily"}': '20480',
    'snapstream_last_success_stored_bytes{class="daily"}': '1000',
    'snapstream_last_success_verified{class="daily"}': '1',
  })
  expect(text).toContain(
    '# HELP snapstream_last_run_status Exit status of the last backup: 0 is a whole success.\n' +
      '# TYPE snapstream_last_run_status gauge\nsnapstream_last_run_status{class="daily"} 0\n',
  )
  expect(text.endsWith('\n')).toBe(true)
})

test('a night that fails leaves the last success standing, so that its age grows', () => {
  const before = renewMetrics('', 'daily', good)
  const later = new Date('2026-02-01T02:00:10Z')
  const after = valuesOf(renewMetrics(before, 'daily', { startedAt: later, endedAt: later, status: 1 }))
  expect(after['snapstream_last_run_status{class="daily"}']).toBe('1')
  expect(after['snapstream_last_success_start_timestamp_seconds{class="daily"}']).toBe('1769824800')
  expect(after).not.toHaveProperty(['snapstream_last_run_failed_volumes{class="daily"}'])
})

test('an incomplete backup is no success, and says what is missing', () => {
  const failure = { volume: 'a', mountPoint: '/a', code: 'MOUNT_FAILED', message: '', hint: '' } as const
  const output = outputOf({
    status: 'incomplete',
    failures: [failure],
    volumes: [volumeBackupOf({ warnings: { count: 31, lines: ['x'] } })],
    notBackedUp: [{ mountPoint: '/b', device: 'b', filesystem: 'btrfs', reason: 'no source' }],
  })
  const values = valuesOf(renewMetrics('', 'daily', { startedAt, endedAt, status: 3, output }))
  expect(values).toMatchObject({
    'snapstream_last_run_failed_volumes{class="daily"}': '1',
    'snapstream_last_run_warnings{class="daily"}': '31',
    'snapstream_last_run_filesystems_left_out{class="daily"}': '1',
  })
  expect(Object.keys(values).join()).not.toContain('last_success')
})

test('each retention class has its own, in one file', () => {
  const both = renewMetrics(renewMetrics('', 'weekly', good), 'daily', good)
  const { length } = Object.keys(valuesOf(both))
  expect(length).toBe(26)
  expect(both.match(/# TYPE snapstream_last_run_status gauge/g)).toHaveLength(1)
  expect(renewMetrics(both, 'daily', good)).toBe(both)
})

test('lines that are not ours do not stay, whoever wrote them into the file', () => {
  const strange = [
    'snapstream_last_run_status{class="weekly"} 0',
    'snapstream_last_run_status{class="week\\nly"} 0',
    'snapstream_last_run_status{class="weekly"} NaN',
    'snapstream_made_up{class="weekly"} 1',
    'toString{class="weekly"} 1',
    'up 1',
  ].join('\n')
  const values = valuesOf(renewMetrics(strange, 'daily', { startedAt, endedAt, status: 1 }))
  expect(Object.keys(values).filter((name) => !name.includes('daily'))).toEqual([
    'snapstream_last_run_status{class="weekly"}',
  ])
})
