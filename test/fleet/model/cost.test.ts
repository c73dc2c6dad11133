/** What an operator would work out by hand, and what surprises on the bill. */
import { estimateCost, type CostCase } from '../../../fleet/model/cost'
import { LIST_PRICES } from '../../../fleet/model/prices'
import type { StorageRule } from '../../../fleet/vault'
import { aHistory, arnOf, aRun, DAY, fleetConfig, nights, NOW } from '../../support/fleet'
import { hostView } from '../../support/fleet-view'

const GIB = 1024 ** 3
const HOST = arnOf('i-0aaaaaaaaaaaaaaa1')
const config = fleetConfig({
  classes: [
    { name: 'daily', maxAgeHours: 36, expireAfterDays: 35 },
    { name: 'weekly', maxAgeHours: 200, expireAfterDays: 180 },
  ],
})

const rule = (className: string, changes: Partial<StorageRule> = {}): StorageRule => ({
  ...{ prefix: `data/${className}/`, expireAfterDays: 38, needsTag: true, transitions: [] },
  ...changes,
})

function costOf(changes: Partial<CostCase>) {
  const plain = { catalogBytes: 0, storedBytes: 100 * GIB }
  return estimateCost({
    config,
    histories: new Map([[HOST, aHistory(HOST, nights(3, NOW - DAY, plain))]]),
    view: { hosts: [] },
    rules: [rule('daily')],
    prices: LIST_PRICES,
    region: 'us-east-1',
    now: NOW,
    ...changes,
  })
}

test('bytes times the price of their storage class', () => {
  const { perMonth, storedBytes, classes, hosts } = costOf({})
  expect(storedBytes).toBe(300 * GIB)
  expect(perMonth).toBeCloseTo(300 * 0.023)
  expect(classes).toEqual([
    {
      class: 'daily',
      storageClass: 'STANDARD',
      runs: 3,
      storedBytes: 300 * GIB,
      perMonth: expect.closeTo(6.9),
      note: '',
    },
  ])
  expect(hosts).toEqual(new Map([[HOST, expect.closeTo(6.9)]]))
})

test('by the age of a run, as the lifecycle rules of the bucket move it; catalogs stay', () => {
  const runs = [10, 40, 100].map((days) => aRun(NOW - days * DAY, { storedBytes: 100 * GIB, catalogBytes: GIB }))
  const transitions = [
    { afterDays: 90, storageClass: 'GLACIER' },
    { afterDays: 30, storageClass: 'STANDARD_IA' },
  ]
  const { classes } = costOf({
    histories: new Map([[HOST, aHistory(HOST, runs, 'weekly')]]),
    rules: [
      rule('weekly', { expireAfterDays: 183 }),
      rule('weekly', { prefix: 'data/weekly/', needsTag: false, transitions, expireAfterDays: 183 }),
    ],
  })
  expect(classes.map(({ storageClass, perMonth }) => [storageClass, perMonth])).toEqual([
    ['STANDARD', expect.closeTo(2.3 + 0.023)],
    ['STANDARD_IA', expect.closeTo(1.25 + 0.023)],
    ['GLACIER', expect.closeTo(0.36 + 0.023)],
  ])
})

test('what leaves a storage class before its minimum is charged for all of that, and the trap is named', () => {
  const { classes, perMonth } = costOf({
    rules: [rule('daily', { needsTag: false, transitions: [{ afterDays: 0, storageClass: 'GLACIER_IR' }] })],
  })
  expect(classes[0]).toMatchObject({
    storageClass: 'GLACIER_IR',
    note: 'leaves GLACIER_IR after 38 days, and S3 charges for 90: that is in the sum',
  })
  expect(perMonth).toBeCloseTo((300 * 0.004 * 90) / 38)
})

test('what other storage classes would cost, and to read everything back once', () => {
  const { whatIf } = costOf({})
  expect(
    whatIf.map(({ storageClass, perMonth, readBack, note }) => [storageClass, perMonth, readBack, note !== '']),
  ).toEqual([
    [undefined, expect.closeTo(6.9), 0, false],
    ['STANDARD', expect.closeTo(6.9), 0, false],
    ['STANDARD_IA', expect.closeTo(3.75), expect.closeTo(1), false],
    ['GLACIER_IR', expect.closeTo((1.2 * 90) / 38), expect.closeTo(3), true],
    ['GLACIER', expect.closeTo((1.08 * 90) / 38), 0, true],
    ['DEEP_ARCHIVE', expect.closeTo((0.297 * 180) / 38), expect.closeTo(0.25), true],
  ])
})

test('many small objects are charged for as if they were larger', () => {
  const small = nights(1, NOW - DAY, { storedBytes: 1000, objects: 1026, volumes: 2, catalogBytes: 0 })
  const { whatIf } = costOf({ histories: new Map([[HOST, aHistory(HOST, small)]]) })
  expect(whatIf.find(({ storageClass }) => storageClass === 'STANDARD_IA')?.perMonth).toBeCloseTo(0.0125 / 8)
})

test('terminated hosts whose backups are kept are shown with what they cost', () => {
  expect(costOf({ view: { hosts: [hostView({ host: HOST, state: 'gone' })] } }).gone).toEqual({
    hosts: 1,
    perMonth: expect.closeTo(6.9),
  })
})

test('where rules cannot be read, what the deployment wants is taken, and that is said', () => {
  const { classes, notes } = costOf({
    config: fleetConfig({
      classes: [{ name: 'daily', maxAgeHours: 36, expireAfterDays: 35, storageClass: 'STANDARD_IA' }],
    }),
    rules: undefined,
  })
  expect(classes[0]).toMatchObject({ storageClass: 'STANDARD_IA' })
  expect(notes).toContain(
    'the lifecycle rules of the bucket may not be read: storage classes are those that the deployment wants',
  )
})

test('where no price is known, none is made up', () => {
  expect(costOf({ region: 'ap-south-1', prices: LIST_PRICES }).notes[0]).toBe(
    'prices of us-east-1, May 2026, since those of ap-south-1 are not known here: give them with --prices; a GB of S3 is 1 GiB',
  )
  const { perMonth, classes, notes } = costOf({ prices: { ...LIST_PRICES, storage: {} } })
  expect(perMonth).toBe(0)
  expect(classes[0]?.note).toContain('no price of STANDARD is known')
  expect(notes).toContain('no price is known of STANDARD: it counts for nothing here')
})
