import { planEvents } from '../../../fleet/audit/events'
import { AT, fleetView, hostView } from '../../support/fleet-view'

const host = hostView({ state: 'stale', overdue: true })
const view = fleetView([host])
const transition = {
  host: host.host,
  name: 'web-01',
  from: 'protected',
  to: 'stale',
  reason: 'no backup for 40 h',
  advice: 'Look.',
  at: AT,
} as const
const plan = (changes = {}) =>
  planEvents({ transitions: [{ ...transition, ...changes }], view, stack: 'Snapstream', bucket: 'backups' })

test('a transition has all that a ticket needs', () => {
  expect(plan()).toEqual([
    {
      stack: 'Snapstream',
      bucket: 'backups',
      host: host.host,
      id: 'i-0123456789abcdef0',
      name: 'web-01',
      account: '123456789012',
      region: 'eu-west-1',
      from: 'protected',
      to: 'stale',
      overdue: true,
      reason: 'no backup for 40 h',
      advice: 'Look.',
      at: '2026-11-28T02:05:00.000Z',
    },
  ])
})

test('a host that is seen for the first time comes from nowhere', () => {
  const [event] = planEvents({
    transitions: [{ host: 'db-1', to: 'never', reason: '', advice: '', at: AT }],
    view: fleetView([]),
    stack: 'Snapstream',
    bucket: 'backups',
  })
  expect(event).toEqual({
    ...{ stack: 'Snapstream', bucket: 'backups', host: 'db-1', id: 'db-1', to: 'never', overdue: false },
    ...{ reason: '', advice: '', at: '2026-11-28T02:05:00.000Z' },
  })
})

test('no event is larger than EventBridge takes ten of', () => {
  const long = 'é'.repeat(100_000)
  expect(Buffer.byteLength(JSON.stringify(plan({ name: long, reason: long, advice: long })))).toBeLessThan(25_000)
})

test('a character that is cut in two is none', () => {
  const long = `${'x'.repeat(999)}💥 and more`
  const [event] = plan({ name: long, reason: long, advice: long })
  for (const text of [event!.name, event!.reason, event!.advice]) expect(text!.isWellFormed()).toBe(true)
})
