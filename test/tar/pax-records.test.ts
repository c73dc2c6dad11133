import fc from 'fast-check'
import type { Extension } from '../../agent/tar/extension'
import { formatRecord, paxReader, readRecord } from '../../agent/tar/pax-records'
import { record } from '../support/tar-blocks'

const RUNS = { numRuns: 1000 }
const values = fc.uint8Array({ maxLength: 300 }).map((data) => Buffer.from(data))
const keys = fc.constantFrom('path', 'linkpath', 'uid', 'SCHILY.xattr.user.a', 'comment')
const records = fc.tuple(keys, values).map(([key, value]) => record(key, key === 'uid' ? String(value.length) : value))

function read(all: Buffer, size: number): Extension {
  const extension: Extension = {}
  const reader = paxReader()
  reader.start(0, extension)
  for (let at = 0; at < all.length; at += size) reader.push(all, at, Math.min(at + size, all.length))
  reader.finish()
  return extension
}

test('records are read the same in pieces of any size', () => {
  fc.assert(
    fc.property(fc.array(records, { maxLength: 8 }), fc.integer({ min: 1, max: 64 }), (several, piece) => {
      const all = Buffer.concat(several)
      expect(read(all, piece)).toEqual(read(all, all.length + 1))
    }),
    RUNS,
  )
})

test('what the value of a record holds is nobody’s record, whatever it looks like', () => {
  expect(read(record('comment', '14 path=evil\n14 path=evil\n'), 1000)).toEqual({})
})

test.each<[string, [string, string][], Extension]>([
  ['of a path twice, the last counts', [['path', './a'], ['path', './b']], { path: { text: 'b' } }], // prettier-ignore
  ['a size of 2^53 - 1', [['size', '9007199254740991']], { storedBytes: 9007199254740991 }], // prettier-ignore
  ['a time before 1970, to the nanosecond', [['mtime', '-1.000000001']], { mtime: '-1.000000001' }], // prettier-ignore
  ['attributes, of which only that there are any', [['SCHILY.xattr.user.a', 'x'.repeat(70_000)]], { xattrs: true }], // prettier-ignore
])('%s', (_, written, expected) => {
  const all = Buffer.concat(written.map(([key, value]) => record(key, value)))
  expect(read(all, 1)).toEqual(expected)
  expect(read(all, all.length)).toEqual(expected)
})

test.each(['path', 'linkpath'])('a %s of 64 KiB is kept, and one byte more costs the entry its description', (key) => {
  const name = key === 'path' ? 'path' : 'link'
  for (const piece of [1000, 100_000]) {
    expect(read(record(key, 'x'.repeat(65_536)), piece)[name]?.text.length).toBe(65_536)
    expect(read(record(key, 'x'.repeat(65_537)), piece)).toEqual({
      [name]: { text: 'x'.repeat(256) },
      undescribed: `its ${name} has 65537 bytes`,
    })
  }
})

test.each([
  ['no length', 'path=x\n'],
  ['a length of nothing', '0 path=x\n'],
  ['a length that cuts the newline off', '8 path=x\n'],
  ['a length beyond the header', '11 path=x\n'],
  ['no equals sign', '7 path\n'],
  ['no key', '5 =x\n'],
  ['a length of 16 digits', '0000000000000024 path=x\n'],
  ['nothing but the beginning of a length', '12'],
  ['a number that is none', '10 uid=-1\n'],
  ['a number that is not exact', '25 size=9007199254740993\n'],
  ['a time that is none', '14 mtime=1e3\n'],
])('a record with %s is none', (_, text) => {
  expect(() => read(Buffer.from(text), 1000)).toThrow(expect.objectContaining({ code: 'ARCHIVE_FAILED' }))
  expect(() => read(Buffer.from(text), 1)).toThrow(expect.objectContaining({ code: 'ARCHIVE_FAILED' }))
})

test('a record is read back as it was formatted, and as tests format it', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '.', '1'), minLength: 1 }), values, (key, value) => {
      const bytes = formatRecord(key, value)
      expect(bytes.equals(record(key, value))).toBe(true)
      expect(readRecord(Buffer.concat([Buffer.from('xyz'), bytes, bytes]), 3)).toEqual({ key, value, bytes })
    }),
    RUNS,
  )
})

test.each([
  '9 path=x',
  '011 path=x\n',
  '9  path=x',
  '0 path=x\n',
  '9 path=xy',
  '99 path=x\n',
  '9 pathxy\n9 path=x\n',
  ' 9=\n',
  '',
])('what starts with %j can be read in more ways than one, or in none', (text) => {
  expect(readRecord(Buffer.from(text), 0)).toBeUndefined()
})
