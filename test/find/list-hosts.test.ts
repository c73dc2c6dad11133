import { manifestKey } from '../../agent/contract'
import { listHosts } from '../support/commands'
import { silentLog } from '../support/log'
import { memoryStore, timeOf } from '../support/memory-store'
import { requestOf } from '../support/request'

const { signal } = new AbortController()
const now = () => new Date('2026-02-02T05:05:06Z')
const ARN = 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc1234def567890'
const [OLD, NEW] = ['20260130T020000Z-aaaaaa', '20260201T020000Z-bbbbbb']

async function hostsOf(...options: readonly string[]) {
  const store = memoryStore()
  for (const [host, className, run] of [
    [ARN, 'daily', OLD],
    [ARN, 'daily', NEW],
    [ARN, 'monthly', OLD],
    ['db-1', 'daily', OLD],
    ['db-2', 'daily', '20990101T000000Z-zzzzzz'],
  ] as const) {
    const key = manifestKey({ host, class: className, run })
    await store.put(key, '{}', signal)
    const lastModified = run.startsWith('2099') ? now() : timeOf(key)
    store.objects.set(key, { ...store.objects.get(key)!, lastModified })
  }
  return listHosts({ store, signal, now, log: silentLog }, requestOf('list', 'nobody', '--hosts', ...options))
}

test('an operator sees every host, and how old its newest run is', async () => {
  const { status, summary, json } = await hostsOf()
  expect([status, summary]).toEqual([
    0,
    `3 hosts with runs; when the newest began:
  ${ARN}  27 h      3 runs  daily,monthly
  db-1${' '.repeat(ARN.length - 4)}  3 d       1 run   daily
  db-2${' '.repeat(ARN.length - 4)}  MISDATED  1 run   daily`,
  ])
  expect(json).toMatchObject({
    total: 3,
    hosts: [
      {
        host: ARN,
        classes: ['daily', 'monthly'],
        runs: 3,
        newest: { run: NEW, startedAt: '2026-02-01T02:00:00.000Z' },
      },
      { host: 'db-1', newest: { run: OLD } },
      { host: 'db-2', runs: 1 },
    ],
  })
})

test('of one class, and no more than were asked for', async () => {
  const { summary, json } = await hostsOf('--class', 'daily', '--limit', '1')
  expect(json).toMatchObject({ total: 3, hosts: [{ host: ARN, classes: ['daily'], runs: 2 }] })
  expect(summary).toContain('… and 2 more hosts: --limit shows more')
})

test('of an empty bucket there is nothing to tell', async () => {
  const deps = { store: memoryStore(), signal, now, log: silentLog }
  expect(await listHosts(deps, requestOf('list', 'nobody', '--hosts'))).toMatchObject({
    status: 0,
    summary: 'No host has a run here.',
    json: { total: 0, hosts: [] },
  })
})
