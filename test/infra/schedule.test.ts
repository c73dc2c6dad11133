import type { RetentionClass } from '../../infra/retention'
import { DOCUMENTS_DIRECTORY } from '../../infra/documents'
import { checkSchedules, type Schedule } from '../../infra/schedule'
import { readDocument } from '../../infra/ssm-document'

const retention: RetentionClass[] = [{ name: 'daily', expireAfterDays: 35 }]
const backup = readDocument(DOCUMENTS_DIRECTORY, 'Backup')
const check = (...schedules: readonly Schedule[]) => checkSchedules(schedules, retention, backup)
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
])('%j is a schedule', (more) => {
  expect(check({ ...nightly, ...more })).toEqual([])
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
])('%j is refused: %s', (more, expected) => {
  expect(check({ ...nightly, ...more }).join('\n')).toContain(expected)
})

test('two schedules of one name are refused', () => {
  expect(check(nightly, nightly)).toEqual([expect.stringContaining("'nightly' is defined twice")])
})
