/** A pass of the auditor, from what it saw to what it leaves: between a vault in memory and lists of what it told. */
import '../../support/report-page'
import { carryOut, type AuditRequest } from '../../../fleet/audit/audit.io'
import { readState } from '../../../fleet/evidence/state-file.io'
import { judgeFleet } from '../../../fleet/model/judge'
import type { HostMemory } from '../../../fleet/model/records'
import type { Observation } from '../../../fleet/observe.io'
import { asHistories, depsOf, objectsOf, putRun } from '../../support/audited-bucket'
import { ACCOUNT, aHistory, arnOf, DAY, fleetConfig, HOUR, NOW, REGION } from '../../support/fleet'
import { logWarnings } from '../../support/log'
import { memoryOutlets } from '../../support/memory-outlets'
import { memoryVault } from '../../support/memory-vault'

const WELL = arnOf('i-0aaaaaaaaaaaaaaaa')
const SILENT = arnOf('i-0bbbbbbbbbbbbbbbb')
const PAGES = ['reports/fleet.json', 'reports/fleet.csv', 'reports/index.html']
const STATE = 'fleet/state.jsonl.zst'
const remembered = (host: string, state: HostMemory['state']): [string, HostMemory] => [
  host,
  { host, state, stateSince: NOW - 20 * DAY, expectedSince: { daily: NOW - 20 * DAY } },
]

/** Two hosts: one with six good nights, one that fell silent five days ago, which the last pass did not know yet. */
function fleet(
  memories: ReadonlyMap<string, HostMemory> = new Map([remembered(WELL, 'protected'), remembered(SILENT, 'protected')]),
) {
  const vault = memoryVault()
  const runs = (host: string, newestAt: number) =>
    Array.from({ length: 6 }, (_, night) => putRun(vault, { class: 'daily', host }, newestAt - night * DAY))
  const histories = asHistories(aHistory(WELL, runs(WELL, NOW - HOUR)), aHistory(SILENT, runs(SILENT, NOW - 5 * DAY)))
  const host = (name: string) => ({
    ...{ host: name, account: ACCOUNT, region: REGION, power: 'running' as const, classes: ['daily'] },
    ...{ expectedBy: ['tag', 'managed'] as const, managed: { ping: 'online' as const } },
  })
  const inventory = { hosts: [host(WELL), host(SILENT)], accounts: [{ account: ACCOUNT, region: REGION }] }
  const config = fleetConfig()
  const explanations = [] as const
  const view = judgeFleet({ config, inventory, histories, memories, explanations, now: NOW })
  const observation: Observation = { at: NOW, config, view, histories, memories, explanations, inventory }
  const outlets = memoryOutlets()
  const warnings: string[] = []
  const deps = { ...depsOf(vault), outlets, log: logWarnings(warnings) }
  const pass = (changes: Partial<AuditRequest> = {}, more: Partial<typeof deps> = {}) =>
    carryOut(
      { ...deps, ...more },
      {
        ...{ config, stack: 'Snapstream', bucket: 'backups', place: { account: ACCOUNT, region: REGION } },
        ...{ version: '1.2.3', perHostMetrics: false, digest: false, ...changes },
      },
      observation,
    )
  return { vault, outlets, warnings, pass, deps }
}

const valueOf = (outlets: ReturnType<typeof memoryOutlets>, name: string) =>
  outlets.metrics.find((datum) => datum.name === name)?.value

test('what is found is written down, then told, and then what is dispensable is marked', async () => {
  const { vault, outlets, pass, deps } = fleet()
  expect(await pass()).toEqual([])
  expect(vault.written).toEqual([STATE, ...PAGES, STATE])
  expect([valueOf(outlets, 'HostsOverdue'), valueOf(outlets, 'Heartbeat')]).toEqual([1, 1])
  expect(outlets.compliance.map(({ resourceId, items }) => [resourceId, items[0]!.status]).sort()).toEqual([
    ['i-0aaaaaaaaaaaaaaaa', 'COMPLIANT'],
    ['i-0bbbbbbbbbbbbbbbb', 'NON_COMPLIANT'],
  ])
  expect(outlets.events).toMatchObject([{ host: SILENT, from: 'protected', to: 'stale', overdue: true }])
  expect(outlets.digests).toEqual([])
  // Each host keeps its last three good runs, and the silent one no less.
  expect(vault.superseded.size).toBe(2 * 3 * objectsOf({ class: 'daily', host: WELL, run: 'x' }).length)
  const state = await readState(deps)
  expect(state?.memories.get(SILENT)?.state).toBe('stale')
  expect(state?.histories.get(WELL)?.classes[0]?.runs.filter(({ superseded }) => superseded)).toHaveLength(3)
})

test('the report names the host, on all three pages', async () => {
  const { vault, pass } = fleet()
  await pass()
  for (const key of PAGES) expect(vault.store.objects.get(key)!.body.toString()).toContain('i-0bbbbbbbbbbbbbbbb')
})

test.each([
  ['readBucketSizes', 'trend'],
  ['putMetrics', 'metrics'],
  ['putCompliance', 'compliance'],
  ['putEvents', 'events'],
  ['publish', 'digest'],
  ['findVolumes', 'leftovers'],
])('where %s fails, the pass fails, with all else done', async (call, step) => {
  const { vault, outlets, warnings, pass } = fleet()
  outlets.broken.add(call)
  const failed = await pass({ digest: true })
  expect(failed.map((each) => each.step)).toEqual([step])
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toMatch(new RegExp(`^failed: ${step}: .*${call} does not work`))
  expect(vault.written).toEqual([STATE, ...PAGES, STATE])
  expect(vault.superseded.size).toBeGreaterThan(0)
  expect({
    trend: true,
    metrics: outlets.metrics.length > 0,
    compliance: outlets.compliance.length > 0,
    events: outlets.events.length > 0,
    digest: outlets.digests.length > 0,
    leftovers: true,
    [step]: false,
  }).toEqual({
    trend: true,
    metrics: true,
    compliance: true,
    events: true,
    digest: true,
    leftovers: true,
    [step]: false,
  })
})

test.each([
  ['the state', STATE, ['state', 'superseded']],
  ['the report', 'reports/index.html', ['report']],
])('where %s cannot be written, all is told nevertheless, without a heartbeat', async (_, key, steps) => {
  const { vault, outlets, pass } = fleet()
  const write = vault.write.bind(vault)
  vault.write = async (...args) => {
    if (args[0] === key) throw new Error('no room')
    return write(...args)
  }
  expect((await pass()).map(({ step }) => step)).toEqual(steps)
  expect([valueOf(outlets, 'HostsOverdue'), valueOf(outlets, 'Heartbeat')]).toEqual([1, undefined])
  expect(outlets.events).toHaveLength(1)
})

test('where a rule of the bucket expires what bears no tag, the pass fails', async () => {
  const { vault, pass } = fleet()
  vault.rules = [{ prefix: 'data/daily/', expireAfterDays: 35, needsTag: false, transitions: [] }]
  expect(await pass()).toMatchObject([{ step: 'superseded' }])
})

test('out of time, it does nothing more, and says of each step that it was not done', async () => {
  const { vault, pass } = fleet()
  const steps = (await pass({}, { signal: AbortSignal.abort() })).map(({ step }) => step)
  expect(steps).toEqual(['state', 'report', 'trend', 'metrics', 'compliance', 'events', 'superseded', 'leftovers'])
  expect(vault.written).toEqual([])
})

test('the first pass tells nobody that all hosts are new', async () => {
  const { outlets, pass } = fleet(new Map())
  expect(await pass()).toEqual([])
  expect(outlets.events).toEqual([])
  expect(outlets.compliance).toHaveLength(2)
})

test('a host that is as it was is no event', async () => {
  const { outlets, pass } = fleet(new Map([remembered(WELL, 'protected'), remembered(SILENT, 'stale')]))
  await pass()
  expect(outlets.events).toEqual([])
})

test('the digest has what S3 says of the bucket', async () => {
  const { outlets, pass } = fleet()
  outlets.sizes = Array.from({ length: 30 }, (_, day) => ({ day, bytes: 1024 ** 3 * (day === 29 ? 2 : 1) }))
  await pass({ digest: true })
  expect(outlets.digests).toMatchObject([{ subject: 'Snapstream: 1 of 2 hosts to look at, 1 without a good backup' }])
  expect(outlets.digests[0]!.text).toContain('2 GiB by S3')
  expect(valueOf(outlets, 'StorageOutOfTrend')).toBe(1)
})

test('one leftover that cannot be removed keeps none of the others', async () => {
  const { outlets, pass, warnings } = fleet()
  const tags = {
    'snapstream:host': WELL,
    'snapstream:run': '20260101T010000Z-abc123',
    'snapstream:expires': '2026-01-03T00:00:00Z',
  }
  outlets.volumes = ['vol-1', 'vol-2'].map((volumeId) => ({
    volumeId,
    state: 'available',
    createdAt: new Date(0),
    tags,
  }))
  outlets.broken.add('deleteVolume vol-1')
  expect(await pass()).toMatchObject([{ step: 'leftovers' }])
  expect(outlets.removed).toEqual(['vol-2'])
  expect(warnings.join('\n')).toContain('vol-1 was not deleted: Error: deleteVolume vol-1 does not work')
})
