/** An object on its way into the bucket, against a store that says when each part has arrived. */
import { crc32 } from 'node:zlib'
import { openObject, type ObjectHash, type UploadContext } from '../../agent/bucket/upload.io'
import type { Store, UploadRef } from '../../agent/context'
import { createPool } from '../../agent/lib/pool'
import { faultyStore } from '../support/faulty-store'
import { memoryStore, type MemoryStore } from '../support/memory-store'

const PART = 10
const KEY = 'data/daily/db-1/srv.tar'
const turn = () => new Promise((resolve) => setImmediate(resolve))
const turns = async () => {
  for (let left = 20; left > 0; left--) await turn()
}

/** An archive's part of the work: what fails is remembered, and stops everything else. */
function setting(buffers: number, store: Store = memoryStore()) {
  const stop = new AbortController()
  const failures: unknown[] = []
  const uploads: UploadRef[] = []
  const context: UploadContext = {
    store,
    signal: stop.signal,
    fail: (error) => {
      failures.push(error)
      stop.abort(error)
    },
    onUpload: async (upload) => void uploads.push(upload),
  }
  const pool = createPool(buffers, () => Buffer.alloc(PART, 0xee), stop.signal)
  return { context, pool, stop, failures, uploads }
}

/** Parts wait until they are let through, in whatever order. */
function gatedStore() {
  const memory = memoryStore()
  const gates = new Map<number, PromiseWithResolvers<undefined>>()
  const gate = (part: number) => {
    const known = gates.get(part) ?? Promise.withResolvers<undefined>()
    gates.set(part, known)
    return known
  }
  const sent: number[] = []
  const store: Store = {
    ...memory,
    async uploadPart(upload, part, body, checksum, signal) {
      sent.push(part)
      await gate(part).promise
      return memory.uploadPart(upload, part, body, checksum, signal)
    },
  }
  return { store, memory, sent, open: (part: number) => gate(part).resolve(undefined) }
}

const bodyOf = (memory: MemoryStore) => memory.objects.get(KEY)!.body.toString()

test('parts that arrive in another order make the same object', async () => {
  const { store, memory, open } = gatedStore()
  const { context, pool } = setting(4, store)
  await using object = openObject(context, pool, KEY)
  await object.append(Buffer.from('0123456789abcdefghijABCDEFGHIJ-'))
  const finished = object.finish()
  for (const part of [3, 1, 4, 2]) {
    open(part)
    await turns()
  }
  await finished
  const checksum = crc32('0123456789abcdefghijABCDEFGHIJ-')
  expect(await object.complete()).toEqual({ crc32: checksum, confirmed: true })
  expect(bodyOf(memory)).toBe('0123456789abcdefghijABCDEFGHIJ-')
})

test('no more memory is used than the pool has: what comes waits for a part to arrive', async () => {
  const { store, sent, open } = gatedStore()
  const { context, pool } = setting(2, store)
  await using object = openObject(context, pool, KEY)
  let isTaken = false
  const appending = object.append(Buffer.alloc(3 * PART)).then(() => (isTaken = true))
  await turns()
  expect([sent, isTaken]).toEqual([[1, 2], false])
  open(2)
  await appending
  for (const part of [1, 3]) open(part)
  await object.finish()
  expect(object.sizeBytes()).toBe(3 * PART)
})

test('nothing is in the bucket before there is a part to send, and the upload is recorded before its first', async () => {
  const memory = memoryStore()
  const events: string[] = []
  const store: Store = {
    ...memory,
    uploadPart: (upload, part, ...rest) => {
      events.push(`part ${part}`)
      return memory.uploadPart(upload, part, ...rest)
    },
  }
  const { context, pool } = setting(4, store)
  const onUpload = async ({ key }: UploadRef) => {
    await turns()
    events.push(`recorded ${key}`)
  }
  await using object = openObject({ ...context, onUpload }, pool, KEY)
  await object.append(Buffer.alloc(PART - 1))
  await turns()
  expect([memory.uploads.size, events]).toEqual([0, []])
  await object.append(Buffer.alloc(2 * PART))
  await object.finish()
  expect(events).toEqual([`recorded ${KEY}`, 'part 1', 'part 2', 'part 3'])
  expect(memory.uploads.size).toBe(1)
})

test('a part whose buffer somebody still reads is not used again before that has ended', async () => {
  const { context, pool } = setting(1)
  await using object = openObject(context, pool, KEY)
  const reading = Promise.withResolvers<undefined>()
  const room = await object.reserve()
  room.fill('a')
  object.commit(PART, crc32(room), reading.promise)
  let isReserved = false
  const next = object.reserve().then((buffer) => {
    isReserved = true
    return buffer
  })
  await turns()
  expect(isReserved).toBe(false)
  reading.resolve(undefined)
  expect((await next).buffer).toBe(room.buffer)
})

test('what fails while it reads a part fails the archive', async () => {
  const { context, pool, failures } = setting(2)
  await using object = openObject(context, pool, KEY)
  object.commit((await object.reserve()).length - 1, 0, Promise.reject(new Error('the scanner gave up')))
  await turns()
  expect(failures).toEqual([new Error('the scanner gave up')])
  await expect(object.finish()).rejects.toThrow('the scanner gave up')
})

test('a part that cannot be stored ends the wait for a buffer, and everything else with it', async () => {
  const store = faultyStore(memoryStore(), { call: 'uploadPart', kind: 'before', nth: 2 })
  const { context, pool, failures } = setting(2, store)
  await using object = openObject(context, pool, KEY)
  await expect(object.append(Buffer.alloc(20 * PART))).rejects.toThrow('broken on purpose')
  expect(failures[0]).toMatchObject({ code: 'STORE_FAILED' })
  await expect(object.finish()).rejects.toThrow('broken on purpose')
})

test('an upload that cannot be recorded gets no part', async () => {
  const { store, sent } = gatedStore()
  const { context, pool, failures } = setting(2, store)
  const unrecorded = async () => {
    throw new Error('the tag cannot be set')
  }
  await using object = openObject({ ...context, onUpload: unrecorded }, pool, KEY)
  await object.append(Buffer.alloc(2 * PART))
  await expect(object.finish()).rejects.toThrow('the tag cannot be set')
  expect(sent).toEqual([])
  expect(failures).not.toEqual([])
})

describe('what is not completed', () => {
  test('is aborted, after the parts on their way have ended', async () => {
    const { store, memory, open } = gatedStore()
    const events: string[] = []
    const watched: Store = {
      ...store,
      abortUpload: async (upload, signal) => {
        events.push('abort')
        await memory.abortUpload(upload, signal)
      },
    }
    const { context, pool } = setting(2, watched)
    const object = openObject(context, pool, KEY)
    await object.append(Buffer.alloc(PART))
    await turns()
    const released = object[Symbol.asyncDispose]()
    await turns()
    expect(events).toEqual([])
    open(1)
    await released
    expect([events, memory.uploads.size]).toEqual([['abort'], 0])
  })

  test('is aborted although the run was interrupted: that signal is not for the clean-up', async () => {
    const memory = memoryStore()
    const { context, pool, stop } = setting(2, memory)
    const object = openObject(context, pool, KEY)
    await object.append(Buffer.alloc(PART))
    await turns()
    stop.abort(new Error('stopped by SIGTERM'))
    await object[Symbol.asyncDispose]()
    expect(memory.uploads.size).toBe(0)
  })

  test('is aborted where its completion failed', async () => {
    const memory = memoryStore()
    const { context, pool } = setting(2, faultyStore(memory, { call: 'completeUpload', kind: 'before' }))
    {
      await using object = openObject(context, pool, KEY)
      await object.append(Buffer.alloc(3))
      await object.finish()
      await expect(object.complete()).rejects.toThrow('broken on purpose')
    }
    expect([memory.uploads.size, memory.objects.size]).toEqual([0, 0])
  })

  test('and was never begun costs no request', async () => {
    const { context, pool } = setting(2, faultyStore(memoryStore(), { call: 'abortUpload', kind: 'before' }))
    await openObject(context, pool, KEY)[Symbol.asyncDispose]()
  })
})

test('what was completed is not aborted', async () => {
  const memory = memoryStore()
  const { context, pool } = setting(2, faultyStore(memory, { call: 'abortUpload', kind: 'before' }))
  {
    await using object = openObject(context, pool, KEY)
    await object.append(Buffer.from('data'))
    await object.finish()
    await object.complete()
  }
  expect(bodyOf(memory)).toBe('data')
})

describe('an object that is hashed', () => {
  const started = () => {
    const gate = Promise.withResolvers<undefined>()
    const hashed: string[] = []
    const hash: ObjectHash = {
      async update(part) {
        await gate.promise
        hashed.push(part.toString())
      },
      digest: async () => 'a digest',
    }
    return { hash, hashed, release: () => gate.resolve(undefined) }
  }

  test('keeps each part as it is until that is hashed, though it was sent long ago', async () => {
    const { hash, hashed, release } = started()
    const memory = memoryStore()
    const { context, pool } = setting(1, memory)
    await using object = openObject(context, pool, KEY, { hash })
    const appending = object.append(Buffer.from('0123456789abcdefghijABC'))
    await turns()
    expect([object.sizeBytes(), hashed]).toEqual([PART, []])
    release()
    await appending
    await object.finish()
    expect(hashed).toEqual(['0123456789', 'abcdefghij', 'ABC'])
    expect(await object.complete()).toMatchObject({ sha256: 'a digest', confirmed: true })
    expect(bodyOf(memory)).toBe('0123456789abcdefghijABC')
  })

  test('fails with its hash, and everything else with it', async () => {
    const { context, pool, failures } = setting(2)
    const update = () => Promise.reject(new Error('the thread is gone'))
    await using object = openObject(context, pool, KEY, { hash: { update, digest: async () => '' } })
    await object.append(Buffer.alloc(PART))
    await expect(object.finish()).rejects.toThrow('the thread is gone')
    expect(String(failures[0])).toBe('Error: the thread is gone')
  })

  test('is not there where its digest is not known', async () => {
    const memory = memoryStore()
    const { context, pool } = setting(2, memory)
    const digest = () => Promise.reject(new Error('the thread is gone'))
    {
      await using object = openObject(context, pool, KEY, { hash: { update: async () => undefined, digest } })
      await object.append(Buffer.alloc(3))
      await object.finish()
      await expect(object.complete()).rejects.toThrow('the thread is gone')
    }
    expect([memory.uploads.size, memory.objects.size]).toEqual([0, 0])
  })
})

test('an object of which nothing was written cannot be completed', async () => {
  const { context, pool } = setting(2)
  await using object = openObject(context, pool, KEY)
  await object.finish()
  await expect(object.complete()).rejects.toThrow(`nothing was written to ${KEY}`)
})

test('a limit of the bandwidth is asked for each part, and for as much as it has', async () => {
  const asked: number[] = []
  const { context, pool } = setting(2)
  const bandwidth = { take: async (bytes: number) => void asked.push(bytes) }
  await using object = openObject({ ...context, bandwidth }, pool, KEY)
  await object.append(Buffer.alloc(2 * PART + 3))
  await object.finish()
  expect(asked).toEqual([PART, PART, 3])
})

test('two who write to an object at the same time are refused, before a part is lost', async () => {
  const { context, pool } = setting(1)
  const taken = await pool.take()
  await using object = openObject(context, pool, KEY)
  const first = object.append(Buffer.alloc(5, 'a'))
  await expect(object.append(Buffer.alloc(5, 'b'))).rejects.toThrow(`two calls at a time write to ${KEY}`)
  pool.give(taken)
  await first
  expect(object.sizeBytes()).toBe(5)
})
