import { planFleet, type FleetOptions, type FleetSettings } from '../../infra/fleet-config'
import type { Schedule } from '../../infra/schedule'
import { DEFAULT_STAGE, synthesize } from './synthesize'

const ages = (settings: FleetSettings) =>
  Object.fromEntries(planFleet(settings).config.classes.map(({ name, maxAgeHours }) => [name, maxAgeHours]))
const withFleet = (fleet: FleetOptions) => planFleet({ ...DEFAULT_STAGE, fleet })
const schedule = (more: Partial<Schedule>): Schedule => ({ ...DEFAULT_STAGE.schedules[0]!, ...more })
const scheduled = (...schedules: Partial<Schedule>[]): FleetSettings => ({
  retention: [{ name: 'daily', expireAfterDays: 35 }],
  schedules: schedules.map(schedule),
})

test('by default, backups may be as old as their schedules let them become, and some hours more', () => {
  expect(planFleet(DEFAULT_STAGE).problems).toEqual([])
  expect(ages(DEFAULT_STAGE)).toEqual({ daily: 36, weekly: 7 * 24 + 12, monthly: 31 * 24 + 12 })
})

test.each<[string, FleetSettings, number]>([
  ['a nightly window', scheduled({}), 36],
  ['a window that is open all day', scheduled({ durationHours: 24 }), 48],
  ['an association', scheduled({ kind: 'association', cron: 'rate(12 hours)' }), 18],
  ['every hour: a backup takes its time', scheduled({ kind: 'association', cron: 'rate(1 hour)' }), 3],
  ['two schedules for the same hosts', scheduled({}, { name: 'noon', cron: 'cron(0 13 ? * * *)' }), 18],
  [
    'two schedules for different hosts',
    scheduled({}, { cron: 'cron(0 4 ? * SUN *)', tag: { key: 'Backup', value: 'rare' } }),
    180,
  ],
  [
    'two schedules by clocks that are far apart, which may fall on the same hour',
    scheduled(
      { cron: 'cron(0 0 ? * * *)', timezone: 'Asia/Tokyo' },
      { timezone: 'America/New_York', cron: 'cron(0 12 ? * * *)' },
    ),
    36,
  ],
  ['no schedule: who backs up by hand, is late when nothing is left', scheduled(), 35 * 24],
])('%s', (_, settings, hours) => {
  expect(ages(settings)).toEqual({ daily: hours })
})

test('a stage may say so itself', () => {
  const { config, problems } = withFleet({
    maxAgeHours: { daily: 26 },
    keepAtLeast: 5,
    forgetAfterDays: 90,
    expectedHosts: [{ host: 'db-1.example.com', classes: ['daily'] }],
    accounts: [
      { account: '222222222222', region: 'eu-central-1' },
      { account: '333333333333', region: 'cn-north-1' },
      { account: '444444444444', region: 'eu-west-1', roleArn: 'arn:aws:iam::444444444444:role/look' },
    ],
  })
  expect(problems).toEqual([])
  expect(config.classes[0]).toEqual({
    name: 'daily',
    maxAgeHours: 26,
    keepAtLeast: 5,
    expireAfterDays: 35,
    fullEveryDays: 7,
    storageClass: 'STANDARD',
    transitions: [],
  })
  expect(config).toMatchObject({
    forgetAfterDays: 90,
    expectedHosts: [{ host: 'db-1.example.com', classes: ['daily'] }],
  })
  expect(config.accounts.map(({ roleArn }) => roleArn)).toEqual([
    'arn:aws:iam::222222222222:role/Snapstream-inventory-eu-central-1',
    'arn:aws-cn:iam::333333333333:role/Snapstream-inventory-cn-north-1',
    'arn:aws:iam::444444444444:role/look',
  ])
  expect(config.schedules.map(({ name, class: className, tag }) => [name, className, tag])).toEqual(
    DEFAULT_STAGE.schedules.map(({ name, class: className, tag }) => [name, className, tag]),
  )
})

test.each<[string, FleetSettings, RegExp]>([
  [
    'a class that there is not',
    { ...DEFAULT_STAGE, fleet: { maxAgeHours: { hourly: 3 } } },
    /no retention class 'hourly': use one of daily/,
  ],
  [
    'a host of no class',
    { ...DEFAULT_STAGE, fleet: { expectedHosts: [{ host: 'a', classes: [] }] } },
    /expectedHosts\.0\.classes/,
  ],
  [
    'a host with a name that no key can have',
    { ...DEFAULT_STAGE, fleet: { expectedHosts: [{ host: '../a', classes: ['daily'] }] } },
    /expectedHosts\.0\.host/,
  ],
  ['nothing to be kept', { ...DEFAULT_STAGE, fleet: { keepAtLeast: 0 } }, /keepAtLeast/],
  [
    'a schedule that does not say how often it comes',
    scheduled({ cron: 'cron(0 7 L-3 * ? *)' }),
    /set fleet\.maxAgeHours\.daily/,
  ],
  [
    'more hosts than there is room for',
    {
      ...DEFAULT_STAGE,
      fleet: {
        expectedHosts: Array.from({ length: 3000 }, (_, i) => ({ host: `host-${i}.example.com`, classes: ['daily'] })),
      },
    },
    /bytes, of at most 100000: list fewer/,
  ],
])('refuses %s', (_, settings, problem) => {
  expect(planFleet(settings).problems.join('\n')).toMatch(problem)
})

test('a problem stops the synthesis', () => {
  expect(() => synthesize({ fleet: { keepAtLeast: 0 } })).toThrow(/Snapstream\/Auditor: fleet: classes\.0\.keepAtLeast/)
})

test('the auditor knows how much older than a run its base may be', () => {
  const retention = [{ name: 'daily', expireAfterDays: 35, fullEveryDays: 7 }]
  expect(planFleet({ retention, schedules: [] }).config.classes[0]).toMatchObject({ fullEveryDays: 7 })
})
