import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { planMetrics, type MetricsCase } from '../../fleet/audit/metrics'
import { fleetView, hostView } from '../support/fleet-view'
import { resourceOf, resourcesOf, resolve, synthesize } from './synthesize'

const template = synthesize()
const alarms = Object.values(resourcesOf(template, 'AWS::CloudWatch::Alarm'))
const titles = alarms.map(({ Properties }) => (Properties.AlarmName as string).replace(/^Snapstream: /, ''))
const headings = [...readFileSync(join(__dirname, '../../docs/runbook.md'), 'utf8').matchAll(/^## (.*)$/gm)].map(
  ([, title]) => title,
)

test.each(titles)('what to do about "%s" is in the runbook', (title) => {
  expect(headings).toContain(title)
})

test('each of them reaches the topic, when it begins and when it is over', () => {
  expect(alarms.length).toBeGreaterThanOrEqual(5)
  const topic = [{ Ref: Object.keys(resourcesOf(template, 'AWS::SNS::Topic'))[0] }]
  for (const { Properties } of alarms) expect(Properties).toMatchObject({ AlarmActions: topic, OKActions: topic })
})

test('where nothing is heard of the auditor, that is bad news; no other alarm ends by it', () => {
  const silence = Object.fromEntries(
    alarms.map(({ Properties }) => [Properties.AlarmName, Properties.TreatMissingData]),
  )
  expect(silence).toMatchObject({ 'Snapstream: The auditor is silent': 'breaching' })
  const others = Object.entries(silence).filter(([name]) => name !== 'Snapstream: The auditor is silent')
  expect(new Set(others.map(([, treat]) => treat))).toEqual(new Set(['ignore']))
})

test('they are about what the auditor of this stack measures', () => {
  const { Dimensions, MetricName, Namespace } = resourceOf(
    template,
    'AWS::CloudWatch::Alarm',
    'AuditorAlarmsOverdue',
  ).Properties
  expect(resolve(Dimensions!)).toEqual([{ Name: 'Stack', Value: 'Snapstream' }])
  expect([Namespace, MetricName]).toEqual(['Snapstream', 'HostsOverdue'])
})

/** What each alarm says hour by hour: CloudWatch's rules, as far as these alarms use them (its user guide, "Using alarms"). */
function watch(hours: readonly Hour[]): Record<string, string> {
  const told = alarms.map(({ Properties }) => {
    const { AlarmName, MetricName, Threshold, EvaluationPeriods, ComparisonOperator, TreatMissingData } = Properties
    const isBad = (value: number) =>
      ComparisonOperator === 'LessThanThreshold' ? value < (Threshold as number) : value >= (Threshold as number)
    let state = 'OK'
    const states = hours.map((_, hour) => {
      const range = hours.slice(Math.max(0, hour + 1 - (EvaluationPeriods as number)), hour + 1)
      const values = range.map((each) => each?.[MetricName as string])
      if (range.length < (EvaluationPeriods as number)) return state
      if (TreatMissingData === 'ignore' && values.includes(undefined)) return state
      state = values.every((value) => value === undefined || isBad(value)) ? 'ALARM' : 'OK'
      return state
    })
    return [(AlarmName as string).replace(/^Snapstream: /, ''), states.map((each) => each[0]).join('')] as const
  })
  return Object.fromEntries(told.filter(([, states]) => states.includes('A')))
}

/** What is measured in one hour: nothing, where the auditor does not come. */
type Hour = Readonly<Record<string, number>> | undefined

/** An hourly pass over a fleet. */
function measure(
  hosts: Parameters<typeof fleetView>[0],
  changes: Partial<MetricsCase> & { problem?: string } = {},
): Hour {
  const { problem, ...more } = changes
  const accounts = [{ account: '111111111111', region: 'eu-west-1', ...(problem !== undefined && { problem }) }]
  const usual = { stack: 'Snapstream', perHost: false, outOfTrend: false, heartbeat: true }
  const data = planMetrics({ view: fleetView(hosts, { accounts }), ...usual, ...more })
  const ofFleet = data.filter(({ dimensions }) => !('State' in dimensions))
  return { Errors: 0, ...Object.fromEntries(ofFleet.map(({ name, value }) => [name, value])) }
}

const well = hostView()
const late = hostView({ state: 'stale', overdue: true })
const times = (count: number, hour: Hour): Hour[] => Array.from({ length: count }, () => hour)

describe('hour by hour', () => {
  test('a fleet that is well wakes nobody', () => {
    expect(watch(times(50, measure([well, well])))).toEqual({})
  })

  test('a host without a good backup wakes somebody in that hour, until it has one; a host that is stopped does not', () => {
    const stopped = hostView({ state: 'stopped' })
    const hours = [
      ...times(4, measure([well, stopped])),
      ...times(3, measure([late, stopped])),
      measure([well, stopped]),
    ]
    expect(watch(hours)).toEqual({ 'A host has no good backup': 'OOOOAAAO' })
  })

  test('an auditor that does not come any more wakes somebody after three hours, and leaves all other alarms as they are', () => {
    const hours = [...times(4, measure([late])), ...times(5, undefined), measure([well])]
    expect(watch(hours)).toEqual({
      'A host has no good backup': 'AAAAAAAAAO',
      'The auditor is silent': 'OOOOOOAAAO',
    })
  })

  test('an auditor that comes and cannot write down what it finds is silent, too', () => {
    const hours = times(5, { ...measure([well], { heartbeat: false }), Errors: 1 })
    expect(watch(hours)).toEqual({ 'The auditor is silent': 'OOAAA', 'The auditor fails in part': 'AAAAA' })
  })

  test('a digest that fails comes once a week, and is told of in that hour', () => {
    const hours = [measure([well]), { ...measure([well]), Errors: 1 }, measure([well])]
    expect(watch(hours)).toEqual({ 'The auditor fails in part': 'OAO' })
  })

  test('an account that cannot be asked for three hours, a backup that is odd, and a bucket that grows', () => {
    const unknown = measure([well], { problem: 'AccessDenied' })
    expect(watch([...times(2, unknown), measure([well])])).toEqual({})
    expect(watch(times(4, unknown))).toEqual({ 'Hosts of an account are not known': 'OOAA' })
    expect(watch([measure([hostView({ state: 'suspicious' })])])).toEqual({ 'A backup is not like the others': 'A' })
    expect(watch([measure([well], { outOfTrend: true })])).toEqual({ 'The bucket grows out of its trend': 'A' })
  })
})
