import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { mapInOrder } from '../../agent/lib/in-order.io'

const never = new AbortController().signal

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of source) all.push(item)
  return all
}

test('results come in the order of the items, however long each takes', async () => {
  const delays = [30, 1, 20, 1, 10]
  const results = mapInOrder(delays, 3, never, async (milliseconds) => {
    await sleep(milliseconds)
    return milliseconds
  })
  expect(await collect(results)).toEqual(delays)
})

test('never more than the limit at once, and not fewer while there is work', async () => {
  let running = 0
  let most = 0
  const results = mapInOrder(Array(20).keys(), 4, never, async () => {
    most = Math.max(most, ++running)
    await sleep(1)
    running--
  })
  await collect(results)
  expect(most).toBe(4)
})

test.each([
  ['slow work and a quick reader', 30, 0, 5],
  ['quick work and a slow reader', 0, 10, 2],
])('%s: as much at a time as it takes', async (_, workMs, readMs, expected) => {
  let waiting = 0
  let most = 0
  let now = 0
  const work = async () => {
    most = Math.max(most, ++waiting)
    if (workMs === 0) return
    const end = now + workMs
    await nextTurn()
    now = Math.max(now, end)
  }
  const results = mapInOrder(Array(20).keys(), { first: 2, most: 5 }, never, work, () => now)
  for (let next = await results.next(); !next.done; next = await results.next()) {
    if (readMs > 0) await nextTurn()
    now += readMs
    waiting--
  }
  expect(most).toBe(expected)
})

test('the first failure in order is thrown, and what was started is stopped and waited for', async () => {
  const stopped: number[] = []
  const results = mapInOrder([0, 1, 2, 3], 4, never, async (item, signal) => {
    if (item === 1) throw new Error('item 1 failed')
    if (item > 1) {
      await sleep(10_000, undefined, { signal }).catch(() => undefined)
      stopped.push(item)
    }
    return item
  })
  await expect(collect(results)).rejects.toThrow('item 1 failed')
  expect(stopped).toEqual([2, 3])
})

test('a consumer that stops early leaves nothing running', async () => {
  let running = 0
  const results = mapInOrder(Array(10).keys(), 3, never, async (item, signal) => {
    running++
    if (item > 0) await sleep(10_000, undefined, { signal }).catch(() => undefined)
    running--
  })
  await results.next()
  await results.return()
  expect(running).toBe(0)
})
