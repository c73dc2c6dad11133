import { formatFacts, keyOf, parseFacts, pathOf, type Facts } from '../../agent/changes/walked'

const FACTS: Facts = {
  ...{ type: 'file', inode: 18_446_744_073_709_551_615n, links: 2, sizeBytes: 5n },
  ...{ mtimeNs: -1n, ctimeNs: 1_790_000_000_123_456_789n, mode: 0o4755, uid: 1000, gid: 100 },
} as const

test('what is seen of a file is read back as it was', () => {
  expect(parseFacts(formatFacts(FACTS))).toEqual(FACTS)
})

test.each(['', 'x 1 1 1 1 1 1 1 1', 'f 1 1 1 1 1 1 1', 'f 1 1 1 1 1 1 1 1 1', 'f 1 1 1 1.5 1 1 1 1'])(
  'what nobody wrote is not read: %p',
  (text) => expect(parseFacts(text)).toBeUndefined(),
)

test('keys are in the order in which tar sorts names: a directory, what is in it, the next name', () => {
  const paths = ['.', 'a', 'a/b', 'a/b/c', 'a-b', 'a.txt', 'b']
  const keys = paths.map((path) => keyOf(Buffer.from(path)))
  expect(keys.toSorted()).toEqual(keys)
  expect(keys.map((key) => pathOf(key).toString())).toEqual(paths)
})

test('a name that is not UTF-8 keeps its bytes', () => {
  const path = Buffer.from([0x61, 0x2f, 0xff, 0x0a])
  expect(pathOf(keyOf(path))).toEqual(path)
})
