import { extendedHeaders, HEADERS_BYTES_MAX, isExtended, toleratedFlaw } from '../../agent/tar/extended-headers'
import { brokenTar } from '../../agent/tar/header'
import { record } from '../support/tar-blocks'

const padded = (data: Buffer) => Buffer.concat([data, Buffer.alloc((512 - (data.length % 512)) % 512)])

/** Gives it a header of records, in pieces, behind which the next header stands. */
function pushRecords(headers: ReturnType<typeof extendedHeaders>, flag: string, records: Buffer, offset = 0): void {
  expect(headers.start(flag, records.length, offset)).toBeUndefined()
  const data = Buffer.concat([padded(records), Buffer.alloc(512, 0xff)])
  let at = 0
  while (!headers.isWhole()) at += headers.push(data, at, Math.min(100, data.length - at))
  expect(at).toBe(padded(records).length)
}

test('records belong to the next entry alone, and start where the first of its headers does', () => {
  const headers = extendedHeaders(false)
  pushRecords(headers, 'x', record('path', './a'), 1024)
  pushRecords(headers, 'x', record('uid', '7'), 2048)
  expect(headers.areOpen()).toBe(true)
  expect(headers.take()).toEqual({ extension: { path: { text: 'a' }, uid: 7 }, start: 1024 })
  expect(headers.areOpen()).toBe(false)
  expect(headers.take()).toEqual({ extension: {} })
})

test('what is said of all that follow holds until an entry says otherwise', () => {
  const headers = extendedHeaders(false)
  pushRecords(headers, 'g', Buffer.concat([record('uid', '7'), record('gid', '8')]))
  expect(headers.areOpen()).toBe(false)
  expect(headers.take()).toEqual({ extension: { uid: 7, gid: 8 } })
  pushRecords(headers, 'x', record('uid', '9'), 512)
  expect(headers.take()).toEqual({ extension: { uid: 9, gid: 8 }, start: 512 })
  expect(headers.take().extension).toEqual({ uid: 7, gid: 8 })
})

test('GNU’s long names end with a zero, and come in any order', () => {
  const headers = extendedHeaders(false)
  const link = Buffer.from(`${'l'.repeat(600)}\0`)
  expect(headers.start('K', link.length, 0)).toBe(1024)
  headers.takeName(padded(link), 0)
  const path = Buffer.from('./long/\0')
  expect(headers.start('L', path.length, 2000)).toBe(512)
  headers.takeName(Buffer.concat([Buffer.alloc(9), padded(path)]), 9)
  expect(headers.take()).toEqual({ extension: { link: { text: 'l'.repeat(600) }, path: { text: 'long' } }, start: 0 })
})

test.each<[string, (headers: ReturnType<typeof extendedHeaders>) => void, string]>([
  ['a record that is none', (headers) => pushRecords(headers, 'x', Buffer.from('nonsense')), 'malformed'],
  ['a record that is cut', (headers) => pushRecords(headers, 'x', record('path', './a').subarray(0, 8)), 'malformed'],
  ['a name beyond 64 KiB', (headers) => pushRecords(headers, 'L', Buffer.alloc(65_537, 'x')), '65537 bytes'],
  ['headers beyond the limit', (headers) => void headers.start('x', HEADERS_BYTES_MAX, 0), 'more than 67108864 bytes'],
])('%s is an error, or costs the entry its description where that is tolerated', (_, push, flaw) => {
  expect(() => push(extendedHeaders(false))).toThrow(expect.objectContaining({ code: 'ARCHIVE_FAILED' }))
  const headers = extendedHeaders(true)
  push(headers)
  expect(headers.take().extension.undescribed).toContain(flaw)
  pushRecords(headers, 'x', record('path', './b'))
  expect(headers.take().extension).toEqual({ path: { text: 'b' } })
})

test.each([0, -1, NaN])(
  'an extended header of %d bytes is an error in any case: nobody knows what follows',
  (bytes) => {
    expect(() => extendedHeaders(true).start('x', bytes, 512)).toThrow('broken at byte 512')
  },
)

test('of two flaws the first is told', () => {
  const headers = extendedHeaders(true)
  pushRecords(headers, 'x', Buffer.concat([record('uid', 'x'), record('size', 'y')]))
  pushRecords(headers, 'x', record('gid', 'z'))
  expect(headers.take().extension.undescribed).toContain("'uid'")
})

test('a defect of the agent is not taken for a flaw of the stream', () => {
  expect(() => toleratedFlaw(new TypeError('x is undefined'), true)).toThrow(TypeError)
  expect(toleratedFlaw(brokenTar(0, 'it is odd'), true)).toBe('it is odd')
})

test.each([
  ['x', true],
  ['g', true],
  ['L', true],
  ['K', true],
  ['0', false],
  ['S', false],
])('%s: %s', (flag, expected) => {
  // prettier-ignore
  expect(isExtended(flag)).toBe(expected)
})
