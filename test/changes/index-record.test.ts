import {
  baseLineOf,
  formatIndexEnd,
  formatRecord,
  keyOfLine,
  lastingFacts,
  recordSplitter,
} from '../../agent/changes/index-record'
import { formatCatalogEntry } from '../../agent/archive/catalog'
import { orderKeyOfPath } from '../../agent/tar/order'

const entry = (path: Buffer) => {
  const text = path.toString()
  const path64 = Buffer.from(text).equals(path) ? {} : { path64: path.toString('base64') }
  const rest = { type: 'file', size: 1, mode: 420, uid: 0, gid: 0, mtime: '1', offset: 0, bytes: 1024 } as const
  return formatCatalogEntry({ path: text, ...path64, ...rest })
}
const asBytes = (text: string) => Buffer.from(text).toString('latin1').slice(0, -1)

test.each(['.', 'a/b', 'ä/ö', 'a "quoted" name', 'back\\slash', 'new\nline', '\u2028'])(
  'the key of a line is that of its path: %j',
  (path) => {
    expect(keyOfLine(asBytes(entry(Buffer.from(path))))).toBe(orderKeyOfPath(Buffer.from(path)))
  },
)

test('the key of a name that is not UTF-8 is that of its bytes', () => {
  const path = Buffer.from([0x61, 0x2f, 0xff])
  expect(keyOfLine(asBytes(entry(path)))).toBe(orderKeyOfPath(path))
})

test.each(['{"segment":0}', '{"end":true}', ''])('a line that is no entry has no key: %s', (line) => {
  expect(keyOfLine(line)).toBeUndefined()
})

test('records are read back however they are cut', () => {
  const records = [
    { key: '', facts: 'd 2', line: asBytes(entry(Buffer.from('.'))) },
    { key: 'new\nline\0x', facts: 'f 3', line: asBytes(entry(Buffer.from('new\nline/x'))) },
  ]
  const text = records.map(formatRecord).join('') + formatIndexEnd(2)
  for (const length of [1, 7, 1000]) {
    const split = recordSplitter()
    const read = Array.from({ length: Math.ceil(text.length / length) }, (_, at) =>
      split(text.slice(at * length, (at + 1) * length)),
    )
    expect(read.flat()).toEqual([...records, 2])
  }
})

test('an entry of the base is told by a mark at the end of its line', () => {
  expect(JSON.parse(baseLineOf(asBytes(entry(Buffer.from('a')))))).toMatchObject({ path: 'a', offset: 0, base: true })
})

test('what was changed as the snapshot was taken, or is dated later, counts as changed whatever is seen', () => {
  const facts = (ctimeNs: bigint) => `f 1 1 5 0 ${ctimeNs} 420 0 0`
  expect(lastingFacts(facts(999n), 1000n)).toBe(facts(999n))
  for (const ctimeNs of [1000n, 5000n]) expect(lastingFacts(facts(ctimeNs), 1000n)).not.toContain('f 1')
})
