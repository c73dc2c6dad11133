import { catalogKey, dataKey, drillKey, manifestKey, removedKey, verificationKey } from '../../../agent/contract'
import { AgentError } from '../../../agent/errors'
import { agentVersion } from '../../../agent/backup/system-record.io'
import { readEvidence } from '../../../fleet/evidence/pass.io'
import type { FleetState } from '../../../fleet/evidence/state'
import { fleetConfigSchema } from '../../../fleet/model/config'
import type { HostHistory, RunRecord } from '../../../fleet/model/records'
import type { FleetDeps } from '../../../fleet/vault'
import { fleetBucket, nightly } from '../../support/fleet-bucket'
import { differentialOf, volumeBackupOf } from '../../support/manifest'

const ARN = 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0'
const config = fleetConfigSchema.parse({
  classes: [{ name: 'daily', maxAgeHours: 36, keepAtLeast: 2, expireAfterDays: 35 }],
  schedules: [],
})
const NOW = Date.UTC(2026, 0, 31) / 1000

type Histories = ReadonlyMap<string, HostHistory>

function after(histories: Histories, version = agentVersion): FleetState {
  const inventory = { hosts: [], accounts: [] }
  return { at: NOW, version, config, inventory, histories, memories: new Map() }
}

const look = (deps: FleetDeps, before?: Histories, now = NOW) =>
  readEvidence(deps, before && after(before), { config, now })
const runsOf = (histories: Histories, host: string, className = 'daily'): readonly RunRecord[] =>
  histories.get(host)?.classes.find((each) => each.class === className)?.runs ?? []
const runOf = (histories: Histories, host = 'db1') => runsOf(histories, host)[0]

test('an empty bucket has no hosts', async () => {
  expect(await look(fleetBucket().deps)).toEqual(new Map())
})

test('a run is what its manifest says, dated by S3; its objects are seen to be there', async () => {
  const { deps, putRun } = fleetBucket()
  putRun(nightly(ARN, 30), { verified: 'stream' }, ['vg0-home', 'vg0-srv'])
  const histories = await look(deps)
  expect([...histories.keys()]).toEqual([ARN])
  expect(runOf(histories, ARN)).toEqual({
    ...{ run: '20260130T020000Z-aaaaaa', writtenAt: Date.UTC(2026, 0, 30, 2, 2) / 1000 },
    ...{ state: 'complete', verified: 'stream', volumes: 2, objects: 4, entries: 6 },
    ...{ rawBytes: 40_960, storedBytes: 2000, catalogBytes: 600, seconds: 60, presentAt: NOW },
  })
  expect(histories.get(ARN)?.classes[0]?.newest).toMatchObject({
    ...{ run: '20260130T020000Z-aaaaaa', hostname: 'db-1', agentVersion: '0.1.0' },
    volumes: [{ volume: 'vg0-home', mountPoint: '/vg0-home', source: 'lvm', warnings: 0 }, { volume: 'vg0-srv' }],
  })
})

test('a manifest is read once, and what has gone from the bucket is dropped', async () => {
  const { deps, store, putRun, readOf } = fleetBucket()
  for (const host of ['db1', 'web1']) for (const day of [27, 28, 29]) putRun(nightly(host, day))
  const first = await look(deps)
  expect(readOf('manifests/')).toHaveLength(6)

  putRun(nightly('db1', 30))
  store.objects.delete(manifestKey(nightly('web1', 27)))
  const second = await look(deps, first)
  expect(readOf('')).toEqual([manifestKey(nightly('db1', 30))])
  expect(runsOf(second, 'db1').map(({ run }) => run.slice(0, 8))).toEqual([
    ...['20260130', '20260129', '20260128', '20260127'],
  ])
  expect(second.get('db1')?.classes[0]?.newest?.run).toBe('20260130T020000Z-aaaaaa')
  expect(runsOf(second, 'web1')).toHaveLength(2)

  for (const key of [...store.objects.keys()]) if (key.includes('/web1/')) store.objects.delete(key)
  const third = await look(deps, second)
  expect([...third.keys()]).toEqual(['db1'])
  // What nothing is new of is not made anew either.
  expect(third.get('db1')?.classes[0]).toBe(second.get('db1')?.classes[0])
  expect(readOf('')).toEqual([])
})

test('a manifest that has another time than before is another one', async () => {
  const { deps, put, store, putRun, readOf } = fleetBucket()
  const runKey = nightly('db1', 30)
  putRun(runKey)
  const first = await look(deps)
  readOf('')
  const { body } = store.objects.get(manifestKey(runKey))!
  put(manifestKey(runKey), body, new Date(Date.UTC(2026, 0, 30, 2, 3)))
  expect(runOf(await look(deps, first))?.writtenAt).toBe(Date.UTC(2026, 0, 30, 2, 3) / 1000)
  expect(readOf('manifests/')).toHaveLength(1)
})

test('what cannot be understood is told apart: no manifest, one of later, one of another time', async () => {
  const { deps, put, putRun } = fleetBucket()
  put(manifestKey(nightly('a', 30)), '{"format": 2}')
  put(manifestKey(nightly('b', 30)), '{"format": 99}')
  putRun(nightly('c', 30))
  put(manifestKey(nightly('d', 30)), '')
  const late = manifestKey(nightly('c', 30))
  put(late, fleetText('c'), new Date(Date.UTC(2026, 1, 20)))
  putRun(nightly('e', 30), { class: 'weekly' })
  const histories = await look(deps)
  const states = ['a', 'b', 'c', 'd', 'e'].map((host) => runOf(histories, host)?.state)
  expect(states).toEqual(['unreadable', 'unsupported', 'misdated', 'unreadable', 'unreadable'])
  expect(runOf(histories, 'a')).toMatchObject({ volumes: 0, storedBytes: 0, verified: 'none' })
  expect(runOf(histories, 'c')).toMatchObject({ volumes: 1, storedBytes: 1000 })
})

function fleetText(host: string): string {
  const { putRun, store } = fleetBucket()
  putRun(nightly(host, 30))
  return store.objects.get(manifestKey(nightly(host, 30)))!.body.toString()
}

test('another version of the program has another try at what the last one did not know', async () => {
  const { deps, put, readOf } = fleetBucket()
  put(manifestKey(nightly('db1', 30)), '{"format": 99}')
  const first = await look(deps)
  readOf('')
  await look(deps, first)
  expect(readOf('manifests/')).toEqual([])
  await readEvidence(deps, after(first, '0.0.1'), { config, now: NOW })
  expect(readOf('manifests/')).toEqual([manifestKey(nightly('db1', 30))])
})

test('a manifest that may not be read is not known to be bad: it is asked for until it may', async () => {
  const { deps, putRun, store } = fleetBucket()
  putRun(nightly('db1', 30))
  const denied = new AgentError('ACCESS_DENIED', 'kms:Decrypt is denied', { hint: '' })
  const getRange = () => Promise.reject(denied)
  const first = await look({ ...deps, vault: { ...deps.vault, store: { ...store, getRange } } })
  expect(runOf(first)).toMatchObject({ state: 'unreadable', unread: true })
  expect(runOf(await look(deps, first))).toMatchObject({ state: 'complete', verified: 'checksum' })
})

test.each<[string, string, (bucket: ReturnType<typeof fleetBucket>, data: string, catalog: string) => void]>([
  ['is gone', 'objects-missing', ({ store }, data) => store.objects.delete(data)],
  ['has another size', 'objects-missing', ({ put }, data) => put(data, 'short')],
  ['of the catalogs is gone', 'objects-missing', ({ store }, _, catalog) => store.objects.delete(catalog)],
  ['is younger than the run', 'objects-missing', ({ put }, data) => put(data, Buffer.alloc(1000), new Date())],
  ['is there besides', 'complete', ({ put }, data) => put(`${data}.more`, 'x')],
])('a run of which an object %s is %s', async (_, state, change) => {
  const bucket = fleetBucket()
  const runKey = nightly('db1', 30)
  bucket.putRun(runKey)
  change(bucket, dataKey(runKey, 'vg0-home', 'zstd', 0), catalogKey(runKey, 'vg0-home'))
  expect(runOf(await look(bucket.deps))?.state).toBe(state)
})

test('a host that puts objects without end beside its own ends no pass, and is not seen to be whole', async () => {
  const { deps, store, putRun, warnings } = fleetBucket()
  putRun(nightly('db1', 30))
  putRun(nightly('web1', 30))
  const place = 'data/daily/db1/'
  const list: typeof store.list = async function* (prefix, ...rest) {
    for (let index = 0; prefix === place; index++) {
      if (index > 300_000) throw new Error('this is asked for without end')
      const key = `${place}${nightly('db1', 30).run}/a${index}`
      yield { key, sizeBytes: 0, lastModified: new Date(0), storageClass: 'STANDARD' }
    }
    yield* store.list(prefix, ...rest)
  }
  const histories = await look({ ...deps, vault: { ...deps.vault, store: { ...deps.vault.store, list } } })
  expect(['db1', 'web1'].map((host) => runOf(histories, host)?.state)).toEqual(['objects-missing', 'complete'])
  expect(warnings).toEqual([expect.stringContaining('below data/daily/db1/ are too many objects')])
})

test('as many runs are looked for as have to be there, the newest again after a day, others once', async () => {
  const { deps, asked, store, putRun, readOf } = fleetBucket()
  for (const day of [26, 27, 28, 29]) putRun(nightly('db1', day))
  const first = await look(deps)
  expect(runsOf(first, 'db1').map(({ presentAt }) => presentAt)).toEqual([NOW, NOW, undefined, undefined])
  asked.length = 0

  await look(deps, first, NOW + 3600)
  expect(asked.filter((each) => /list (data|catalogs)/.test(each))).toEqual([])
  store.objects.delete(dataKey(nightly('db1', 29), 'vg0-home', 'zstd', 0))
  const later = await look(deps, first, NOW + 25 * 3600)
  expect(runsOf(later, 'db1').map(({ state }) => state)).toEqual([
    ...['objects-missing', 'complete', 'complete', 'complete'],
  ])
  // One of those that have to be there has gone: the next one takes its place, and is the one by which the host is judged.
  const soon = NOW + 25 * 3600
  expect(runsOf(later, 'db1').map(({ presentAt }) => presentAt)).toEqual([undefined, soon, soon, undefined])

  // Whoever restores the object is believed the next time.
  putRun(nightly('db1', 29))
  readOf('')
  expect(runOf(await look(deps, later, NOW + 26 * 3600))).toMatchObject({
    state: 'complete',
    presentAt: NOW + 26 * 3600,
  })
})

test('the run by which a host is judged is looked for, however many newer ones prove nothing', async () => {
  const { deps, store, putRun } = fleetBucket()
  putRun(nightly('db1', 26))
  for (const day of [27, 28, 29]) putRun(nightly('db1', day), { verified: 'none' })
  const first = await look(deps)
  expect(runsOf(first, 'db1').at(-1)).toMatchObject({ state: 'complete', presentAt: NOW })
  store.objects.delete(dataKey(nightly('db1', 26), 'vg0-home', 'zstd', 0))
  const later = await look(deps, first, NOW + 25 * 3600)
  expect(runsOf(later, 'db1').at(-1)?.state).toBe('objects-missing')
})

describe('a differential run', () => {
  const full = nightly('db1', 20)
  const volume = 'vg0-home'
  const dataOf = (runKey: typeof full) => dataKey(runKey, volume, 'zstd', 0)
  /** A full run of the 20th, and nights from the 26th on that hang on it. */
  const weekOf = (days: readonly number[]) => {
    const bucket = fleetBucket()
    bucket.putRun(full)
    const base = {
      run: full.run,
      takenAt: '2026-01-20T02:00:00.000Z',
      archive: volumeBackupOf({ volume }, full).archive,
    }
    for (const day of days) {
      const runKey = nightly('db1', day)
      bucket.putRun(runKey, { format: 3, volumes: [differentialOf({ volume, base }, runKey)] })
      bucket.put(removedKey(runKey, volume), Buffer.alloc(40))
    }
    return bucket
  }
  const statesOf = (histories: Histories) => runsOf(histories, 'db1').map(({ state }) => state)

  test('is good where its objects and those of its base are there', async () => {
    const histories = await look(weekOf([29, 30]).deps)
    expect(statesOf(histories)).toEqual(['complete', 'complete', 'complete'])
    expect(runOf(histories)).toMatchObject({ bases: [full.run], presentAt: NOW, objects: 2, catalogBytes: 340 })
    expect(histories.get('db1')?.classes[0]?.newest?.volumes[0]?.base).toBe(full.run)
  })

  test('without its list of what is removed is not', async () => {
    const { deps, store } = weekOf([29, 30])
    store.objects.delete(removedKey(nightly('db1', 30), volume))
    expect(statesOf(await look(deps))).toEqual(['objects-missing', 'complete', 'complete'])
  })

  test.each([
    ['archive', dataOf],
    ['catalog', (runKey: typeof full) => catalogKey(runKey, volume)],
  ])(
    'is not where the %s of its base is gone: nor are the others that hang on it, and all are once it is back',
    async (_, keyOf) => {
      const { deps, store, putRun } = weekOf([26, 27, 28, 29, 30])
      const first = await look(deps)
      store.objects.delete(keyOf(full))
      const later = await look(deps, first, NOW + 25 * 3600)
      expect(statesOf(later)).toEqual([...Array<string>(5).fill('base-missing'), 'objects-missing'])
      putRun(full)
      const back = await look(deps, later, NOW + 26 * 3600)
      expect(statesOf(await look(deps, back, NOW + 27 * 3600))).toEqual(Array(6).fill('complete'))
    },
  )

  test('whose base was deleted, manifest and all, is seen to be lost however old it is', async () => {
    const { deps, store } = weekOf([26, 27, 28, 29, 30])
    const first = await look(deps)
    for (const key of [manifestKey(full), dataOf(full), catalogKey(full, volume)]) store.objects.delete(key)
    const later = await look(deps, first, NOW + 25 * 3600)
    expect(statesOf(later)).toEqual(Array(5).fill('base-missing'))
  })

  test('whose base has lost its manifest only reads back, and is looked for once a day', async () => {
    const { deps, store, asked } = weekOf([26, 27, 28, 29, 30])
    const first = await look(deps)
    store.objects.delete(manifestKey(full))
    const later = await look(deps, first, NOW + 25 * 3600)
    expect(runsOf(later, 'db1').map(({ state, presentAt }) => [state, presentAt])).toEqual(
      Array(5).fill(['complete', NOW + 25 * 3600]),
    )
    asked.length = 0
    await look(deps, later, NOW + 26 * 3600)
    expect(asked.filter((each) => /list (data|catalogs)/.test(each))).toEqual([])
  })

  test('whose base did not read back is not good', async () => {
    const { deps, put } = weekOf([30])
    const verdict = JSON.stringify({ depth: 'stream', ok: false })
    put(verificationKey('verdicts', full, '20260130T030000Z'), verdict, new Date(Date.UTC(2026, 0, 30, 3)))
    expect(statesOf(await look(deps))).toEqual(['base-missing', 'complete'])
  })
})

describe('verdicts', () => {
  const runKey = nightly('db1', 30)
  const verdict = (more: object = {}) => JSON.stringify({ depth: 'stream', ok: true, ...more })
  const operatorAt = (time: string) => verificationKey('verdicts', runKey, time)
  const hostAt = (time: string) => verificationKey('verifications', runKey, time)
  const at = (hour: number, day = 30) => new Date(Date.UTC(2026, 0, day, hour))

  test("an operator's stands above the host's, whichever is newer; without one, the host's of its run's own time counts", async () => {
    const { deps, put, putRun } = fleetBucket()
    putRun(runKey)
    put(hostAt('20260130T040000Z'), verdict({ depth: 'source' }), at(4))
    const first = await look(deps)
    expect(runOf(first)?.verdict).toEqual({ by: 'host', depth: 'source', ok: true, at: at(4).getTime() / 1000 })

    put(operatorAt('20260130T030000Z'), verdict({ ok: false }), at(3))
    const second = await look(deps, first)
    expect(runOf(second)?.verdict).toEqual({ by: 'operator', depth: 'stream', ok: false, at: at(3).getTime() / 1000 })

    put(hostAt('20260220T040000Z'), verdict({ ok: true }), new Date(Date.UTC(2026, 1, 20)))
    expect(runOf(await look(deps, second))).toEqual(runOf(second))
  })

  test('each is read once, and what proves nothing is passed over', async () => {
    const { deps, put, putRun, readOf } = fleetBucket()
    putRun(runKey, {}, ['vg0-home', 'vg0-srv'])
    put(operatorAt('20260130T030000Z'), verdict({ sizesOnly: true }), at(3))
    put(operatorAt('20260130T040000Z'), verdict({ volumes: [{ volume: 'vg0-home' }] }), at(4))
    put(operatorAt('20260130T050000Z'), 'nonsense', at(5))
    const first = await look(deps)
    expect(runOf(first)?.verdict).toEqual({
      ...{ by: 'operator', depth: 'stream', ok: true, sizesOnly: true, at: at(3).getTime() / 1000 },
    })
    expect(readOf('verdicts/')).toHaveLength(3)
    await look(deps, first)
    expect(readOf('')).toEqual([])
  })

  /** A store that refuses one key, as one that is too busy. */
  const busyAt = (deps: FleetDeps, refused: string): FleetDeps => {
    const { store } = deps.vault
    const getRange: typeof store.getRange = (key, ...rest) =>
      key === refused
        ? Promise.reject(new AgentError('STORE_FAILED', 'SlowDown', { hint: '' }))
        : store.getRange(key, ...rest)
    return { ...deps, vault: { ...deps.vault, store: { ...store, getRange } } }
  }

  test('one that S3 was too busy to give is asked for again: an older and better one is not the last word', async () => {
    const { deps, put, putRun } = fleetBucket()
    putRun(runKey)
    put(operatorAt('20260130T030000Z'), verdict(), at(3))
    const first = await look(deps)
    put(operatorAt('20260130T040000Z'), verdict({ ok: false }), at(4))
    const second = await look(busyAt(deps, operatorAt('20260130T040000Z')), first)
    expect(runOf(await look(deps, second))?.verdict).toMatchObject({ ok: false })
  })

  test('one of some volumes does not pass for all where the manifest could not be read again', async () => {
    const { deps, put, putRun } = fleetBucket()
    putRun(runKey, {}, ['vg0-home', 'vg0-srv'])
    const first = await look(deps)
    put(operatorAt('20260130T030000Z'), verdict({ volumes: [{ volume: 'vg0-home' }] }), at(3))
    const second = await look(busyAt(deps, manifestKey(runKey)), first)
    expect(runOf(second)?.verdict).toBeUndefined()
    expect(runOf(await look(deps, second))?.verdict).toBeUndefined()
    put(operatorAt('20260130T033000Z'), verdict({ ok: false }), at(3))
    expect(runOf(await look(busyAt(deps, manifestKey(runKey)), first))?.verdict).toMatchObject({ ok: false })
    put(operatorAt('20260130T040000Z'), verdict({ volumes: [{ volume: 'vg0-home' }, { volume: 'vg0-srv' }] }), at(4))
    expect(runOf(await look(deps, second))?.verdict).toMatchObject({ ok: true })
  })

  test('one of an older run is heard, without any other manifest being read', async () => {
    const { deps, put, putRun, readOf } = fleetBucket()
    for (const day of [25, 26, 27, 28, 29, 30]) putRun(nightly('db1', day))
    const first = await look(deps)
    readOf('')
    put(verificationKey('verdicts', nightly('db1', 25), '20260131T000000Z'), verdict({ ok: false }), at(0, 31))
    const second = await look(deps, first)
    expect(runsOf(second, 'db1').at(-1)?.verdict).toMatchObject({ by: 'operator', ok: false })
    expect(readOf('manifests/')).toEqual([manifestKey(nightly('db1', 25))])
  })
})

test('the newest drill of a host is known, by the time at which S3 has it', async () => {
  const { deps, put, putRun, readOf } = fleetBucket()
  const runKey = nightly('db1', 29)
  putRun(runKey)
  const drill = { drill: 1, ...runKey, ok: true, restoreSeconds: 5, restoredBytes: 7, entries: 3, problems: [] }
  put(drillKey(runKey, '20260130T000000Z'), JSON.stringify(drill), new Date(Date.UTC(2026, 0, 30)))
  const first = await look(deps)
  expect(first.get('db1')?.drill).toMatchObject({ ok: true, at: Date.UTC(2026, 0, 30) / 1000, run: runKey.run })
  readOf('')
  await look(deps, first)
  expect(readOf('')).toEqual([])
  const failed = JSON.stringify({ ...drill, ok: false, problems: ['/etc/fstab: Size differs'] })
  put(drillKey(runKey, '20260131T000000Z'), failed, new Date(Date.UTC(2026, 0, 31)))
  put(drillKey(runKey, '20260131T010000Z'), 'nonsense', new Date(Date.UTC(2026, 0, 31, 1)))
  const second = await look(deps, first)
  expect(second.get('db1')?.drill).toMatchObject({ ok: false, problem: '/etc/fstab: Size differs' })
})

test('what the newest run says is that of the newest that can be read', async () => {
  const { deps, put, putRun } = fleetBucket()
  putRun(nightly('db1', 28))
  putRun(nightly('db1', 29), {
    status: 'incomplete',
    failures: [
      { volume: 'vg0-srv', mountPoint: '/srv', code: 'MOUNT_FAILED', message: 'no\u001b[2J', hint: 'x'.repeat(1000) },
    ],
  })
  put(manifestKey(nightly('db1', 30)), 'nonsense')
  const { newest } = (await look(deps)).get('db1')!.classes[0]!
  expect(newest).toMatchObject({ run: '20260129T020000Z-aaaaaa', failures: [{ volume: 'vg0-srv', message: 'no?[2J' }] })
  expect(newest?.failures[0]?.hint).toHaveLength(300)
})

test('thousands of manifests are found, page by page and side by side, and none twice', async () => {
  const { deps, putRun } = fleetBucket()
  const hosts = Array.from({ length: 700 }, (_, index) => `host-${index}`)
  for (const host of hosts) for (const day of [29, 30]) putRun(nightly(host, day))
  const first = await look(deps)
  expect([...first.keys()].sort()).toEqual([...hosts].sort())
  putRun(nightly('host-new', 30))
  const second = await look(deps, first)
  expect(second.size).toBe(701)
  expect([...second.values()].every(({ classes }) => (classes[0]?.runs.length ?? 0) <= 2)).toBe(true)
})

test('whatever has no name of a host, a class or a run is none', async () => {
  const { deps, put, putRun } = fleetBucket()
  putRun(nightly('db1', 30))
  for (const key of ['manifests/daily/db1/x.json', 'manifests/Daily/db1/20260130T020000Z-aaaaaa.json', 'manifests/x'])
    put(key, '{}')
  put('manifests/daily/../20260130T020000Z-aaaaaa.json', '{}')
  put('manifests/daily/db1\u0001/20260130T020000Z-aaaaaa.json', '{}')
  put('verdicts/daily/db1', '{}')
  const histories = await look(deps)
  expect([...histories].map(([host, { classes }]) => [host, classes.length, classes[0]?.runs.length])).toEqual([
    ['db1', 1, 1],
  ])
})

test('a bucket that may not be listed is not an empty one', async () => {
  const { deps, store } = fleetBucket()
  const denied = new AgentError('ACCESS_DENIED', 'no', { hint: '' })
  const list = async function* () {
    throw denied
  }
  const closed = { ...deps, vault: { ...deps.vault, store: { ...store, list } } }
  await expect(look(closed)).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
})
