import type { RetentionClass } from '../../infra/retention'
import { checkSchedules, type Schedule } from '../../infra/schedule'

const retention: RetentionClass[] = [
  { name: 'daily', expireAfterDays: 35 },
  { name: 'frozen', expireAfterDays: 400, storageClass: 'DEEP_ARCHIVE' },
]
const nightly: Schedule = {
  name: 'nightly',
  cron: 'cron(0 2 ? * * *)',
  class: 'daily',
  tag: { key: 'Backup', value: 'true' },
}

test.each<Partial<Schedule>>([
  {},
  { cron: 'rate(12 hours)' },
  { cron: 'cron(30 23 ? * SUN#1 *)' },
  { cron: 'cron(15 10 ? * FRI *)', timezone: 'Europe/Berlin' },
  { kind: 'association' },
  { maxConcurrency: '10', maxErrors: '0' },
  { durationHours: 24, cutoffHours: 23, jitterMinutes: 120 },
  { verify: 'source', sample: '1/7' },
  { verify: 'stream' },
])('%j is a schedule', (more) => {
  expect(checkSchedules([{ ...nightly, ...more }], retention)).toEqual([])
})

test.each<[Partial<Schedule>, string]>([
  [{ name: 'every night' }, 'the name does not match'],
  [{ cron: '0 2 * * *' }, "'0 2 * * *' is no schedule: write it like cron(0 2 ? * * *)"],
  [{ cron: 'rate(0 hours)' }, 'is no schedule'],
  [{ timezone: 'Mars/Olympus' }, "'Mars/Olympus' is no time zone"],
  [{ kind: 'association', timezone: 'Europe/Berlin' }, 'State Manager knows UTC only'],
  [{ class: 'hourly' }, "there is no retention class 'hourly': use one of daily"],
  [{ tag: { key: 'Backup', value: '' } }, 'the tag is empty'],
  [{ durationHours: 25 }, 'durationHours is 25: use 1 to 24'],
  [{ durationHours: 2, cutoffHours: 2 }, 'cutoffHours is 2: use 0 to 1'],
  [{ maxConcurrency: '0' }, "maxConcurrency is '0'"],
  [{ maxErrors: '101%' }, "maxErrors is '101%'"],
  [{ jitterMinutes: 121 }, 'jitterMinutes is 121: use 0 to 120'],
  [{ verify: 'source', sample: '8/7' }, "sample is '8/7': use a share such as 1/7"],
  [{ verify: 'source', sample: '1/1001' }, "sample is '1/1001'"],
  [{ sample: '1/7' }, "verify 'checksum' compares nothing: use 'source'"],
  [{ class: 'frozen', verify: 'stream' }, "verify 'stream' cannot read back what goes to DEEP_ARCHIVE"],
])('%j is refused: %s', (more, expected) => {
  expect(checkSchedules([{ ...nightly, ...more }], retention).join('\n')).toContain(expected)
})

test('two schedules of one name are refused', () => {
  expect(checkSchedules([nightly, nightly], retention)).toEqual([expect.stringContaining("'nightly' is defined twice")])
})
