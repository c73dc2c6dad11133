import { readFileSync } from 'node:fs'
import { join } from 'node:path'
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
