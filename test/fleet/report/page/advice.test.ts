import type { HostView } from '../../../../fleet/model/records'
import { collectPageData } from '../../../../fleet/report/collect'
import { planTasks } from '../../../../fleet/report/page/advice'
import { readFleet } from '../../../../fleet/report/page/fleet'
import { AT, fleetView, hostView } from '../../../support/fleet-view'
import { FLEET_CONFIG } from '../../../support/made-up-fleet'

function tasksOf(...hosts: readonly Partial<HostView>[]) {
  const view = fleetView(
    hosts.map((host, index) => hostView({ host: `arn:aws:ec2:eu-west-1:1:instance/i-0${index}`, ...host })),
  )
  const data = collectPageData({ view, histories: new Map(), config: FLEET_CONFIG, cost: undefined, at: AT })
  return planTasks(readFleet(data).hosts).map(({ state, advice, hosts: { length } }) => ({ state, advice, length }))
}
const stale = (id: string) => ({ state: 'stale', advice: `Back it up: snapstream-fleet run --hosts ${id}` }) as const

test('hosts that need the same are told of once', () => {
  expect(tasksOf(stale('i-00'), stale('i-01'), { state: 'protected' })).toEqual([
    { state: 'stale', advice: 'Back it up: snapstream-fleet run --hosts HOST', length: 2 },
  ])
})

test('even where each has a run of its own', () => {
  const unverified = (id: string, run: string) =>
    ({ state: 'unverified', advice: `Verify it: snapstream-fleet verify --hosts ${id} --run ${run}` }) as const
  expect(tasksOf(unverified('i-00', '20261128T010203Z-abc123'), unverified('i-01', '20261127T010203Z-zzz999'))).toEqual(
    [{ state: 'unverified', advice: 'Verify it: snapstream-fleet verify --hosts HOST --run RUN', length: 2 }],
  )
})

test('a single host has its own command, to be copied', () => {
  expect(tasksOf(stale('i-00'))).toMatchObject([{ advice: 'Back it up: snapstream-fleet run --hosts i-00' }])
})

test('the worst state comes first, and in it what concerns the most hosts', () => {
  const other = { state: 'stale', advice: 'Start it.' } as const
  const tasks = tasksOf({ state: 'unverified', advice: 'Verify it.' }, other, stale('i-02'), stale('i-03'), {
    ...{ state: 'never', advice: 'Tag it.' },
  })
  expect(tasks.map(({ state, length }) => [state, length])).toEqual([
    ['never', 1],
    ['stale', 2],
    ['stale', 1],
    ['unverified', 1],
  ])
})

test('hosts that are stopped, gone or protected need nobody', () => {
  expect(tasksOf({ state: 'stopped' }, { state: 'gone' }, { state: 'protected' })).toEqual([])
})
