import { PATH_BYTES_MAX } from '../../agent/tar/entry'
import { applyRecord, isAttribute, isKept, type Extension } from '../../agent/tar/extension'
import { refusal } from '../support/refusal'

/** What a record says, in the middle of others. */
function applied(key: string, value: string | Buffer, before: Extension = {}): Extension {
  const bytes = Buffer.from(value)
  const data = Buffer.concat([Buffer.from('9'), bytes, Buffer.from('9')])
  const extension = { ...before }
  applyRecord(extension, { key, data, start: 1, end: 1 + bytes.length, bytes: bytes.length }, 1024)
  return extension
}

test.each<[string, string, Extension]>([
  ['path', './etc/hosts', { path: { text: 'etc/hosts' } }],
  ['path', './dir/', { path: { text: 'dir' } }],
  ['GNU.sparse.name', './huge', { sparsePath: { text: 'huge' } }],
  // A link is a text of its own, and no path of the archive.
  ['linkpath', './etc/', { link: { text: './etc/' } }],
  ['mtime', '1700000000.123456789', { mtime: '1700000000.123456789' }],
  ['mtime', '-1', { mtime: '-1' }],
  ['size', '9007199254740991', { storedBytes: 9007199254740991 }],
  ['uid', '3000000', { uid: 3_000_000 }],
  ['gid', '0', { gid: 0 }],
  ['GNU.sparse.size', '4096', { sparseSize: 4096 }],
  ['GNU.sparse.realsize', '9223372036854775807', { sparseSize: Number.MAX_SAFE_INTEGER }],
  ['GNU.sparse.major', '1', { mapInData: true }],
  ['GNU.sparse.major', '0', {}],
])('%s=%s', (key, value, expected) => {
  expect(isKept(key)).toBe(true)
  expect(applied(key, value)).toEqual(expected)
})

test('a name that is no text keeps its bytes', () => {
  expect(applied('path', Buffer.from('caf\xe9', 'latin1'))).toEqual({ path: { text: 'caf\ufffd', base64: 'Y2Fm6Q==' } })
})

test('of two records, the later one counts', () => {
  expect(applied('uid', '7', { uid: 1, gid: 2 })).toEqual({ uid: 7, gid: 2 })
})

test.each<[string, string, string]>([
  ['size', 'one', "'size' in its pax header is no number"],
  ['size', '-1', "'size' in its pax header is no number"],
  ['size', '', "'size' in its pax header is no number"],
  ['size', '1e3', "'size' in its pax header is no number"],
  ['size', '9007199254740992', "'size' in its pax header is too large"],
  ['uid', '0x10', "'uid' in its pax header is no number"],
  ['gid', '9'.repeat(400), "'gid' in its pax header is too large"],
  ['GNU.sparse.size', '1 ', "'GNU.sparse.size' in its pax header is no number"],
  ['GNU.sparse.major', 'one', "'GNU.sparse.major' in its pax header is no number"],
  ['mtime', '1.0000000001', "'1.0000000001' is no time"],
  ['mtime', '1.', "'1.' is no time"],
  ['mtime', 'today', "'today' is no time"],
])('%s=%j is refused, with the place in the stream', (key, value, why) => {
  expect(refusal(() => applied(key, value))).toMatchObject({
    code: 'ARCHIVE_FAILED',
    message: expect.stringMatching(/byte 1024: /) as string,
  })
  expect(() => applied(key, value)).toThrow(why)
})

describe('a value beyond 64 KiB', () => {
  const long = 'x'.repeat(PATH_BYTES_MAX + 1)

  test.each([
    ['path', { path: { text: 'x'.repeat(256) }, undescribed: 'its path has 65537 bytes' }],
    ['GNU.sparse.name', { sparsePath: { text: 'x'.repeat(256) }, undescribed: 'its path has 65537 bytes' }],
    ['linkpath', { link: { text: 'x'.repeat(256) }, undescribed: 'its link has 65537 bytes' }],
  ])('of %s costs the entry its description, and leaves a name to find it by', (key, expected) => {
    expect(applied(key, long)).toEqual(expected)
  })

  test.each(['mtime', 'size', 'GNU.sparse.major'])('of %s is none', (key) => {
    expect(() => applied(key, '1'.repeat(PATH_BYTES_MAX + 1))).toThrow(`'${key}' in its pax header has 65537 bytes`)
  })
})

test.each([
  ['SCHILY.xattr.user.comment', true],
  ['SCHILY.xattr.security.capability', true],
  ['SCHILY.acl.access', true],
  ['RHT.security.selinux', true],
  ['RHT.security.selinux2', false],
  ['comment', false],
  ['uname', false],
])('%s: that it is an attribute is %s, and its value is not needed', (key, expected) => {
  expect([isAttribute(key), isKept(key)]).toEqual([expected, false])
})
