/** A whole host is restored from its newest run: what that lacks and an earlier one has must not be missed silently. */
import type { RestoreOutput } from '../../agent/restore/output-schema'
import { addElsewhere, findElsewhere } from '../../agent/restore/elsewhere.io'
import { manifestKey } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import { formatManifest } from '../../agent/run/manifest'
import type { WithHost, RestoreRequest } from '../../agent/options/commands'
import { logWarnings } from '../support/log'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import { memoryStore, type MemoryStore } from '../support/memory-store'
import { backedUp, restored } from './fixture'

const signal = new AbortController().signal
const place = { class: 'daily', host: 'db-1' }
const NEWEST = '20260131T020000Z-k3xw7a'

const runOn = (day: number) => `202601${String(day).padStart(2, '0')}T020000Z-aaaaaa`

function manifestWith(run: string, mountPoints: readonly string[]) {
  const at = { ...place, run }
  const volumes = mountPoints.map((mountPoint) => {
    const volume = `vg0-${mountPoint.slice(1) || 'root'}`
    return volumeBackupOf({ volume, mountPoint }, at)
  })
  return manifestOf({ ...at, volumes })
}

async function add(store: MemoryStore, run: string, mountPoints: readonly string[]) {
  await store.put(manifestKey({ ...place, run }), formatManifest(manifestWith(run, mountPoints)), signal)
}

function elsewhere(store: MemoryStore, changes: Partial<RestoreRequest> = {}, warnings: string[] = []) {
  const request = { ...place, class: undefined, run: undefined, at: undefined, volume: [], path: [], ...changes }
  const newest = manifestWith(NEWEST, ['/'])
  return findElsewhere(
    { store, signal, now: () => new Date(), log: logWarnings(warnings) },
    request as unknown as WithHost<RestoreRequest>,
    newest,
  )
}

async function hostThatLostVolumes(): Promise<MemoryStore> {
  const store = memoryStore()
  await add(store, NEWEST, ['/'])
  await add(store, runOn(30), ['/', '/srv'])
  await add(store, runOn(29), ['/', '/srv', '/home'])
  return store
}

test('volumes that the newest run lacks are named, each with the newest run that has it', async () => {
  const warnings: string[] = []
  expect(await elsewhere(await hostThatLostVolumes(), {}, warnings)).toEqual([
    { mountPoint: '/srv', run: runOn(30) },
    { mountPoint: '/home', run: runOn(29) },
  ])
  expect(warnings).toEqual([
    `not in this run: /srv; the newest run that has it is ${runOn(30)}`,
    `not in this run: /home; the newest run that has it is ${runOn(29)}`,
  ])
})

test.each<Partial<RestoreRequest>>([{ run: NEWEST }, { at: new Date() }, { volume: ['/'] }, { path: ['/etc'] }])(
  'whoever knows what they want is told of nothing else: %j',
  async (changes) => {
    const store = await hostThatLostVolumes()
    const asked: string[] = []
    const watched: MemoryStore = { ...store, get: (key, ...rest) => (asked.push(key), store.get(key, ...rest)) }
    expect([await elsewhere(watched, changes), asked]).toEqual([[], []])
  },
)

test('ten runs before it are looked at, whatever there is: that takes ten small requests', async () => {
  const store = memoryStore()
  for (let day = 10; day < 30; day++) await add(store, runOn(day), day < 20 ? ['/', '/srv'] : ['/'])
  const asked: string[] = []
  const watched: MemoryStore = { ...store, get: (key, ...rest) => (asked.push(key), store.get(key, ...rest)) }
  expect([await elsewhere(watched), asked.length]).toEqual([[], 10])
})

test('a run that cannot be read, or is not what its name says, is passed over', async () => {
  const store = await hostThatLostVolumes()
  const key = manifestKey({ ...place, run: runOn(30) })
  store.objects.set(key, { ...store.objects.get(key)!, body: Buffer.from('{}') })
  const misdated = manifestKey({ ...place, run: runOn(29) })
  store.objects.set(misdated, { ...store.objects.get(misdated)!, lastModified: new Date('2026-03-01') })
  await add(store, runOn(28), ['/srv'])
  expect(await elsewhere(store)).toEqual([{ mountPoint: '/srv', run: runOn(28) }])
})

test('where it cannot be found out, the restore goes on', async () => {
  const list = () => {
    throw new AgentError('ACCESS_DENIED', 'no', { hint: 'no' })
  }
  expect(await elsewhere({ ...memoryStore(), list, listFolders: list })).toEqual([])
})

test('a restore of the newest run says so in its summary and its JSON, and its status stays', async () => {
  const store = backedUp()
  await add(store, runOn(30), ['/', '/srv', '/home'])
  const { status, summary, json } = await restored({ run: undefined, class: undefined, dryRun: true }, store)
  expect(status).toBe(0)
  expect(summary.split('\n')[1]).toBe(`  WARNING not in this run: /home; the newest run that has it is ${runOn(30)}`)
  expect(json).toMatchObject({ run: NEWEST, elsewhere: [{ mountPoint: '/home', run: runOn(30) }] })
})

test('nothing is added where nothing is missing', () => {
  const outcome = { status: 0, summary: 'Restore: OK', json: {} as RestoreOutput } as const
  expect(addElsewhere(outcome, [])).toBe(outcome)
})
