import { formatFacts, parseFacts, type Facts } from '../../agent/changes/walked'

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
