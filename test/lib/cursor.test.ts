import { cursorOf } from '../../agent/lib/cursor'

async function* batchesOf<Item>(...batches: readonly (readonly Item[])[]): AsyncGenerator<readonly Item[], void> {
  yield* batches
}

test('what comes in batches is had one by one, empty batches or not', async () => {
  const cursor = cursorOf(batchesOf([1, 2], [], [3]))
  const all: number[] = []
  for (;;) {
    if (cursor.current === undefined) await cursor.load()
    if (cursor.current === undefined) break
    all.push(cursor.current)
    cursor.advance()
  }
  expect([all, cursor.isEnded]).toEqual([[1, 2, 3], true])
})

test('loading what is at hand already loses nothing', async () => {
  const cursor = cursorOf(batchesOf(['a', 'b']))
  await cursor.load()
  await cursor.load()
  expect([cursor.current, cursor.isEnded]).toEqual(['a', false])
})
