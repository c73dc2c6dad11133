import { includingDeleted } from '../../agent/run/include-deleted'
import { list } from '../support/commands'
import { catalogKey, dataKey, manifestKey, type RunKey } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import type { Deps } from '../../agent/context'
import { memoryStore, type MemoryStore } from '../support/memory-store'
import { requestOf } from '../support/request'
import { silentLog as log } from '../support/log'
import { refusalOf } from '../support/refusal'

const signal = new AbortController().signal
const now = () => new Date('2026-02-04T02:00:00Z')

const request = requestOf('list', 'db1', '--debris')

const GOOD: RunKey = { class: 'daily', host: 'db1', run: '20260130T020000Z-aaaaaa' }
const KILLED: RunKey = { class: 'daily', host: 'db1', run: '20260131T020000Z-bbbbbb' }
const YOUNG: RunKey = { class: 'monthly', host: 'db1', run: '20260203T020000Z-cccccc' }

let store: MemoryStore

beforeEach(async () => {
  store = memoryStore()
  await store.put(dataKey(GOOD, 'vg0-srv', 'zstd', 0), 'good', signal)
  await store.put(catalogKey(GOOD, 'vg0-srv'), 'good', signal)
  await store.put(manifestKey(GOOD), '{}', signal)
})

test('what a killed run left is listed run by run, and what counts is not', async () => {
  await store.put(dataKey(KILLED, 'vg0-srv', 'zstd', 0), 'x'.repeat(2000), signal)
  await store.put(dataKey(KILLED, 'vg0-srv', 'zstd', 1), 'x'.repeat(40), signal)
  await store.put(catalogKey(KILLED, 'vg0-srv'), 'x'.repeat(8), signal)
  await store.put(dataKey(YOUNG, 'vg0-srv', 'zstd', 0), 'x', signal)

  const { status, json, summary } = await list({ store, signal, now, log }, request)
  expect([status, json]).toEqual([
    0,
    {
      host: 'db1',
      runs: [
        {
          class: 'monthly',
          run: YOUNG.run,
          objects: 1,
          bytes: 1,
          newestAt: '2026-02-03T02:01:00.000Z',
          mayBeRunning: true,
        },
        {
          class: 'daily',
          run: KILLED.run,
          objects: 3,
          bytes: 2048,
          newestAt: '2026-01-31T02:01:00.000Z',
          mayBeRunning: false,
        },
      ],
      totalRuns: 2,
      objects: 4,
      bytes: 2049,
      uploads: [],
      totalUploads: 0,
    },
  ])
  expect(summary).toMatch(/20260131T020000Z-bbbbbb +daily +3 d +3 +2 KiB$/m)
  expect(summary).toMatch(/20260203T020000Z-cccccc +monthly +23 h +1 +1 B +may still be running$/m)
})

test('nothing is said to lie there where every run has its manifest', async () => {
  const { summary, json } = await list({ store, signal, now, log }, request)
  expect(summary).toBe('Nothing of db1 is in the bucket without a manifest.')
  expect(json).toMatchObject({ runs: [], totalRuns: 0, objects: 0, bytes: 0 })
})

test("another host's objects are not this one's, though its name begins the same", async () => {
  await store.put(dataKey({ ...KILLED, host: 'db10' }, 'vg0-srv', 'zstd', 0), 'x', signal)
  await store.put(dataKey({ ...KILLED, host: 'db1/db1' }, 'vg0-srv', 'zstd', 0), 'x', signal)
  await store.createUpload(dataKey({ ...KILLED, host: 'db1/db1' }, 'vg0-srv', 'zstd', 0), undefined, signal)
  const { json } = await list({ store, signal, now, log }, request)
  expect(json).toMatchObject({ totalRuns: 0, totalUploads: 0 })
})

test('what lies beside all runs is listed too, in no run', async () => {
  await store.put('data/daily/db1/20260131T020000Z-bbbbbb.tar', 'x', signal)
  const { json, summary } = await list({ store, signal, now, log }, request)
  expect(json).toMatchObject({ runs: [{ class: 'daily', objects: 1 }] })
  expect(summary).toContain('(in no run)')
})

test('a run that ends while the list is made is not called debris', async () => {
  await store.put(dataKey(YOUNG, 'vg0-srv', 'zstd', 0), 'x', signal)
  const ending: MemoryStore = {
    ...store,
    async *list(prefix, ...rest) {
      yield* store.list(prefix, ...rest)
      if (prefix.startsWith('data/monthly/')) await store.put(manifestKey(YOUNG), '{}', signal)
    },
  }
  const { json } = await list({ store: ending, signal, now, log }, request)
  expect(json).toMatchObject({ totalRuns: 0 })
})

describe('uploads that nobody finished', () => {
  const key = dataKey({ ...KILLED, class: 'weekly' }, 'vg0-srv', 'zstd', 0)
  const began = (time: string) => (store.uploads.set('u1', { ...upload(), initiated: new Date(time) }), undefined)
  const upload = () => ({ key, uploadId: 'u1', storageClass: 'STANDARD', parts: new Map<number, Buffer>() })

  test('are listed, of a class that has nothing else too', async () => {
    began('2026-01-31T02:00:00Z')
    const { json, summary } = await list({ store, signal, now, log }, request)
    expect(json).toMatchObject({
      totalRuns: 0,
      uploads: [{ key, initiatedAt: '2026-01-31T02:00:00.000Z', mayBeRunning: false }],
    })
    expect(summary).toContain(`upload ${key}, begun 4 d ago\n`)
  })

  test('of a run that may still be at work are called that', async () => {
    began('2026-02-03T02:00:00Z')
    expect((await list({ store, signal, now, log }, request)).summary).toContain(
      `, begun 24 h ago: may still be running`,
    )
  })

  test('are only a note where they may not be listed: the objects are', async () => {
    await store.put(dataKey(KILLED, 'vg0-srv', 'zstd', 0), 'x', signal)
    const { json, summary } = await list({ store: { ...store, listUploads: refuse }, signal, now, log }, request)
    expect(json).toMatchObject({ totalRuns: 1 })
    expect(json).not.toHaveProperty('uploads')
    expect(summary).toContain('unfinished uploads are not known: these credentials may not list them')
  })
})

const refuse = () => {
  throw new AgentError('ACCESS_DENIED', 's3:ListBucket is denied', { hint: 'x' })
}

test('a host may not list, by design, and is told who may', async () => {
  const denied: MemoryStore = { ...store, list: refuse, listFolders: refuse }
  expect(await refusalOf(list({ store: denied, signal, now, log }, request))).toMatchObject({
    code: 'ACCESS_DENIED',
    hint: expect.stringContaining('restorer role'),
  })
})

test('a run of which somebody deleted the manifest is listed, and said to be there still', async () => {
  await store.deleteObject(manifestKey(GOOD))
  const { json, summary } = await includingDeleted({ store, signal, now, log } as unknown as Deps, request, list)
  expect(json).toMatchObject({ runs: [{ run: GOOD.run }], deletedUnread: [manifestKey(GOOD)] })
  expect(summary).toContain('--include-deleted')
})
