import type { ClassView, RunRecord } from '../../../../fleet/model/records'
import { collectPageData } from '../../../../fleet/report/collect'
import { readFleet } from '../../../../fleet/report/page/fleet'
import { daysUntil, nightsOf } from '../../../../fleet/report/page/nights'
import { AT, classView, fleetView, hostView } from '../../../support/fleet-view'
import { FLEET_CONFIG } from '../../../support/made-up-fleet'

const DAY = 86_400
const sizes = { volumes: 1, objects: 2, entries: 3000, rawBytes: 4e9, storedBytes: 2e9, catalogBytes: 6, seconds: 70 }
const run = (daysAgo: number, changes: Partial<RunRecord> = {}): RunRecord => ({
  ...{ run: 'r', writtenAt: AT - daysAgo * DAY, state: 'complete', verified: 'checksum', ...sizes },
  ...changes,
})

/** A week of a host, oldest first. @param classes - by name: its runs */
function week(
  classes: Readonly<Record<string, readonly RunRecord[]>>,
  changes: Partial<ClassView> = {},
  className = '',
) {
  const names = Object.keys(classes)
  const host = hostView({
    classes: names.map((name) =>
      classView({ class: name, maxAgeHours: name === 'monthly' ? 800 : 36, runs: classes[name]!.length, ...changes }),
    ),
    stateSince: AT - 3 * DAY,
  })
  const history = { host: host.host, classes: names.map((name) => ({ class: name, runs: classes[name]! })) }
  const histories = new Map([[host.host, history]])
  const data = collectPageData({ view: fleetView([host]), histories, config: FLEET_CONFIG, cost: undefined, at: AT })
  return nightsOf(readFleet(data).hosts[0]!, className, daysUntil(AT, 7), AT)
}
const kinds = (...given: Parameters<typeof week>) => week(...given).map(({ kind }) => kind)

test('days are those of UTC, and the last one is that of the page', () => {
  const days = daysUntil(AT, 3)
  expect(days.map((day) => new Date(day * DAY * 1000).toISOString().slice(0, 10))).toEqual([
    ...['2026-11-26', '2026-11-27', '2026-11-28'],
  ])
})

test('each night shows what became of its run', () => {
  const runs = [
    ...[run(0), run(1, { verified: 'none' }), run(2, { state: 'incomplete' }), run(3, { state: 'misdated' })],
    ...[run(4, { state: 'objects-missing' }), run(5, { state: 'unreadable' }), run(6, { state: 'unsupported' })],
  ]
  expect(kinds({ daily: runs })).toEqual(['odd', 'bad', 'bad', 'odd', 'incomplete', 'unverified', 'good'])
})

test('a run that an operator found damaged is not a good one', () => {
  const verdict = { by: 'operator', depth: 'stream', ok: false, at: AT } as const
  const [last] = week({ daily: [run(0, { verdict })] }).slice(-1)
  expect(last).toMatchObject({ kind: 'bad' })
  expect(last!.text).toContain('does not read back')
})

test('a night without a run is only bad once the objective is missed', () => {
  expect(kinds({ daily: [run(3), run(4)] })).toEqual(['before', 'before', 'good', 'good', 'late', 'late', 'late'])
  expect(kinds({ monthly: [run(3)] })).toEqual(['before', 'before', 'before', 'good', 'none', 'none', 'none'])
})

test('failures do not make up for a good run', () => {
  const bad = { state: 'incomplete' } as const
  expect(kinds({ daily: [run(2, bad), run(5)] }).slice(1)).toEqual([
    'good',
    'late',
    'late',
    'incomplete',
    'late',
    'late',
  ])
})

test('a host that never had any shows since when that is known', () => {
  expect(kinds({ daily: [] }, { overdue: true, runs: 0 })).toEqual([
    ...['before', 'before', 'before', 'late', 'late', 'late', 'late'],
  ])
})

test('of several runs in a day the best counts, and all are told of', () => {
  const [night] = week({ daily: [run(0), run(0.05, { state: 'incomplete' })] }).slice(-1)
  expect(night!.kind).toBe('good')
  expect(night!.text).toMatch(/02:05 UTC: complete, verified by checksum.*00:53 UTC: incomplete/)
})

test('of several classes the worst counts, unless one is chosen', () => {
  const classes = { daily: [run(0)], monthly: [run(0, { state: 'incomplete' })] }
  expect(kinds(classes).at(-1)).toBe('incomplete')
  expect(kinds(classes, {}, 'daily').at(-1)).toBe('good')
})

test('each cell says who, when and what', () => {
  expect(week({ daily: [run(1)] })[5]!.text).toBe(
    'web-01, Fri 27 November. 02:05 UTC: complete, verified by checksum, 1.9 GiB stored of 3.7 GiB, 3K entries, 1 min 10 s',
  )
})
