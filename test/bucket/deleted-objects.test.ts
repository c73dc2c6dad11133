import { rememberMissing, withDeleted } from '../../agent/bucket/deleted-objects'
import { memoryStore, type MemoryStore } from '../support/memory-store'
import { refusalOf } from '../support/refusal'

const { signal } = new AbortController()
const [A, B, ELSEWHERE] = ['data/run/a', 'data/run/b', 'data/other/c']

let memory: MemoryStore
let asked: string[]
let said: string[]
beforeEach(async () => {
  memory = memoryStore()
  asked = []
  said = []
  for (const key of [A, B, ELSEWHERE]) await memory.put(key, `text of ${key}`, signal)
})

/** The past of the bucket, and in `asked` what it costs. */
function past(changes: Partial<MemoryStore> = {}) {
  const store: MemoryStore = {
    ...memory,
    get: (key, ...rest) => (asked.push(`get ${key}`), memory.get(key, ...rest)),
    list: (prefix, ...rest) => (asked.push(`list ${prefix}`), memory.list(prefix, ...rest)),
    ...changes,
  }
  const say = (message: string) => void said.push(message)
  return withDeleted({ store, log: { debug: say, info: say, warn: say }, signal })
}

const textOf = async (store: ReturnType<typeof past>['store'], key: string) =>
  (await store.get(key, 1000, signal)).body.toString()

test('what is there costs no request more', async () => {
  const { store, deletedRead } = past()
  expect(await textOf(store, A)).toBe(`text of ${A}`)
  expect([asked, said, deletedRead()]).toEqual([[`get ${A}`], [], []])
})

test('what was deleted is read, and said to be: once, however often', async () => {
  await memory.deleteObject(A)
  const { store, deletedRead } = past()
  for (let time = 0; time < 2; time++) expect(await textOf(store, A)).toBe(`text of ${A}`)
  expect(said).toEqual([expect.stringMatching(`^${A} was deleted: reading version `)])
  expect(deletedRead()).toEqual([A])
})

test('a folder is listed once, by whoever comes first and for all who come meanwhile', async () => {
  for (const key of [A, B]) await memory.deleteObject(key)
  const { store } = past()
  await Promise.all([textOf(store, A), textOf(store, B)])
  await textOf(store, A)
  expect(asked.filter((request) => request.startsWith('list'))).toEqual(['list data/run/'])
})

test('a reader that gives up does not take the listing from the others', async () => {
  for (const key of [A, B]) await memory.deleteObject(key)
  const signals: AbortSignal[] = []
  const list: MemoryStore['list'] = (prefix, own, options) => (signals.push(own), memory.list(prefix, own, options))
  const { store } = past({ list })
  await store.get(A, 1000, new AbortController().signal)
  expect(signals).toEqual([signal])
})

test('ranges, heads and retrievals are of the version that is left, too', async () => {
  await memory.deleteObject(A)
  const thawed: unknown[] = []
  const retrieve: MemoryStore['retrieve'] = async (key, _options, _signal, version) => {
    if (version === undefined) await memory.head(key, signal)
    thawed.push([key, version])
  }
  const { store } = past({ retrieve })
  expect((await store.getRange(A, 0, 4, signal)).toString()).toBe('text')
  expect((await store.head(A, signal)).sizeBytes).toBe(`text of ${A}`.length)
  await store.retrieve(A, { tier: 'bulk', days: 1 }, signal)
  expect(thawed).toEqual([[A, expect.any(String)]])
})

test('lists have what was deleted, after which it is read without a listing of its own', async () => {
  await memory.deleteObject(B)
  const { store } = past()
  const keys: string[] = []
  for await (const { key } of store.list('data/run/', signal)) keys.push(key)
  expect(keys).toEqual([A, B])
  asked.length = 0
  await textOf(store, B)
  expect(asked).toEqual([`get ${B}`])
})

test('what is gone for good is missing', async () => {
  await memory.deleteObject(A)
  for await (const { key, deletedVersion } of memory.list('data/run/', signal, { includeDeleted: true })) {
    if (key === A) await memory.deleteVersion(A, deletedVersion!)
  }
  const { store, isLeft } = past()
  expect(await refusalOf(textOf(store, A))).toMatchObject({ code: 'OBJECT_MISSING' })
  expect([await isLeft(A), await isLeft('data/never')]).toEqual([false, false])
})

test('whether something is left can be asked without reading it', async () => {
  await memory.deleteObject(A)
  const { isLeft, deletedRead } = past()
  expect([await isLeft(A), await isLeft(B), deletedRead()]).toEqual([true, false, []])
})

test('a store remembers what it was asked for and does not have, and no other failure', async () => {
  await memory.deleteObject(A)
  const { store, missing } = rememberMissing(memory)
  expect(await refusalOf(store.get(A, 1000, signal))).toMatchObject({ code: 'OBJECT_MISSING' })
  expect(await refusalOf(store.head(A, signal))).toMatchObject({ code: 'OBJECT_MISSING' })
  expect(await refusalOf(store.getRange('data/never', 0, 1, signal))).toMatchObject({ code: 'OBJECT_MISSING' })
  await store.get(B, 1000, signal)
  const broken = rememberMissing({ ...memory, head: () => Promise.reject(new Error('no network')) })
  await expect(broken.store.head(A, signal)).rejects.toThrow('no network')
  expect([missing(), broken.missing()]).toEqual([[A, 'data/never'], []])
})
