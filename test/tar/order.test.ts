import { cursorOf } from '../../agent/lib/cursor'
import { findIn, orderKeyOf, orderKeyOfPath, pathOfOrderKey } from '../../agent/tar/order'

test('keys are in the order in which tar sorts names: a directory, what is in it, the next name', () => {
  const paths = ['.', 'a', 'a/b', 'a/b/c', 'a-b', 'a.txt', 'b']
  const keys = paths.map((path) => orderKeyOfPath(Buffer.from(path)))
  expect(keys.toSorted()).toEqual(keys)
  expect(keys.map((key) => pathOfOrderKey(key).toString())).toEqual(paths)
})

test('a name that is not UTF-8 keeps its bytes', () => {
  const path = Buffer.from([0x61, 0x2f, 0xff, 0x0a])
  expect(pathOfOrderKey(orderKeyOfPath(path))).toEqual(path)
})

test('an entry has the key of its bytes, whether its name is text or not', () => {
  const bytes = Buffer.from([0x61, 0x2f, 0xff])
  expect(orderKeyOf({ path: 'é/b' })).toBe(orderKeyOfPath(Buffer.from('é/b')))
  expect(orderKeyOf({ path: 'a/\ufffd', path64: bytes.toString('base64') })).toBe(orderKeyOfPath(bytes))
})

test('a name is found where it is, and what is passed on the way is told of', async () => {
  const batches = (async function* () {
    yield* await Promise.resolve([[{ path: 'a' }, { path: 'a/b' }], [], [{ path: 'a-b' }, { path: 'c' }]])
  })()
  const cursor = cursorOf(batches)
  const passed: string[] = []
  const find = (path?: string) =>
    findIn(cursor, path === undefined ? undefined : orderKeyOf({ path }), (each) => passed.push(each.path))
  expect(await find('a/b')).toEqual({ path: 'a/b' })
  expect(await find('a/c')).toBeUndefined()
  expect(passed).toEqual(['a'])
  expect(await find('b')).toBeUndefined()
  expect(await find()).toBeUndefined()
  expect(passed).toEqual(['a', 'a-b', 'c'])
})
