import { mapUnordered } from '../../agent/lib/unordered'

/** Work that ends when it is told to, and says what has begun. */
function controlled() {
  const begun: string[] = []
  const ends = new Map<string, PromiseWithResolvers<string>>()
  const work = (item: string) => {
    begun.push(item)
    const end = Promise.withResolvers<string>()
    ends.set(item, end)
    return end.promise
  }
  const settle = async (item: string, error?: Error) => {
    const end = ends.get(item)!
    if (error) end.reject(error)
    else end.resolve(`${item} done`)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { begun, work, settle }
}

test('the next one begins as soon as any has ended, not only the first', async () => {
  const { begun, work, settle } = controlled()
  const all = mapUnordered(['slow', 'b', 'c', 'd'], 2, work)
  expect(begun).toEqual(['slow', 'b'])
  await settle('b')
  expect(begun).toEqual(['slow', 'b', 'c'])
  await settle('c')
  expect(begun).toEqual(['slow', 'b', 'c', 'd'])
  await settle('d')
  await settle('slow')
  expect(await all).toEqual(['slow done', 'b done', 'c done', 'd done'])
})

test('after a failure nothing is begun, and what was begun is waited for', async () => {
  const { begun, work, settle } = controlled()
  let ended = false
  const all = mapUnordered(['a', 'b', 'c'], 2, work).finally(() => {
    ended = true
  })
  const failure = expect(all).rejects.toThrow('a failed')
  await settle('a', new Error('a failed'))
  expect([begun, ended]).toEqual([['a', 'b'], false])
  await settle('b')
  await failure
})
