import { fleetConfigSchema } from '../../../fleet/model/config'
import type { HostHistory, HostView, RunDetail, RunRecord } from '../../../fleet/model/records'
import { collectPageData, DAYS } from '../../../fleet/report/collect'
import { unpackTable } from '../../../fleet/report/columnar'
import { unpackRuns } from '../../../fleet/report/packed-runs'
import { AT, classView, fleetView, hostView } from '../../support/fleet-view'

const config = fleetConfigSchema.parse({
  classes: [{ name: 'daily', maxAgeHours: 36, expireAfterDays: 35 }],
  schedules: [],
})

function collect(host: HostView, history?: Partial<HostHistory['classes'][number]>) {
  const classes = history ? [{ class: 'daily', runs: [], ...history }] : []
  const histories = new Map([[host.host, { host: host.host, classes }]])
  return collectPageData({ view: fleetView([host]), histories, config, cost: undefined, at: AT })
}

function runAgo(days: number): RunRecord {
  const sizes = { volumes: 1, objects: 2, entries: 3, rawBytes: 4, storedBytes: 5, catalogBytes: 6, seconds: 7 }
  return { run: 'r', writtenAt: AT - days * 86_400, state: 'complete', verified: 'checksum', ...sizes }
}

const detail: RunDetail = {
  run: 'r',
  hostname: 'h',
  os: 'o',
  agentVersion: '1',
  volumes: [],
  failures: [],
  notBackedUp: [],
}

function runsShown(runs: readonly RunRecord[]): number {
  const [row] = unpackTable(collect(hostView(), { runs }).classes)
  return unpackRuns(row!.runs, AT).length
}

test('shows five weeks of nights, and of rarer runs a dozen', () => {
  expect(runsShown(Array.from({ length: 60 }, (_, night) => runAgo(night)))).toBe(DAYS + 1)
  expect(runsShown(Array.from({ length: 60 }, (_, month) => runAgo(month * 30)))).toBe(12)
})

test('a host that runs without end does not make the page endless', () => {
  expect(runsShown(Array.from({ length: 5000 }, () => runAgo(1)))).toBe(210)
  const failure = { volume: 'v', mountPoint: '/', code: 'c', message: 'm'.repeat(100_000), hint: 'h' }
  const data = collect(hostView(), { newest: { ...detail, failures: Array.from({ length: 5000 }, () => failure) } })
  expect(JSON.stringify(data).length).toBeLessThan(50_000)
})

test('long text is cut where it can be, and says that it was', () => {
  const [host] = unpackTable(collect(hostView({ reason: `${'x'.repeat(398)}😀${'y'.repeat(100)}` })).hosts)
  expect(host!.reason).toBe(`${'x'.repeat(398)}…`)
})

test('text of hosts is printable, whatever it was', () => {
  const evil = 'a\u202Eb\u0007\nc'
  const failure = { volume: 'v', mountPoint: evil, code: evil, message: evil, hint: evil }
  const drill = {
    class: 'daily',
    run: evil,
    at: AT,
    ok: false,
    restoreSeconds: 1,
    restoredBytes: 1,
    entries: 1,
    problem: evil,
    share: evil,
  }
  const host = hostView({
    ...{ host: 'h', name: evil, reason: evil, advice: evil, drill, leftOut: [{ mountPoint: evil, reason: evil }] },
    classes: [classView({ reason: evil, suspicions: [evil] })],
  })
  const volume = {
    volume: 'v',
    mountPoint: evil,
    filesystem: evil,
    source: evil,
    entries: 1,
    rawBytes: 1,
    storedBytes: 1,
    warnings: 0,
  }
  const json = JSON.stringify(collect(host, { newest: { ...detail, failures: [failure], volumes: [volume] } }))
  expect(json.match(/a\?b\? \| c/g)!.length).toBeGreaterThan(12)
  expect(json).not.toMatch(/\u202E|\\u0007|a.b.\\n/)
})

test('the name of a host is whole: nobody finds a run by half of one', () => {
  const [host] = unpackTable(collect(hostView()).hosts)
  expect(host!.prefix + host!.id).toBe(hostView().host)
  expect(host!.prefix).toBe('arn:aws:ec2:eu-west-1:123456789012:instance/')
})
