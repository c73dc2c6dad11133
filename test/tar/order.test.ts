import { orderKeyOf, orderKeyOfPath, pathOfOrderKey } from '../../agent/tar/order'

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
