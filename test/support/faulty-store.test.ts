import { AgentError } from '../../agent/errors'
import { faultyStore } from './faulty-store'
import { memoryStore } from './memory-store'

const signal = new AbortController().signal

test('the planned call fails, and no other', async () => {
  const store = faultyStore(memoryStore(), { call: 'put', nth: 2, kind: 'before' })
  await store.put('a', 'x', signal)
  await expect(store.put('b', 'x', signal)).rejects.toMatchObject({ code: 'STORE_FAILED' })
  await store.put('c', 'x', signal)
  expect([...store.objects.keys()]).toEqual(['a', 'c'])
})

test('only calls for the planned key count', async () => {
  const denied = new AgentError('ACCESS_DENIED', 'no', { hint: 'Ask.' })
  const store = faultyStore(memoryStore(), { call: 'createUpload', key: 'manifests/', kind: 'before', error: denied })
  await store.createUpload('data/a', undefined, signal)
  await expect(store.createUpload('manifests/a', undefined, signal)).rejects.toBe(denied)
})

test('a lost answer leaves the object', async () => {
  const store = faultyStore(memoryStore(), { call: 'put', kind: 'after' })
  await expect(store.put('a', 'x', signal)).rejects.toMatchObject({ code: 'STORE_FAILED' })
  expect(store.objects.has('a')).toBe(true)
})

test('a slow call can be cancelled', async () => {
  const store = faultyStore(memoryStore(), { call: 'put', kind: 'slow', seconds: 60 })
  const controller = new AbortController()
  const putting = store.put('a', 'x', controller.signal)
  controller.abort()
  await expect(putting).rejects.toMatchObject({ code: 'INTERRUPTED' })
})

test('one bit is wrong, each time another', async () => {
  const store = faultyStore(memoryStore(), { call: 'get', kind: 'flip' })
  await store.put('a', Buffer.alloc(100), signal)
  const [first, second] = [(await store.get('a', 100, signal)).body, (await store.get('a', 100, signal)).body]
  expect([first.equals(Buffer.alloc(100)), second.equals(Buffer.alloc(100)), first.equals(second)]).toEqual([
    false,
    false,
    false,
  ])
})

test('a body is cut short', async () => {
  const store = faultyStore(memoryStore(), { call: 'get', kind: 'truncate' })
  await store.put('a', 'four', signal)
  expect((await store.get('a', 10, signal)).body.toString()).toBe('fou')
})
