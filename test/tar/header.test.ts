import fc from 'fast-check'
import { decodeName, decodePath, flawOf, brokenTar, hasValidChecksum, nameEnd, readHeaderPath, readNumber, typeOf } from '../../agent/tar/header' // prettier-ignore
import { NAME, PREFIX, SIZE, UID } from '../../agent/tar/layout'
import { entry } from '../support/tar-blocks'

/** A header with a field of these bytes, in the middle of others. */
function withField({ at, bytes }: { at: number; bytes: number }, content: string | Buffer): Buffer {
  const data = Buffer.alloc(2048, 0xff)
  data.fill(0, 512 + at, 512 + at + bytes)
  Buffer.from(content).copy(data, 512 + at)
  return data
}

test.each([
  ['octal digits', '00000001750\0', 1000],
  ['spaces in front', '       1750 ', 1000],
  ['digits to the last byte', '777777777777', 8 ** 12 - 1],
  ['nothing', '', 0],
  ['what follows a zero is nobody’s', '17\x009999999', 15],
  ['a digit that is not octal', '00000001780\0', NaN],
  ['a sign', '-0000000001\0', NaN],
  ['text', 'x', NaN],
])('a number: %s', (_, text, value) => {
  expect(readNumber(withField(SIZE, text), 512, SIZE)).toBe(value)
})

test('what does not fit in octal digits is read as GNU tar writes it, negative numbers too', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const field = Buffer.alloc(12)
      field.writeBigInt64BE(BigInt(value), 4)
      field.fill(value < 0 ? 0xff : 0, 0, 4)
      field[0] = value < 0 ? 0xff : 0x80
      expect(readNumber(withField(SIZE, field), 512, SIZE)).toBe(value)
    }),
  )
})

test('a number that is not exact is none', () => {
  const field = Buffer.from('800000000020000000000001', 'hex') // 2^53 + 1
  expect(readNumber(withField(SIZE, field), 512, SIZE)).toBeNaN()
  expect(readNumber(withField(UID, Buffer.from('8000000000000001', 'hex')), 512, UID)).toBe(1)
})

test('whichever byte of a header is another, its checksum is no longer right', () => {
  const header = entry({ name: './hosts', data: 'x' }).subarray(0, 512)
  expect(hasValidChecksum(Buffer.concat([Buffer.alloc(512, 1), header]), 512)).toBe(true)
  for (let at = 0; at < 512; at++) {
    const changed = Buffer.from(header)
    changed[at]! += 1
    // The checksum's own end is a zero and a space, which say nothing.
    if (at !== 154 && at !== 155) expect([at, hasValidChecksum(changed, 0)]).toEqual([at, false])
  }
})

test.each([
  ['a name', './etc/hosts', '', 'ustar\x0000', 'etc/hosts'],
  ['a name that fills its field', `./${'x'.repeat(98)}`, '', 'ustar\x0000', 'x'.repeat(98)],
  ['a name in two pieces', 'hosts', './etc', 'ustar\x0000', 'etc/hosts'],
  [
    'a name of GNU’s old headers, which keep times where others have the prefix',
    './hosts',
    '123',
    'ustar  \0',
    'hosts',
  ],
  ['a directory', './etc/', '', 'ustar\x0000', 'etc'],
  ['the root', './', '', 'ustar\x0000', '.'],
])('%s is found in a header', (_, name, prefix, magic, path) => {
  const header = entry({ name, magic, edit: (block) => block.write(prefix, PREFIX.at) })
  expect(readHeaderPath(Buffer.concat([Buffer.alloc(512), header]), 512)).toEqual({ text: path })
})

test.each([
  ['././a//', 'a'],
  ['./', '.'],
  ['.', '.'],
  ['/', '.'],
  ['../a', '../a'],
  ['.hidden', '.hidden'],
  ['a/./b', 'a/./b'],
])('the path %s is %s in a catalog', (path, expected) => {
  const data = Buffer.from(`xx${path}xx`)
  expect(decodePath(data, 2, data.length - 2)).toEqual({ text: expected })
})

test('names keep their bytes, in base64 where they are not UTF-8', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (array) => {
      const bytes = Buffer.from(array)
      const { text, base64 } = decodeName(
        Buffer.concat([Buffer.from('x'), bytes, Buffer.from('x')]),
        1,
        bytes.length + 1,
      )
      expect(Buffer.from(base64 ?? text, base64 === undefined ? 'utf8' : 'base64').equals(bytes)).toBe(true)
    }),
  )
  expect(decodeName(Buffer.from('\ufeffname'), 0, 7)).toEqual({ text: '\ufeffname' })
  expect(decodeName(Buffer.from([0x61, 0xff]), 0, 2)).toEqual({ text: 'a\ufffd', base64: 'Yf8=' })
})

test('a name ends with its field, though what follows goes on', () => {
  const data = Buffer.alloc(200, 'x')
  expect(nameEnd(data, 0, NAME.bytes)).toBe(100)
  data[7] = 0
  expect(nameEnd(data, 5, NAME.bytes)).toBe(7)
})

test.each([
  ['0', 'file'],
  ['\0', 'file'],
  ['S', 'file'],
  ['5', 'directory'],
  ['x', undefined],
  ['A', undefined],
])('type %j is %s', (flag, type) => {
  // prettier-ignore
  expect(typeOf(flag)).toBe(type)
})

test('a flaw is told without the place where it would have ended the backup', () => {
  expect(flawOf(brokenTar(1024, 'its type is unknown'))).toBe('its type is unknown')
})
