import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RetentionClass } from '../../infra/retention'
import { DOCUMENTS_DIRECTORY } from '../../infra/documents'
import { checkSchedules, type Schedule } from '../../infra/schedule'
import { backupParameters } from '../../infra/schedule-options'
import { readDocument } from '../../infra/ssm-document'

const retention: RetentionClass[] = [
  { name: 'daily', expireAfterDays: 35 },
  { name: 'frozen', expireAfterDays: 400, storageClass: 'DEEP_ARCHIVE' },
]
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
  { verify: 'source', sample: '1/7' },
  { verify: 'stream' },
  { volumes: ['/', '/srv'], bandwidthLimit: '50M', executionTimeout: 86_400 },
  { excludeVolumes: ['/tmp'] },
  { volumes: undefined as never },
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
  [{ verify: 'source', sample: '8/7' }, "sample is '8/7': use a fraction such as 1/7"],
  [{ verify: 'source', sample: '1/1001' }, "sample is '1/1001'"],
  [{ sample: '1/7' }, '--verify checksum compares nothing with the source. Give --verify source too'],
  [{ class: 'frozen', verify: 'stream' }, '--verify stream cannot read back what --storage-class DEEP_ARCHIVE has'],
  [{ verify: 'deep' as never }, "verify is 'deep': use one of none, checksum, stream, source"],
  [{ bandwidthLimit: '50K' }, "bandwidthLimit is '50K': use a size per second of at least 64K, such as 50M"],
  [{ volumes: '/srv' as never }, "volumes is '/srv': use a list, each item an absolute path such as /srv"],
  [{ volumes: ['srv'] }, 'volumes is ["srv"]: use a list, each item an absolute path such as /srv'],
  [{ volumes: ['/srv,/home'] }, `volumes is ["/srv,/home"]: no item can have a ',' in it`],
  [{ volumes: ["/srv/'$(id)'"] }, "volumes is '/srv/'$(id)'', and the Backup document takes ^("],
  [{ volumes: ['/srv'], excludeVolumes: ['/tmp'] }, '--volumes and --exclude-volumes are both given'],
  [{ executionTimeout: 30 }, "executionTimeout is '30', and the Backup document takes ^("],
  [{ parallel: 4 }, "it cannot set 'parallel': use volumes, excludeVolumes, bandwidthLimit, verify, sample, or add"],
  [{ bandwithLimit: '50M' } as object, "it cannot set 'bandwithLimit': use volumes"],
  [{ bucket: 'another' } as object, "it cannot set 'bucket'"],
])('%j is refused: %s', (more, expected) => {
  expect(check({ ...nightly, ...more }).join('\n')).toContain(expected)
})

test('two schedules of one name are refused', () => {
  expect(check(nightly, nightly)).toEqual([expect.stringContaining("'nightly' is defined twice")])
})

test('what a schedule sets is what the document is given', () => {
  const options = { verify: 'source', sample: '1/7', volumes: ['/', '/srv'], bandwidthLimit: '50M' } as const
  expect(backupParameters({ ...nightly, ...options, executionTimeout: 3600 }, retention)).toEqual({
    ...{ class: 'daily', jitterSeconds: '600', executionTimeout: '3600' },
    ...{ verify: 'source', sample: '1/7', volumes: '/,/srv', bandwidthLimit: '50M' },
  })
})

test('an option whose name is added to the Backup document is one that schedules can set', () => {
  const directory = mkdtempSync(join(tmpdir(), 'snapstream-schedule-'))
  cpSync(DOCUMENTS_DIRECTORY, directory, { recursive: true })
  const file = join(directory, 'Backup.yaml')
  const text = readFileSync(file, 'utf8').replace('  class: {}\n', '  class: {}\n  parallel: {}\n  exclude: {}\n')
  writeFileSync(file, text)
  const extended = readDocument(directory, 'Backup')
  rmSync(directory, { recursive: true })

  const schedule = { ...nightly, parallel: 4, exclude: ['/var/cache/*'] }
  expect(check(schedule)).toHaveLength(2)
  expect(checkSchedules([schedule], retention, extended)).toEqual([])
  expect(checkSchedules([{ ...schedule, parallel: 17 }], retention, extended)).toEqual([
    "schedule 'nightly': parallel is 17: use a whole number from 1 to 16",
  ])
  expect(backupParameters(schedule, retention)).toMatchObject({ parallel: '4', exclude: '/var/cache/*' })
})
