import { baseFinder } from '../../agent/find/bases'
import { catalogKey, dataKey, manifestKey, verificationKey } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import { formatManifest } from '../../agent/run/manifest'
import { list } from '../support/commands'
import { differentialOf, manifestOf, volumeBackupOf } from '../support/manifest'
import { memoryStore, type MemoryStore } from '../support/memory-store'
import { requestOf } from '../support/request'
import { silentLog as log } from '../support/log'

const signal = new AbortController().signal
const now = () => new Date('2026-02-02T05:05:06Z')
const VOLUME = 'vg0-home'
const BASE = { class: 'daily', host: 'db1', run: '20260125T040506Z-base77' }
const NIGHTS = ['20260131T040506Z-night1', '20260201T040506Z-night2'].map((run) => ({ ...BASE, run }))

/** A full run, and two that hang on it. */
async function week(): Promise<MemoryStore> {
  const store = memoryStore()
  await store.put(
    manifestKey(BASE),
    formatManifest(manifestOf({ ...BASE, volumes: [volumeBackupOf({}, BASE)] })),
    signal,
  )
  await store.put(dataKey(BASE, VOLUME, 'zstd', 0), Buffer.alloc(1000), signal)
  await store.put(catalogKey(BASE, VOLUME), Buffer.alloc(300), signal)
  for (const night of NIGHTS) {
    const manifest = manifestOf({ ...night, format: 3, volumes: [differentialOf({}, night)] })
    await store.put(manifestKey(night), formatManifest(manifest), signal)
  }
  return store
}
const runsOf = async (store: MemoryStore) => await list({ store, signal, now, log }, requestOf('list', 'db1'))
const statesOf = async (store: MemoryStore) => {
  const { json } = await runsOf(store)
  return (json as { runs: readonly { bases: readonly { state: string }[] }[] }).runs.map(({ bases }) =>
    bases.map(({ state }) => state),
  )
}

test('runs are listed with their level, and with what they are to be read with', async () => {
  const { json, summary } = await runsOf(await week())
  const bases = [{ run: BASE.run, state: 'there' }]
  expect(json).toMatchObject({
    runs: [
      { level: 'differential', bases },
      { level: 'differential', bases },
      { level: 'full', bases: [] },
    ],
  })
  expect(summary).toMatch(/^ {2}20260201T040506Z-night2 +\S+ +\S+ +daily +complete +20260125T040506Z-base77 +20 KiB/m)
})

test('what several runs hang on is looked at once', async () => {
  const store = await week()
  const asked: string[] = []
  const list = store.list.bind(store)
  const watched = { ...store, list: (...given: Parameters<typeof list>) => (asked.push(given[0]), list(...given)) }
  await runsOf(watched)
  expect(asked.filter((prefix) => prefix.startsWith('data/') || prefix.startsWith('catalogs/')).sort()).toEqual([
    `catalogs/daily/db1/${BASE.run}/`,
    `data/daily/db1/${BASE.run}/`,
  ])
})

test.each([
  ['archive', dataKey(BASE, VOLUME, 'zstd', 0)],
  ['catalog', catalogKey(BASE, VOLUME)],
])('a run whose base has lost its %s says so, whatever the manifests say', async (_, key) => {
  const store = await week()
  await store.deleteObject(key)
  expect(await statesOf(store)).toEqual([['gone'], ['gone'], []])
  const { summary } = await runsOf(store)
  expect(summary).toContain('complete, BASE GONE')
  expect(summary).toContain(`  ${NIGHTS[0]!.run}: its base ${BASE.run} is gone: ${key} is not there`)
})

test('an object of another size is none of it', async () => {
  const store = await week()
  await store.put(catalogKey({ ...BASE, run: BASE.run }, VOLUME), Buffer.alloc(0), signal).catch(() => undefined)
  store.objects.set(catalogKey(BASE, VOLUME), {
    ...store.objects.get(catalogKey(BASE, VOLUME))!,
    body: Buffer.alloc(5),
  })
  expect(await statesOf(store)).toEqual([['gone'], ['gone'], []])
})

test('the manifest of a base may have expired before its archive: the runs that hang on it are as good as ever', async () => {
  const store = await week()
  await store.deleteObject(manifestKey(BASE))
  expect(await statesOf(store)).toEqual([['there'], ['there']])
})

test('a base that an operator found damaged is no good to anybody', async () => {
  const store = await week()
  const verdict = JSON.stringify({ depth: 'stream', ok: false })
  await store.put(verificationKey('verdicts', BASE, '20260126T040506Z'), verdict, signal)
  expect(await statesOf(store)).toEqual([['damaged'], ['damaged'], []])
  expect((await runsOf(store)).summary).toContain('complete, BASE DAMAGED')
})

test('what may not be looked for is not known, and not called good', async () => {
  const store = await week()
  const denied: MemoryStore = {
    ...store,
    list: (prefix, ...rest) => {
      if (prefix.startsWith('data/')) throw new AgentError('ACCESS_DENIED', 's3:ListBucket is denied', { hint: 'x' })
      return store.list(prefix, ...rest)
    },
  }
  const manifest = manifestOf({ ...NIGHTS[0]!, format: 3, volumes: [differentialOf({}, NIGHTS[0])] })
  expect(await baseFinder({ store: denied, signal, now, log })(NIGHTS[0]!, manifest)).toEqual([
    { run: BASE.run, state: 'unknown', problem: 'could not be looked for: s3:ListBucket is denied' },
  ])
})

test('of a base without a manifest, nothing is debris while a run hangs on it', async () => {
  const store = await week()
  await store.deleteObject(manifestKey(BASE))
  const debris = async () => (await list({ store, signal, now, log }, requestOf('list', 'db1', '--debris'))).json
  expect(await debris()).toMatchObject({ totalRuns: 0 })
  for (const night of NIGHTS) await store.deleteObject(manifestKey(night))
  expect(await debris()).toMatchObject({ totalRuns: 1, runs: [{ run: BASE.run, objects: 2 }] })
})
