import { byteQueue } from '../../agent/lib/byte-queue'

async function* chunks(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text)
}

async function textOf(portions: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  for await (const portion of portions) text += portion.toString()
  return text
}

test('portions of any size come out of chunks of any size', async () => {
  const queue = byteQueue(chunks('ab', '', 'cdef', 'g'))
  const taken: string[] = []
  for (const bytes of [1, 0, 3, 3]) taken.push(await textOf(queue.take(bytes)))
  expect(taken).toEqual(['a', '', 'bcd', 'efg'])
})

test('a stream that ends too early is told of', async () => {
  const queue = byteQueue(chunks('ab'))
  await expect(textOf(queue.take(3))).rejects.toThrow('the stream ended 1 bytes too early')
})

test('a queue that is closed ends its stream', async () => {
  let isEnded = false
  async function* source(): AsyncGenerator<Buffer> {
    try {
      yield Buffer.from('ab')
      yield Buffer.from('cd')
    } finally {
      isEnded = true
    }
  }
  const queue = byteQueue(source())
  await textOf(queue.take(1))
  await queue.close()
  expect(isEnded).toBe(true)
})
