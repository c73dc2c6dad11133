import { createPool, sharedBuffer } from '../../agent/lib/pool'

const { signal } = new AbortController()
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Numbers from 1 on, and how many were made. */
function numbers(items: number, ofSignal = signal) {
  let made = 0
  return { pool: createPool(items, () => ++made, ofSignal), made: () => made }
}

test('nothing is made before it is needed, and nothing twice while one is free', async () => {
  const { pool, made } = numbers(3)
  expect(made()).toBe(0)
  const first = await pool.take()
  pool.give(first)
  expect(await pool.take()).toBe(first)
  expect(made()).toBe(1)
})

test('who comes when all are taken waits, and the one who came first is served first', async () => {
  const { pool, made } = numbers(2)
  const [one, two] = [await pool.take(), await pool.take()]
  const served: string[] = []
  const waiting = ['a', 'b'].map((name) => pool.take().then((item) => served.push(`${name}${item}`)))
  await turn()
  expect(served).toEqual([])

  pool.give(two)
  await waiting[0]
  expect(served).toEqual([`a${two}`])
  pool.give(one)
  await waiting[1]

  expect(served).toEqual([`a${two}`, `b${one}`])
  expect(made()).toBe(2)
})

test('what is given while somebody waits goes to nobody else', async () => {
  const { pool } = numbers(1)
  const only = await pool.take()
  const waiting = pool.take()
  pool.give(only)
  const late = pool.take()
  expect(await waiting).toBe(only)
  pool.give(only)
  expect(await late).toBe(only)
})

test('an interruption ends every wait with its reason, and nobody is served afterwards', async () => {
  const interruption = new AbortController()
  const { pool } = numbers(1, interruption.signal)
  const only = await pool.take()
  const waits = [pool.take(), pool.take()].map((wait) => expect(wait).rejects.toThrow('stopped by SIGTERM'))
  interruption.abort(new Error('stopped by SIGTERM'))
  await Promise.all(waits)
  pool.give(only)
  await expect(pool.take()).rejects.toThrow('stopped by SIGTERM')
})

test('a shared buffer is seen by another thread', () => {
  const buffer = sharedBuffer(3)
  expect(buffer.buffer).toBeInstanceOf(SharedArrayBuffer)
  expect([buffer.length, buffer.byteOffset]).toEqual([3, 0])
})
