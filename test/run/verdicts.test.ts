/** Whose word counts about a run, and which of many: by S3's clock, whatever their names say. */
import { Prefix, verificationKey, type RunKey } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import { readVerdicts } from '../../agent/run/verdicts'
import { memoryStore, type MemoryStore } from '../support/memory-store'

const RUN: RunKey = { class: 'daily', host: 'db-1', run: '20260131T020000Z-k3xw7a' }
const signal = new AbortController().signal
const word = (ok: boolean, depth = 'stream') => JSON.stringify({ depth, ok })

let store: MemoryStore
let clock: Date
beforeEach(() => {
  store = memoryStore({ now: () => clock })
})

function record(who: 'operator' | 'host', time: string, text: string | Buffer, run = RUN, name = time) {
  clock = new Date(time)
  const prefix = who === 'operator' ? Prefix.verdicts : Prefix.verifications
  return store.put(verificationKey(prefix, run, name), text, signal)
}
const read = (changes: Partial<MemoryStore> = {}) =>
  readVerdicts({ store: { ...store, ...changes }, signal }, RUN, ['vg0-srv'])

test('of a run that nobody has verified, nothing is said', async () => {
  await record('operator', '2026-02-01T00:00:00Z', word(true), { ...RUN, host: 'db-10' })
  await record('operator', '2026-02-01T00:00:00Z', word(true), { ...RUN, class: 'monthly' })
  expect(await read()).toEqual({})
})

test('names are theirs to choose: the latest is that which S3 wrote last', async () => {
  await record('operator', '2026-02-04T00:00:00Z', word(true), RUN, '1')
  await record('operator', '2026-02-06T00:00:00Z', word(false), RUN, '2')
  await record('operator', '2026-02-05T00:00:00Z', word(true), RUN, '3')
  expect(await read()).toMatchObject({ operator: { ok: false } })
})

test('the latest word of an operator and that of the host are read beside each other', async () => {
  await record('operator', '2026-02-05T00:00:00Z', word(false))
  await record('operator', '2026-02-04T00:00:00Z', word(true))
  await record('host', '2026-01-31T03:00:00Z', word(true, 'source'))
  expect(await read()).toEqual({
    operator: { depth: 'stream', ok: false, at: '2026-02-05T00:00:00.000Z' },
    host: { depth: 'source', ok: true, at: '2026-01-31T03:00:00.000Z' },
  })
})

test.each([
  ['as long as a run may last', '2026-02-02T03:00:00Z', true],
  ['and not a second longer', '2026-02-02T03:00:01Z', false],
  ['nor long before it began', '2026-01-31T00:59:59Z', false],
])('a host has a say about its run %s; an operator always', async (_, time, counts) => {
  await record('host', time, word(false))
  await record('operator', time, word(false))
  expect(Object.keys(await read())).toEqual(counts ? ['operator', 'host'] : ['operator'])
})

test.each<[string, string | Buffer]>([
  ['is no JSON', '{'],
  ['says two things', '{"depth": "stream", "ok": true, "ok": false}'],
  ['is good of another volume alone', JSON.stringify({ depth: 'stream', ok: true, volumes: [{ volume: 'vg0-a' }] })],
  ['is larger than any', Buffer.alloc(64 * 1024 + 1, ' ')],
])('one that %s proves nothing: the one before it counts', async (_, text) => {
  await record('operator', '2026-02-01T00:00:00Z', word(false))
  await record('operator', '2026-02-02T00:00:00Z', text)
  expect(await read()).toMatchObject({ operator: { ok: false, at: '2026-02-01T00:00:00.000Z' } })
})

test.each([
  [9, { operator: { ok: true } }],
  [10, {}],
])('of those that prove nothing, %i are passed over', async (count, expected) => {
  await record('operator', '2026-02-01T00:00:00Z', word(true))
  for (let index = 0; index < count; index++) await record('operator', `2026-02-02T00:00:0${index}Z`, '{}')
  expect(await read()).toMatchObject(expected)
  expect(Object.keys(await read())).toEqual(Object.keys(expected))
})

test('a host that writes without end is not listed without end', async () => {
  let listed = 0
  async function* list(prefix: string) {
    if (!prefix.startsWith(Prefix.verifications)) return
    for (;;) {
      yield { key: `${prefix}${listed++}`, sizeBytes: 1, lastModified: new Date('2026-01-31T03:00:00Z') }
      if (listed > 5000) throw new Error('it is')
    }
  }
  const get = () => Promise.resolve({ body: Buffer.from('{}'), lastModified: new Date() })
  expect(await read({ list, get } as never)).toEqual({})
  expect(listed).toBe(1000)
})

test('who may not list what operators found still has the word of the host', async () => {
  await record('host', '2026-01-31T03:00:00Z', word(true))
  const list: MemoryStore['list'] = (prefix, ...rest) => {
    if (!prefix.startsWith(Prefix.verdicts)) return store.list(prefix, ...rest)
    throw new AgentError('ACCESS_DENIED', 's3:ListBucket is denied', { hint: '' })
  }
  expect(Object.keys(await read({ list }))).toEqual(['host'])
})

test('one that is gone by the time that it is read is passed over; credentials that have expired are no verdict', async () => {
  await record('operator', '2026-02-01T00:00:00Z', word(true))
  const failing = (code: 'OBJECT_MISSING' | 'CREDENTIALS_EXPIRED') => () =>
    Promise.reject(new AgentError(code, 'x', { hint: '' }))
  expect(await read({ get: failing('OBJECT_MISSING') })).toEqual({})
  await expect(read({ get: failing('CREDENTIALS_EXPIRED') })).rejects.toMatchObject({ code: 'CREDENTIALS_EXPIRED' })
})
