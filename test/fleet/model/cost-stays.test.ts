import { stayAt, staysOf } from '../../../fleet/model/cost-stays'
import { fleetConfig } from '../../support/fleet'

const config = fleetConfig({
  classes: [
    {
      ...{ name: 'monthly', maxAgeHours: 800, expireAfterDays: 400, storageClass: 'GLACIER_IR' },
      transitions: [{ afterDays: 90, storageClass: 'DEEP_ARCHIVE' }],
    },
  ],
})

test('without rules, as the deployment wants it', () => {
  expect(staysOf('monthly', config, undefined)).toEqual([
    { storageClass: 'GLACIER_IR', fromDay: 0, toDay: 90 },
    { storageClass: 'DEEP_ARCHIVE', fromDay: 90, toDay: 400 },
  ])
})

test('a bucket without rules moves nothing, and lets nothing expire that the deployment does not name', () => {
  expect(staysOf('monthly', config, [])).toEqual([{ storageClass: 'GLACIER_IR', fromDay: 0, toDay: 400 }])
  expect(staysOf('other', config, [])).toEqual([{ storageClass: 'STANDARD', fromDay: 0 }])
})

test('rules of other classes, and moves after the end, do not concern it', () => {
  const moves = [{ afterDays: 50, storageClass: 'GLACIER' }]
  expect(
    staysOf('daily', config, [
      { prefix: 'data/daily-db/', needsTag: false, transitions: moves, expireAfterDays: 10 },
      { prefix: 'data/daily/', needsTag: false, transitions: moves, expireAfterDays: 38 },
    ]),
  ).toEqual([{ storageClass: 'STANDARD', fromDay: 0, toDay: 38 }])
})

test('what is older than all of it is still in the last', () => {
  const stays = staysOf('monthly', config, undefined)
  expect([0, 89.9, 90, 5000].map((days) => stayAt(stays, days).storageClass)).toEqual([
    'GLACIER_IR',
    'GLACIER_IR',
    'DEEP_ARCHIVE',
    'DEEP_ARCHIVE',
  ])
  expect(stayAt([], 3).storageClass).toBe('STANDARD')
})
