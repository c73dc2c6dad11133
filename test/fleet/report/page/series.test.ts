import type { RunRecord } from '../../../../fleet/model/records'
import { collectPageData } from '../../../../fleet/report/collect'
import { readFleet } from '../../../../fleet/report/page/fleet'
import { daysUntil } from '../../../../fleet/report/page/nights'
import { fleetDays, ratioOf, sizesOf } from '../../../../fleet/report/page/series'
import { AT, classView, fleetView, hostView } from '../../../support/fleet-view'
import { FLEET_CONFIG } from '../../../support/made-up-fleet'

function hostWith(runs: readonly Partial<RunRecord>[]) {
  const host = hostView({ classes: [classView({ class: 'daily' })] })
  const full = runs.map((run, index): RunRecord => ({
    ...{ run: 'r', writtenAt: AT - index * 86_400, state: 'complete', verified: 'checksum', volumes: 1, objects: 2 },
    ...{ entries: 3, rawBytes: 4e9, storedBytes: 2e9, catalogBytes: 6, seconds: 70 },
    ...run,
  }))
  const histories = new Map([[host.host, { host: host.host, classes: [{ class: 'daily', runs: full }] }]])
  const data = collectPageData({ view: fleetView([host]), histories, config: FLEET_CONFIG, cost: undefined, at: AT })
  return readFleet(data).hosts[0]!
}

test('the newest run is held against the median of those before it', () => {
  const [sizes] = sizesOf(hostWith([{ storedBytes: 3e9 }, {}, { storedBytes: 90e9 }, {}, {}]), '')
  expect(sizes!.change).toBeCloseTo(0.5, 2)
  expect(sizes!.ratio).toBeCloseTo(4 / 3, 2)
  expect(sizes!.stored.at(-1)! / 3e9).toBeCloseTo(1, 3)
})

test('a single run has changed by nothing that is known', () => {
  expect(sizesOf(hostWith([{}]), '')[0]!.change).toBeUndefined()
})

test('what could not be read has no sizes', () => {
  expect(sizesOf(hostWith([{ state: 'unreadable', rawBytes: 0, storedBytes: 0 }]), '')).toEqual([])
  expect(sizesOf(hostWith([{}]), 'monthly')).toEqual([])
})

test('the fleet stores what its hosts have stored, day by day', () => {
  const hosts = [hostWith([{}, {}]), hostWith([{ rawBytes: 8e9 }])]
  const days = fleetDays(hosts, ['daily'], daysUntil(AT, 3))
  expect(days.map(({ runs }) => runs)).toEqual([0, 1, 2])
  expect(days[2]!.total / 4e9).toBeCloseTo(1, 3)
  expect(days[2]!.ratio).toBeCloseTo(3, 2)
  expect(days[0]).toMatchObject({ total: 0, ratio: undefined })
})

test('nothing has no ratio', () => expect(ratioOf(5, 0)).toBeUndefined())
