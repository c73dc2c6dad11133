import { parseListPage } from '../../fleet/list-page'

const object = (key: string, more = '') =>
  `<Contents><Key>${key}</Key><LastModified>2026-01-31T02:03:04.000Z</LastModified><ETag>&quot;0&quot;</ETag>` +
  `<Size>12</Size>${more}</Contents>`
const page = (content: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
  `<Name>b</Name><Prefix></Prefix>${content}</ListBucketResult>`

test('objects are read as S3 tells of them, and where the next page begins', () => {
  const more = '<StorageClass>GLACIER</StorageClass><Owner><ID>1</ID></Owner>'
  const xml = page(
    `${object('a')}${object('b', more)}<IsTruncated>true</IsTruncated><NextContinuationToken>x&amp;y=</NextContinuationToken>`,
  )
  const lastModified = new Date('2026-01-31T02:03:04Z')
  expect(parseListPage(xml)).toEqual({
    objects: [
      { key: 'a', sizeBytes: 12, lastModified, storageClass: 'STANDARD' },
      { key: 'b', sizeBytes: 12, lastModified, storageClass: 'GLACIER' },
    ],
    next: 'x&y=',
  })
  expect(parseListPage(page('<IsTruncated>false</IsTruncated>'))).toEqual({ objects: [], next: undefined })
})

test.each([
  ['a &amp;amp; b', 'a &amp; b'],
  ['&lt;Key&gt;x&lt;/Key&gt;', '<Key>x</Key>'],
  ['quotes &quot;&apos;', `quotes "'`],
  ['&#x1;&#1;&#xD;', '\u0001\u0001\r'],
  ['&#128451;&#x1F5C4;', '🗃🗄'],
  ['&#x110000;&unknown;', '&#x110000;&unknown;'],
  ['ümläut', 'ümläut'],
])('a key that is written as %s is %s', (written, key) => {
  expect(parseListPage(page(object(written)))?.objects[0]?.key).toBe(key)
})

test('an object of which S3 does not say the time has none', () => {
  expect(
    parseListPage(page('<Contents><Key>a</Key><Size>0</Size></Contents>'))?.objects[0]?.lastModified.getTime(),
  ).toBeNaN()
})

test.each([
  ['an error', '<Error><Code>SlowDown</Code></Error>'],
  ['another listing', page('').replaceAll('ListBucketResult', 'ListVersionsResult')],
  ['keys in another encoding', page('<EncodingType>url</EncodingType>')],
  [
    'a page that was cut off between two objects',
    page(`<IsTruncated>false</IsTruncated>${object('a')}`).replace('</ListBucketResult>', ''),
  ],
  ['an object without a key', page('<Contents><Size>1</Size></Contents>')],
  ['an object without a size', page('<Contents><Key>a</Key></Contents>')],
  ['a size that is none', page(object('a').replace('12', '1e3'))],
  ['an object without an end', page(object('a').replace('</Contents>', ''))],
  ['more pages, and no way to them', page('<IsTruncated>true</IsTruncated>')],
  ['nothing', ''],
])('%s is left to the SDK', (_, xml) => {
  expect(parseListPage(xml)).toBeUndefined()
})
