import { planMetrics, type MetricsCase } from '../../../fleet/audit/metrics'
import { HOST_STATES } from '../../../fleet/model/records'
import { AT, classView, fleetView, hostView } from '../../support/fleet-view'

const well = hostView({ classes: [classView()], storedBytes: 1000 })
const never = hostView({
  host: 'db-1',
  state: 'never',
  overdue: true,
  storedBytes: 0,
  classes: [
    {
      class: 'daily',
      state: 'never',
      reason: '',
      maxAgeHours: 36,
      overdue: true,
      runs: 0,
      failuresInARow: 0,
      storedBytes: 0,
      suspicions: [],
    },
  ],
})
const suspicious = hostView({ host: 'db-2', state: 'suspicious', classes: [classView()], storedBytes: 500 })
const gone = hostView({ host: 'db-3', state: 'gone', classes: [classView()], storedBytes: 0 })
const accounts = [
  { account: '111111111111', region: 'eu-west-1' },
  { account: '222222222222', region: 'eu-west-1', problem: 'AccessDenied' },
]
const view = fleetView([never, suspicious, well, gone], { accounts, oldestProtectedHours: 1 })
const usual: MetricsCase = { view, stack: 'Snapstream', perHost: false, outOfTrend: false, heartbeat: true }
const values = (changes: Partial<MetricsCase> = {}) =>
  Object.fromEntries(
    planMetrics({ ...usual, ...changes }).map(({ name, value, dimensions: { Stack, ...more } }) => {
      expect(Stack).toBe('Snapstream')
      return [[name, ...Object.values(more)].join(' '), value]
    }),
  )

test('the whole fleet in some figures, every state among them', () => {
  const figures = values()
  expect(figures).toMatchObject({
    'Hosts never': 1,
    'Hosts suspicious': 1,
    'Hosts protected': 1,
    'Hosts gone': 1,
    'Hosts stale': 0,
    HostsOverdue: 1,
    HostsSuspicious: 1,
    AccountsUnknown: 1,
    StoredBytes: 1500,
    OldestProtectedHours: 1,
    StorageOutOfTrend: 0,
    Heartbeat: 1,
  })
  // Each is charged for: docs/deploy.md says how many there are.
  expect(Object.keys(figures)).toHaveLength(HOST_STATES.length + 7)
})

test('a pass that could not write down what it found has no heartbeat, and all else', () => {
  const { Heartbeat, ...figures } = values({ heartbeat: false })
  expect(Heartbeat).toBeUndefined()
  expect(figures).toMatchObject({ HostsOverdue: 1 })
})

test('where nothing is known of the trend, or no host is protected, nothing is made up', () => {
  const unprotected = fleetView([never])
  const figures = values({ outOfTrend: undefined, view: unprotected })
  expect(figures).not.toHaveProperty('StorageOutOfTrend')
  expect(figures).not.toHaveProperty('OldestProtectedHours')
})

test('the bucket out of its trend', () => {
  expect(values({ outOfTrend: true })).toMatchObject({ StorageOutOfTrend: 1 })
})

test('of each host and class where that is asked for; what never was is very old, and not missing', () => {
  const figures = values({ perHost: true })
  expect(figures[`BackupAgeHours ${well.host} daily`]).toBe(1)
  expect(figures['BackupAgeHours db-1 daily']).toBeGreaterThan(5 * 365 * 24)
  expect(figures).not.toHaveProperty('BackupAgeHours db-3 daily')
})

test('a backup from the future is new, and not older than new', () => {
  const early = fleetView([hostView({ classes: [classView({ lastGoodAt: AT + 600 })] })])
  expect(values({ perHost: true, view: early })[`BackupAgeHours ${well.host} daily`]).toBe(0)
})
