import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RetentionClass } from '../../infra/retention'
import { DOCUMENTS_DIRECTORY } from '../../infra/documents'
import type { Schedule } from '../../infra/schedule'
import { backupParameters, checkBackupParameters } from '../../infra/schedule-options'
import { readDocument } from '../../infra/ssm-document'

const retention: RetentionClass[] = [
  { name: 'daily', expireAfterDays: 35 },
  { name: 'frozen', expireAfterDays: 400, storageClass: 'DEEP_ARCHIVE' },
  { name: 'weekly', expireAfterDays: 35, fullEveryDays: 7 },
]
const backup = readDocument(DOCUMENTS_DIRECTORY, 'Backup')
const check = (schedule: Schedule) => checkBackupParameters(schedule, retention, backup)
const nightly: Schedule = {
  name: 'nightly',
  cron: 'cron(0 2 ? * * *)',
  class: 'daily',
  tag: { key: 'Backup', value: 'true' },
}

test.each<Partial<Schedule>>([
  { verify: 'source', sample: '1/7' },
  { verify: 'stream' },
  { volumes: ['/', '/srv'], bandwidthLimit: '50M', executionTimeout: 86_400 },
  { excludeVolumes: ['/tmp'] },
  { source: ['auto', '/srv=ebs'], freeze: true, ebsKeepLast: 'no', ebsEngine: 'clone' },
  { volumes: undefined as never },
  { level: 'full' },
  { class: 'weekly' },
  { class: 'weekly', level: 'auto' },
  { class: 'weekly', level: 'full' },
])('a backup can be asked for %j', (more) => {
  expect(check({ ...nightly, ...more })).toEqual([])
})

test.each<[Partial<Schedule>, string]>([
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
  [
    { parallel: 4 },
    "it cannot set 'parallel': use source, freeze, ebsKeepLast, ebsEngine, volumes, excludeVolumes, level, bandwidthLimit, verify, sample, logLevel, or add",
  ],
  [{ bandwithLimit: '50M' } as object, "it cannot set 'bandwithLimit': use source"],
  [
    { level: 'auto' },
    "level is 'auto', and bases of class 'daily' are not kept for it: set fullEveryDays of the class",
  ],
  [{ class: 'weekly', fullEvery: '30d' } as object, "it cannot set 'fullEvery'"],
  [{ bucket: 'another' } as object, "it cannot set 'bucket'"],
  [{ dryRun: true } as object, "it cannot set 'dryRun'"],
  [{ source: ['btrfs'] as never }, 'source is ["btrfs"]: use a list, each item auto, lvm, ebs, quiet'],
  [{ source: ['ebs', 'lvm'] }, '--source is given twice for all filesystems'],
])('%j is refused: %s', (more, expected) => {
  expect(check({ ...nightly, ...more }).join('\n')).toContain(expected)
})

test('how old a base may be is what its retention class says, for which the bucket keeps it', () => {
  const levelOf = (more: Partial<Schedule>) => {
    const { level, fullEvery } = backupParameters({ ...nightly, ...more }, retention)
    return { level, fullEvery }
  }
  expect(levelOf({})).toEqual({})
  expect(levelOf({ class: 'weekly' })).toEqual({ level: 'auto', fullEvery: '7d' })
  expect(levelOf({ class: 'weekly', level: 'differential' })).toEqual({ level: 'differential', fullEvery: '7d' })
  expect(levelOf({ class: 'weekly', level: 'full' })).toEqual({ level: 'full' })
})

test('archives go where their retention class says, and nowhere else by themselves', () => {
  expect(backupParameters({ ...nightly, class: 'frozen' }, retention)).toMatchObject({ storageClass: 'DEEP_ARCHIVE' })
  expect(backupParameters(nightly, retention)).not.toHaveProperty('storageClass')
  expect(backupParameters({ ...nightly, jitterMinutes: 0 }, retention)).toMatchObject({ jitterSeconds: '0' })
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
  expect(checkBackupParameters(schedule, retention, extended)).toEqual([])
  expect(checkBackupParameters({ ...schedule, parallel: 17 }, retention, extended)).toEqual([
    'parallel is 17: use a whole number from 1 to 16',
  ])
  expect(backupParameters(schedule, retention)).toMatchObject({ parallel: '4', exclude: '/var/cache/*' })
})
