import { parseRestore, toObjectInfo, UNKNOWN_TIME, wholeCrc32 } from '../../agent/bucket/object-info'

test('what S3 lists is taken as it is', () => {
  const LastModified = new Date('2026-01-31')
  expect(toObjectInfo({ Key: 'a', Size: 0, LastModified, StorageClass: 'GLACIER' })).toEqual({
    ...{ key: 'a', sizeBytes: 0, lastModified: LastModified, storageClass: 'GLACIER' },
  })
})

test('an object of which the server says neither time nor class is of no time, and readable', () => {
  const info = toObjectInfo({ Key: 'a', Size: 1 })
  expect([info.lastModified, info.storageClass]).toEqual([UNKNOWN_TIME, 'STANDARD'])
  expect(info.lastModified.getTime()).toBeNaN()
})

test.each([
  ['ongoing-request="true"', { ongoing: true }],
  [
    'ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"',
    { ongoing: false, expires: new Date('2012-12-21T00:00:00Z') },
  ],
  ['ongoing-request="false"', { ongoing: false }],
  ['', { ongoing: false }],
])('the header %j', (header, expected) => {
  expect(parseRestore(header)).toEqual(expected)
})

test.each([
  ['of the whole object', { ChecksumCRC32: 'Hvf9sw==', ChecksumType: 'FULL_OBJECT' }, 0x1ef7fdb3],
  ['of which the server does not say more', { ChecksumCRC32: '/////w==' }, 0xffffffff],
  ['of the parts’ checksums', { ChecksumCRC32: 'Hvf9sw==', ChecksumType: 'COMPOSITE' }, undefined],
  ['of the parts’ checksums, though nobody calls it that', { ChecksumCRC32: 'Hvf9sw==-3' }, undefined],
  ['of other bytes than four', { ChecksumCRC32: 'Hvf9' }, undefined],
  ['that is none', { ChecksumCRC32: '' }, undefined],
  ['that was not kept', {}, undefined],
])('a checksum %s', (_, output, expected) => {
  expect(wholeCrc32(output)).toBe(expected)
})
