/** What of a volume has to be archived again, where an inode has several names. */
import { compareWithBase } from '../../agent/changes/compare'
import { formatFacts, type Facts } from '../../agent/changes/walked'

const facts = (more: Partial<Facts> = {}) =>
  formatFacts({
    ...{ type: 'file', inode: 7n, links: 2, sizeBytes: 4n, mtimeNs: 1n, ctimeNs: 1n, mode: 0o644, uid: 0, gid: 0 },
    ...more,
  })
const LINKED = facts()
const record = (key: string, seen = LINKED) => ({ key, facts: seen, line: '{}' })

test('names of an inode that nobody has touched are left to the base', () => {
  const comparison = compareWithBase()
  for (const key of ['a\0x', 'b\0x']) expect(comparison.isAsItWas({ key, facts: LINKED }, record(key))).toBe(true)
  expect(comparison.torn().size).toBe(0)
})

test('a name that came with a moved directory has the other ones archived too', () => {
  const comparison = compareWithBase()
  expect(comparison.isAsItWas({ key: 'b\0x', facts: LINKED }, record('b\0x'))).toBe(true)
  expect(comparison.isAsItWas({ key: 'c\0x', facts: LINKED }, undefined)).toBe(false)
  expect([...comparison.torn()]).toEqual(['7'])
  expect(compareWithBase(comparison.torn()).isAsItWas({ key: 'b\0x', facts: LINKED }, record('b\0x'))).toBe(false)
})

test('a name that went with a directory, moved to where nothing is archived, has the other ones archived too', () => {
  const comparison = compareWithBase()
  comparison.takeGone(record('a\0x'))
  expect(comparison.isAsItWas({ key: 'b\0x', facts: LINKED }, record('b\0x'))).toBe(true)
  expect([...comparison.torn()]).toEqual(['7'])
})

test('so has a name that is of another file now: the base would link the other ones to that', () => {
  const comparison = compareWithBase()
  expect(comparison.isAsItWas({ key: 'a\0x', facts: facts({ inode: 8n, links: 1 }) }, record('a\0x'))).toBe(false)
  expect(comparison.isAsItWas({ key: 'b\0x', facts: LINKED }, record('b\0x'))).toBe(true)
  expect([...comparison.torn()]).toEqual(['7'])
})

test('what is gone and had one name alone, or was in doubt, has nothing archived', () => {
  const comparison = compareWithBase()
  comparison.takeGone(record('a', facts({ inode: 9n, links: 1 })))
  comparison.takeGone(record('d', facts({ type: 'directory', inode: 10n, links: 3 })))
  comparison.takeGone(record('e', '?'))
  expect(comparison.isAsItWas({ key: 'b', facts: LINKED }, record('b'))).toBe(true)
  expect(comparison.torn().size).toBe(0)
})
