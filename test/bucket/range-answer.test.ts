import fc from 'fast-check'
import { isAsStored, isRange, isSameRange, parseAnswerHead } from '../../agent/bucket/range-answer'

const RANGE = 'bytes=1000-1039'
const HEAD = 'HTTP/1.1 206 Partial Content\r\nContent-Length: 40\r\nContent-Range: bytes 1000-1039/5000'
const isTaken = (head: string) => isRange(parseAnswerHead(head), RANGE, 40)

test.each([
  ['as it is asked for', HEAD],
  ['of an object whose size is not told', HEAD.replace('5000', '*')],
  ['with names and units in another case', HEAD.replace('Content-Range: bytes', 'CONTENT-RANGE: Bytes')],
  ['without a space behind the colon', HEAD.replaceAll(': ', ':')],
  ['sent in chunks that the server took apart', `${HEAD}\r\nContent-Encoding: aws-chunked`],
  ['with an empty encoding', `${HEAD}\r\nContent-Encoding: `],
  ['without a reason', HEAD.replace(' Partial Content', '')],
  ['with headers that say nothing of it', `${HEAD}\r\nETag: "x: y"\r\nX-Empty:`],
])('a range %s is taken', (_, head) => {
  expect(isTaken(head)).toBe(true)
})

test.each([
  ['the whole object', HEAD.replace('206', '200')],
  ['another range', HEAD.replace('1000-1039', '1001-1040')],
  ['a range that only begins as it should', HEAD.replace('1039/', '10390/')],
  ['several ranges', HEAD.replace('bytes 1000-1039/5000', 'bytes 1000-1039/5000, bytes 0-1/5000')],
  ['no range', HEAD.replace(/\r\nContent-Range.*/, '')],
  ['another length', HEAD.replace('Length: 40', 'Length: 39')],
  ['a length in another notation', HEAD.replace('Length: 40', 'Length: 040')],
  ['two lengths', `${HEAD}\r\nContent-Length: 40`],
  ['no length', HEAD.replace(/\r\nContent-Length: 40/, '')],
  ['chunks', `${HEAD}\r\nTransfer-Encoding: chunked`],
  ['something compressed', `${HEAD}\r\nContent-Encoding: gzip`],
  ['a body that is compressed and was sent in chunks', `${HEAD}\r\nContent-Encoding: aws-chunked, gzip`],
  ['an older protocol', HEAD.replace('1.1', '1.0')],
  ['a status of four digits', HEAD.replace('206', '2060')],
  ['a header in the place of the status', `X: y\r\n${HEAD}`],
  ['nothing', ''],
])('%s is not', (_, head) => {
  expect(isTaken(head)).toBe(false)
})

test('a header that comes twice has both values, in any case of its name', () => {
  expect(parseAnswerHead('HTTP/1.1 200 OK\r\nVia: a\r\nvia:  b ')).toEqual({ status: 200, headers: { via: 'a, b' } })
})

test('names that objects have by themselves are headers like others', () => {
  const { headers } = parseAnswerHead('HTTP/1.1 200 OK\r\n__proto__: x\r\nconstructor: y')
  expect(Object.entries(headers)).toEqual([['__proto__', 'x'], ['constructor', 'y']]) // prettier-ignore
  expect(headers['content-length']).toBeUndefined()
})

test('whatever stands in a head, it is parsed; it is a range only where status, length and range say so', () => {
  const line = fc.oneof(
    fc.constantFrom(
      ...HEAD.split('\r\n'),
      'Transfer-Encoding: chunked',
      ': x',
      'Content-Length',
      ' Content-Length: 40',
    ),
    fc.string({ unit: 'binary', maxLength: 30 }),
  )
  let taken = 0
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
      if (!isTaken(lines.join('\r\n'))) return
      taken++
      const [status, length, range] = HEAD.split('\r\n')
      expect(lines[0]).toBe(status)
      expect(lines).toContain(length)
      expect(lines).toContain(range)
    }),
    { numRuns: 20_000 },
  )
  expect(taken).toBeGreaterThan(0)
})

test.each([
  [undefined, true],
  ['identity', true],
  ['AWS-chunked', true],
  ['gzip', false],
  ['aws-chunked,gzip', false],
])('a content encoded as %s is as it is stored: %s', (encoding, expected) => {
  expect(isAsStored(encoding)).toBe(expected)
})

test.each([
  ['bytes 0-9/10', 'bytes=0-9', true],
  ['bytes 0-9/10', 'bytes=0-99', false],
  ['bytes */10', 'bytes=0-9', false],
  [undefined, 'bytes=0-9', false],
])('%s answers %s: %s', (contentRange, range, expected) => {
  expect(isSameRange(contentRange, range)).toBe(expected)
})
