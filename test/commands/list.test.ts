import { list } from '../../agent/commands/list'
import { manifestKey, verificationKey } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import { formatManifest } from '../../agent/plan/manifest'
import type { Hosted, ListRequest } from '../../agent/plan/requests'
import { manifestOf } from '../support/manifest'
import { memoryStore, type MemoryStore } from '../support/memory-store'
import { refusalOf } from '../support/refusal'

const signal = new AbortController().signal
const now = () => new Date('2026-02-02T05:05:06Z')

function request(changes: Partial<Hosted<ListRequest>> = {}): Hosted<ListRequest> {
  return {
    command: 'list',
    bucket: 'memory',
    host: 'db1',
    class: undefined,
    limit: 20,
    includeDeleted: false,
    region: undefined,
    endpointUrl: undefined,
    json: false,
    logLevel: undefined,
    config: '/etc/snapstream/config.json',
    ...changes,
  }
}

async function addRun(store: MemoryStore, className: string, host: string, run: string) {
  const place = { class: className, host, run }
  await store.put(manifestKey(place), formatManifest(manifestOf(place)), signal)
  return place
}

const OLD = '20260130T020000Z-aaaaaa'
const NEW = '20260201T020000Z-bbbbbb'

test('runs of all classes, newest first, and of no other host', async () => {
  const store = memoryStore()
  await addRun(store, 'daily', 'db1', OLD)
  await addRun(store, 'monthly', 'db1', NEW)
  await addRun(store, 'daily', 'db10', NEW)
  await addRun(store, 'daily', 'db1/db1', NEW)

  const { status, json } = await list({ store, signal, now }, request())
  expect(status).toBe(0)
  expect(json).toMatchObject({
    host: 'db1',
    total: 2,
    runs: [
      { run: NEW, class: 'monthly' },
      { run: OLD, class: 'daily' },
    ],
  })
})

test('a large fleet costs a host nothing: its own manifests alone are listed', async () => {
  const store = memoryStore()
  await addRun(store, 'daily', 'db1', NEW)
  await addRun(store, 'monthly', 'db2', NEW)
  const asked: string[] = []
  const watched: MemoryStore = {
    ...store,
    list: (prefix, ...rest) => {
      asked.push(prefix)
      return store.list(prefix, ...rest)
    },
  }
  await list({ store: watched, signal, now }, request())
  expect(asked).toEqual(['manifests/daily/db1/', 'manifests/monthly/db1/', `verifications/daily/db1/${NEW}/`])
})

test('one class only, and only as many as wanted', async () => {
  const store = memoryStore()
  await addRun(store, 'daily', 'db1', OLD)
  await addRun(store, 'daily', 'db1', NEW)
  await addRun(store, 'monthly', 'db1', NEW)
  const { json } = await list({ store, signal, now }, request({ class: 'daily', limit: 1 }))
  expect(json).toMatchObject({ total: 2, runs: [{ run: NEW, class: 'daily' }] })
})

test('the latest verification of a run counts', async () => {
  const store = memoryStore()
  const place = await addRun(store, 'daily', 'db1', NEW)
  const verdict = (ok: boolean) => JSON.stringify({ depth: 'stream', ok, finishedAt: '2026-02-02T00:00:00Z' })
  await store.put(verificationKey(place, '20260202T000000Z'), verdict(false), signal)
  await store.put(verificationKey(place, '20260201T120000Z'), verdict(true), signal)
  const { json, summary } = await list({ store, signal, now }, request())
  expect(json).toMatchObject({ runs: [{ verified: { depth: 'stream', ok: false } }] })
  expect(summary).toContain('FAILED stream 5 h ago')
})

test('a manifest that is damaged or newer is listed with the reason, beside the good ones', async () => {
  const store = memoryStore()
  await addRun(store, 'daily', 'db1', NEW)
  await store.put(manifestKey({ class: 'daily', host: 'db1', run: OLD }), '{"format": 99}', signal)
  const { status, json } = await list({ store, signal, now }, request())
  expect(status).toBe(0)
  expect(json).toMatchObject({
    runs: [
      { run: NEW, status: 'complete' },
      { run: OLD, status: 'unreadable', problem: expect.stringContaining('has format 99') },
    ],
  })
})

test('a host may not list, by design, and is told who may', async () => {
  const denied = new AgentError('ACCESS_DENIED', 's3:ListBucket on arn:aws:s3:::memory is denied', { hint: 'x' })
  const refuse = () => {
    throw denied
  }
  const store: MemoryStore = { ...memoryStore(), list: refuse, listFolders: refuse }
  expect(await refusalOf(list({ store, signal, now }, request()))).toEqual({
    code: 'ACCESS_DENIED',
    message: 'these credentials may not list the bucket',
    hint: expect.stringContaining('restorer role'),
  })
})
