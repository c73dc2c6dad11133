import { collectPageData } from '../../../../fleet/report/collect'
import { readFleet } from '../../../../fleet/report/page/fleet'
import { findBehind, NO_FILTER, selectHosts, sortBy } from '../../../../fleet/report/page/select'
import { AT, classView, fleetView, hostView } from '../../../support/fleet-view'
import { FLEET_CONFIG } from '../../../support/made-up-fleet'
import type { HostView } from '../../../../fleet/model/records'

function fleetOf(...hosts: readonly Partial<HostView>[]) {
  const view = fleetView(hosts.map((host, index) => hostView({ host: `host-${index}`, ...host })))
  return readFleet(collectPageData({ view, histories: new Map(), config: FLEET_CONFIG, cost: undefined, at: AT })).hosts
}

const hosts = fleetOf(
  { name: 'web-01', state: 'stale', reason: 'newest verified backup is 4 d old', overdue: true },
  { name: 'DB-01', account: '999', classes: [classView({ class: 'monthly' })] },
  { name: 'web-02', state: 'stopped' },
)
const found = (filter: Partial<typeof NO_FILTER>) =>
  selectHosts(hosts, { ...NO_FILTER, ...filter }).map(({ label }) => label)

test.each([
  [{}, ['web-01', 'DB-01', 'web-02']],
  [{ text: 'db' }, ['DB-01']],
  [{ text: 'WEB old' }, ['web-01']],
  [{ text: 'host-2' }, ['web-02']],
  [{ text: ' ' }, ['web-01', 'DB-01', 'web-02']],
  [{ text: '.*' }, []],
  [{ state: 'stopped' }, ['web-02']],
  [{ state: 'trouble' }, ['web-01']],
  [{ state: 'overdue' }, ['web-01']],
  [{ account: '999' }, ['DB-01']],
  [{ class: 'monthly' }, ['DB-01']],
  [{ class: 'monthly', text: 'web' }, []],
] as const)('%j finds %j', (filter, expected) => expect(found(filter)).toEqual(expected))

test('names sort as people count, and what is not known comes last either way', () => {
  const rows = ['web-10', undefined, 'web-9', 'Web-1']
  expect(sortBy(rows, (row) => row, false)).toEqual(['Web-1', 'web-9', 'web-10', undefined])
  expect(sortBy(rows, (row) => row, true)).toEqual(['web-10', 'web-9', 'Web-1', undefined])
  expect(sortBy([3, 1, 2], (row) => row, true)).toEqual([3, 2, 1])
})

test('equal rows stay in their order: by trouble', () => {
  const rows = [{ id: 1 }, { id: 2 }, { id: 3 }]
  expect(sortBy(rows, () => 0, true)).toEqual(rows)
})

describe('the class that is behind the most', () => {
  const daily = classView({ lastGoodAt: AT - 30 * 3600 })
  const monthly = classView({ class: 'monthly', maxAgeHours: 800, lastGoodAt: AT - 400 * 3600 })
  const never = classView({ class: 'monthly', maxAgeHours: 800, lastGoodAt: undefined as never, runs: 0 })
  const behind = (...classes: HostView['classes']) => findBehind(fleetOf({ classes })[0]!, '', AT)?.class

  test('is so by its own objective, not by hours', () => expect(behind(daily, monthly)).toBe('daily'))
  test('is none that waits for its first backup', () => expect(behind(never, daily)).toBe('daily'))
  test('is one that should have had its first', () =>
    expect(behind(daily, { ...never, overdue: true })).toBe('monthly'))
  test('is none where there is no class', () => expect(behind()).toBeUndefined())
  test('is the one that is chosen', () => {
    expect(findBehind(fleetOf({ classes: [daily, monthly] })[0]!, 'monthly', AT)?.class).toBe('monthly')
  })
})
