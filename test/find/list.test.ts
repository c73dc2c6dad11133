import { list } from '../support/commands'
import { manifestKey, Prefix, verificationKey } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import { formatManifest } from '../../agent/run/manifest'
import { manifestOf } from '../support/manifest'
import { memoryStore, type MemoryStore } from '../support/memory-store'
import { requestOf } from '../support/request'
import { silentLog as log } from '../support/log'
import { refusalOf } from '../support/refusal'

const signal = new AbortController().signal
const now = () => new Date('2026-02-02T05:05:06Z')

const request = (...options: readonly string[]) => requestOf('list', 'db1', ...options)

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

  const { status, json } = await list({ store, signal, now, log }, request())
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
  await list({ store: watched, signal, now, log }, request())
  expect(asked).toEqual([
    'manifests/daily/db1/',
    'manifests/monthly/db1/',
    `verdicts/daily/db1/${NEW}/`,
    `verifications/daily/db1/${NEW}/`,
  ])
})

test('one class only, and only as many as wanted', async () => {
  const store = memoryStore()
  await addRun(store, 'daily', 'db1', OLD)
  await addRun(store, 'daily', 'db1', NEW)
  await addRun(store, 'monthly', 'db1', NEW)
  const { json } = await list({ store, signal, now, log }, request('--class', 'daily', '--limit', '1'))
  expect(json).toMatchObject({ total: 2, runs: [{ run: NEW, class: 'daily' }] })
})

describe('what verifications have found', () => {
  const verdict = (ok: boolean, depth = 'stream') => JSON.stringify({ depth, ok, finishedAt: '2099-01-01T00:00:00Z' })
  const OPERATOR = Prefix.verdicts
  const HOST = Prefix.verifications
  let store: MemoryStore
  let clock: string
  const record = (prefix: typeof OPERATOR | typeof HOST, name: string, text: string, time: string) => {
    clock = time
    return store.put(verificationKey(prefix, { class: 'daily', host: 'db1', run: NEW }, name), text, signal)
  }
  const verifiedColumn = async () => {
    const { json, summary } = await list({ store, signal, now, log }, request())
    const [{ verified }] = (json as { runs: [{ verified: object }] }).runs
    return { verified, summary }
  }
  beforeEach(async () => {
    store = memoryStore({ now: () => new Date(clock) })
    clock = '2026-02-01T02:10:00Z'
    await addRun(store, 'daily', 'db1', NEW)
  })

  test('the latest of an operator counts, by the clock of S3 and not by its name', async () => {
    await record(OPERATOR, '99991231T235959Z', verdict(true), '2026-02-01T12:00:00Z')
    await record(OPERATOR, '20260202T000000Z', verdict(false), '2026-02-02T00:00:00Z')
    const { verified, summary } = await verifiedColumn()
    expect(verified).toMatchObject({ depth: 'stream', ok: false, at: '2026-02-02T00:00:00.000Z' })
    expect(summary).toContain('FAILED stream 5 h ago')
  })

  test('a host cannot call a run damaged that is good', async () => {
    await record(HOST, '99991231T235959Z', verdict(false), '2026-02-01T12:00:00Z')
    expect(await verifiedColumn()).toMatchObject({
      verified: { depth: 'checksum', ok: true, hostSays: { ok: false } },
      summary: expect.stringContaining('checksum, host says FAILED stream 17 h ago'),
    })
    await record(OPERATOR, '20260202T000000Z', verdict(true), '2026-02-02T00:00:00Z')
    expect(await verifiedColumn()).toMatchObject({ verified: { ok: true, by: 'operator' } })
  })

  test('a host cannot call a run good that an operator found damaged', async () => {
    await record(OPERATOR, '20260201T030000Z', verdict(false), '2026-02-01T03:00:00Z')
    await record(HOST, '99991231T235959Z', verdict(true, 'source'), '2026-02-01T12:00:00Z')
    expect(await verifiedColumn()).toMatchObject({ verified: { depth: 'stream', ok: false, by: 'operator' } })
  })

  test("a host that is an intruder's by now has no say about its past", async () => {
    await record(HOST, '20260201T030000Z', verdict(true, 'source'), '2026-02-03T03:10:01Z')
    await record(HOST, '20260201T030001Z', verdict(false), '2026-02-03T03:10:01Z')
    expect((await verifiedColumn()).verified).toEqual({ depth: 'checksum', ok: true })
  })

  test('a host may say more of its run at the time, and is named', async () => {
    await record(HOST, '20260201T030000Z', verdict(true), '2026-02-01T03:05:06Z')
    expect((await verifiedColumn()).summary).toContain('stream 26 h ago by host')
  })

  test('one volume that was read back does not make the whole run so: what was found before it counts', async () => {
    await record(OPERATOR, '20260201T030000Z', verdict(false, 'checksum'), '2026-02-01T03:05:06Z')
    const partial = JSON.stringify({ depth: 'stream', ok: true, volumes: [{ volume: 'vg0-other' }] })
    for (const minute of ['1', '2', '3', '4']) {
      await record(OPERATOR, `20260201T040${minute}00Z`, partial, `2026-02-01T04:0${minute}:00Z`)
    }
    expect((await verifiedColumn()).verified).toMatchObject({ depth: 'checksum', ok: false, by: 'operator' })
  })

  test('what cannot be read, or is too large, proves nothing: then the one before it counts', async () => {
    await record(OPERATOR, '20260201T030000Z', verdict(true), '2026-02-01T03:05:06Z')
    await record(OPERATOR, '20260201T040000Z', '{"ok": true, "ok": false, "depth": "source"}', '2026-02-01T04:00:00Z')
    const large = `${' '.repeat(70_000)}${verdict(false)}`
    await record(OPERATOR, '20260201T050000Z', large, '2026-02-01T05:00:00Z')
    expect((await verifiedColumn()).verified).toMatchObject({ depth: 'stream', ok: true })
  })
})

test('a manifest that is too large to read, or not to be read at all, is one line of the list', async () => {
  const store = memoryStore()
  await addRun(store, 'daily', 'db1', NEW)
  await store.put(manifestKey({ class: 'daily', host: 'db1', run: OLD }), Buffer.alloc((16 << 20) + 1, ' '), signal)
  const denied = '20260129T020000Z-cccccc'
  await addRun(store, 'daily', 'db1', denied)
  const get: MemoryStore['get'] = async (key, ...rest) => {
    if (key.includes(denied)) throw new AgentError('ACCESS_DENIED', 'kms:Decrypt is denied', { hint: 'x' })
    return store.get(key, ...rest)
  }
  const { status, json } = await list({ store: { ...store, get }, signal, now, log }, request())
  expect([status, json]).toMatchObject([
    0,
    {
      runs: [
        { run: NEW, status: 'complete' },
        { run: OLD, status: 'unreadable', problem: expect.stringContaining('larger than 16777216 bytes') },
        { run: denied, status: 'unreadable', problem: 'kms:Decrypt is denied' },
      ],
    },
  ])
})

test('a manifest that is damaged or newer is listed with the reason, beside the good ones', async () => {
  const store = memoryStore()
  await addRun(store, 'daily', 'db1', NEW)
  await store.put(manifestKey({ class: 'daily', host: 'db1', run: OLD }), '{"format": 99}', signal)
  const { status, json } = await list({ store, signal, now, log }, request())
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
  expect(await refusalOf(list({ store, signal, now, log }, request()))).toEqual({
    code: 'ACCESS_DENIED',
    message: 'these credentials may not list the bucket',
    hint: expect.stringContaining('restorer role'),
  })
})
