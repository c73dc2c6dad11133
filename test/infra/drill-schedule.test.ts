import { DOCUMENTS_DIRECTORY } from '../../infra/documents'
import { checkDrills, drillParameters, type DrillSchedule } from '../../infra/drill-schedule'
import { readDocument } from '../../infra/ssm-document'

const weekly: DrillSchedule = {
  ...{ name: 'drill', cron: 'cron(0 12 ? * WED *)', class: 'daily', tag: { key: 'Drill', value: 'true' } },
}
const hostRoles = ['arn:aws:iam::111122223333:role/drills']
const check = (changes: Partial<DrillSchedule> = {}, backups: string[] = ['nightly'], roles = hostRoles) =>
  checkDrills(
    { hostRoles: roles, schedules: [{ ...weekly, ...changes }] },
    [{ name: 'daily', expireAfterDays: 35 }],
    backups,
    readDocument(DOCUMENTS_DIRECTORY, 'Drill'),
  )

test('a drill says nothing but what it has to, and all that it may', () => {
  expect(check()).toEqual([])
  expect(drillParameters(weekly)).toEqual({ class: 'daily' })
  const all = { host: 'db1', share: '1/7', scratch: '/mnt/scratch', executionTimeout: 7200 }
  expect(check(all)).toEqual([])
  expect(drillParameters({ ...weekly, ...all })).toEqual({
    class: 'daily',
    ...all,
    executionTimeout: '7200',
    deadline: '5400',
  })
})

test.each<[Partial<DrillSchedule>, RegExp]>([
  [{ cron: '0 2 * * *' }, /^drill 'drill': '0 2 \* \* \*' is no schedule/],
  [{ timezone: 'Mars/Olympus' }, /no time zone/],
  [{ class: 'yearly' }, /there is no retention class 'yearly': use one of daily/],
  [{ tag: { key: 'Drill', value: '' } }, /the tag is empty/],
  [{ share: 'half' }, /share is 'half', and the Drill document takes /],
  [{ scratch: '/tmp/$(reboot)' }, /scratch is /],
  [{ host: "x'; reboot" }, /host is /],
  [{ name: 'a drill' }, /rename it/],
])('%j is refused with the fix', (changes, expected) => {
  expect(check(changes)).toEqual([expect.stringMatching(expected)])
})

test('two windows of one name would be one', () => {
  expect(check({ name: 'nightly' })).toEqual([
    expect.stringMatching(/^drill 'nightly': another schedule has that name/),
  ])
})

test('what may drill is roles, each by its ARN: not an account, and nobody', () => {
  expect(check({}, [], ['arn:aws:iam::111122223333:root'])).toEqual([expect.stringMatching(/is no role's ARN/)])
  expect(check({}, [], ['*'])).toEqual([expect.stringMatching(/is no role's ARN/)])
})
