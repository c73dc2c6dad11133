import { chooseDue, planCompliance } from '../../../fleet/audit/compliance'
import { AT, classView, fleetView, hostView } from '../../support/fleet-view'

const here = { account: '123456789012', region: 'eu-west-1' }
const managed = { ping: 'online' } as const
const plan = (...hosts: Parameters<typeof hostView>[0][]) => planCompliance(fleetView(hosts.map(hostView)), here)

test('a node whose backups are as they should be complies, class by class', () => {
  const weekly = classView({ class: 'weekly' })
  expect(plan({ managed, classes: [classView(), weekly] })).toEqual([
    {
      resourceId: 'i-0123456789abcdef0',
      at: AT,
      items: ['daily', 'weekly'].map((id) => ({
        id,
        title: `${id}: protected: verified 1 h ago`,
        severity: 'UNSPECIFIED',
        status: 'COMPLIANT',
        details: {
          state: 'protected',
          reason: 'verified 1 h ago',
          maxAgeHours: '36',
          lastGoodAt: '2026-11-28T01:05:00.000Z',
          lastGoodRun: '20261128T010000Z-abc123',
        },
      })),
    },
  ])
})

test.each([
  ['stale', true, 'NON_COMPLIANT', 'CRITICAL'],
  ['never', false, 'NON_COMPLIANT', 'CRITICAL'],
  ['unknown', false, 'NON_COMPLIANT', 'HIGH'],
  ['suspicious', false, 'NON_COMPLIANT', 'HIGH'],
  ['unverified', false, 'NON_COMPLIANT', 'MEDIUM'],
  ['incomplete', true, 'NON_COMPLIANT', 'CRITICAL'],
  ['stopped', false, 'COMPLIANT', 'UNSPECIFIED'],
  ['stopped', true, 'NON_COMPLIANT', 'CRITICAL'],
] as const)('%s, overdue %s: %s, %s', (state, overdue, status, severity) => {
  const [record] = plan({ managed, classes: [classView({ state, overdue })] })
  expect(record!.items[0]).toMatchObject({ status, severity })
})

test('a node that no schedule backs up has one item, for the host as a whole', () => {
  const [record] = plan({ managed, classes: [], state: 'never', reason: 'it bears no tag', advice: 'Tag it.' })
  expect(record!.items).toEqual([
    {
      id: 'backup',
      title: 'backup: never: it bears no tag',
      severity: 'CRITICAL',
      status: 'NON_COMPLIANT',
      details: { state: 'never', reason: 'it bears no tag', advice: 'Tag it.' },
    },
  ])
})

test('a machine that is no instance is a node as well', () => {
  const host = 'mi-0123456789abcdef0'
  expect(plan({ host, managed, classes: [classView()] }).map(({ resourceId }) => resourceId)).toEqual([host])
})

test.each([
  ['is not managed', {}],
  ['is of another account', { managed, account: '222222222222' }],
  ['is elsewhere', { managed, region: 'us-east-1' }],
  ['is called as no node is', { managed, host: 'db-1.example.com' }],
] as const)('nothing is said of a host that %s', (_, changes) => {
  expect(plan(changes)).toEqual([])
})

test('texts are cut to what Systems Manager takes', () => {
  const reason = 'x'.repeat(10_000)
  const [item] = plan({ managed, classes: [classView({ reason, state: 'failing' })] })[0]!.items
  expect(item!.title).toHaveLength(500)
  expect(JSON.stringify(item!.details).length).toBeLessThan(4096)
})

test('a character that is cut in two is none', () => {
  const about = (characters: number) => {
    const reason = `${'x'.repeat(characters)}💥 and more`
    return plan({ managed, classes: [classView({ reason, state: 'failing' })] })[0]!.items[0]!
  }
  expect(about(499 - 'daily: failing: '.length).title.isWellFormed()).toBe(true)
  expect(about(999).details['reason']?.isWellFormed()).toBe(true)
})

describe('of a large fleet', () => {
  const ids = Array.from(
    { length: 3000 },
    (_, index) => `i-0123456789ab${(index * 7919).toString(16).padStart(5, '0').slice(-5)}`,
  )
  const records = (at: number) => ids.map((resourceId) => ({ resourceId, at, items: [] }))

  test('a sixth is told of each hour, and of every node within six', () => {
    const hours = Array.from({ length: 6 }, (_, hour) => chooseDue(records(AT + hour * 3600), new Set()))
    for (const due of hours) expect(due.length).toBeLessThan(700)
    expect(new Set(hours.flat().map(({ resourceId }) => resourceId)).size).toBe(new Set(ids).size)
  })

  test('a node that has changed is told of at once', () => {
    const changed = new Set(ids.slice(0, 50))
    const due = new Set(chooseDue(records(AT), changed).map(({ resourceId }) => resourceId))
    expect([...changed].filter((id) => !due.has(id))).toEqual([])
  })
})

test('of a small fleet, all is told each hour', () => {
  const records = [{ resourceId: 'i-0123456789abcdef0', at: AT, items: [] }]
  expect(chooseDue(records, new Set())).toEqual(records)
})
