import { drillKey, manifestKey, type RunKey } from '../../agent/contract'
import { chooseRun } from '../../agent/drill/choose-run.io'
import { neverAborted } from '../../agent/lib/never-aborted'
import { storeWith } from '../support/archives'
import { logWarnings } from '../support/log'
import type { MemoryStore } from '../support/memory-store'
import { refusalOf } from '../support/refusal'
import { requestOf } from '../support/request'

const NEW = '20260131T020000Z-k3xw7a'
const OLD = '20260130T020000Z-k3xw7a'
const keyOf = (host: string, run = NEW, name = 'daily'): RunKey => ({ class: name, host, run })
const bucket = (...runs: RunKey[]) => storeWith(new Map(runs.map((run) => [manifestKey(run), Buffer.from('{}')])))
/** A drill of a host, by S3's clock. */
function record(store: MemoryStore, key: RunKey, lastModified: string): void {
  const time = lastModified.replace(/[-:]/g, '')
  const object = { body: Buffer.from('{}'), storageClass: 'STANDARD', lastModified: new Date(lastModified) }
  store.objects.set(drillKey(key, time), object)
}

let warnings: string[]
const choose = (store: MemoryStore, host?: string, ...options: string[]) => {
  warnings = []
  const request = requestOf('drill', host ?? 'any', ...options)
  const deps = { store, log: logWarnings(warnings), now: () => new Date(), signal: neverAborted() }
  return chooseRun(deps, { ...request, host }, () => 0.5)
}

test('a host that is named: its newest run, or the one that is named', async () => {
  const store = bucket(keyOf('db1', OLD), keyOf('db1'), keyOf('web1'))
  expect(await choose(store, 'db1')).toMatchObject(keyOf('db1'))
  expect(await choose(store, 'db1', '--run', OLD)).toMatchObject(keyOf('db1', OLD))
})

test('without a name, the rotation goes through all hosts of the class, by what is on record', async () => {
  const hosts = ['arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0', 'db1', 'web1']
  const store = bucket(...hosts.map((host) => keyOf(host)), keyOf('other', NEW, 'weekly'))
  const seen: string[] = []
  for (let day = 1; day <= 6; day++) {
    const { host } = await choose(store)
    seen.push(host)
    record(store, keyOf(host), `2026-02-0${day}T03:00:00Z`)
  }
  expect(seen.slice(0, 3).toSorted()).toEqual(hosts)
  expect(seen.slice(3)).toEqual(seen.slice(0, 3))
})

test('a host of which no run is what its name says keeps no other from its turn', async () => {
  const store = bucket(keyOf('db1'), keyOf('web1'))
  const forged = store.objects.get(manifestKey(keyOf('db1')))!
  store.objects.set(manifestKey(keyOf('db1')), { ...forged, lastModified: new Date('2026-03-01T00:00:00Z') })
  record(store, keyOf('web1'), '2026-02-01T03:00:00Z')
  expect((await choose(store)).host).toBe('web1')
  expect(warnings).toEqual([expect.stringMatching(/^db1 has no run to restore: /)])
})

test('what lies below drills/ and is no record of a drill counts for nothing', async () => {
  const store = bucket(keyOf('db1'), keyOf('web1'))
  record(store, keyOf('web1'), '2026-02-01T03:00:00Z')
  const stray = { body: Buffer.from(''), storageClass: 'STANDARD', lastModified: new Date('2026-02-02T03:00:00Z') }
  store.objects.set('drills/daily/db1/x', stray)
  expect((await choose(store)).host).toBe('db1')
})

test('an empty bucket says so', async () => {
  expect(await refusalOf(choose(bucket()))).toMatchObject({
    code: 'UNKNOWN_RUN',
    message: "no host has a run of class 'daily'",
    hint: expect.stringContaining('list --hosts'),
  })
})
