import { findLeftovers, formatUploadTag, parseUploadTag } from '../../../agent/source/lvm/leftovers'
import { storage } from '../../support/storage'

const ours = 'snapstream_20260131T040506Z_abz277_0'

test('only what bears our name and our tag is ours', () => {
  const host = storage({
    logicalVolumes: [
      { name: ours, tags: ['snapstream', 'snapstream.run=20260131T040506Z-abz277'] },
      { name: 'snapstream_data', tags: [] },
      { name: 'foreign', tags: ['snapstream'] },
      { name: 'root', tags: ['snapstream.skip'] },
    ],
  })
  expect(findLeftovers(host.logicalVolumes)).toEqual([
    { kind: 'lvm', name: `vg/${ours}`, group: 'vg', snapshot: ours, uploads: [] },
  ])
})

const uploads = [
  [
    'of S3',
    'data/daily/arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc/20260131T040506Z-abz277/vg0-root.tar.zst',
    'aBc.d_E-1',
  ],
  ['of Ceph', 'data/daily/web-1/20260131T040506Z-abz277/vg0-root.tar.zst.001', '2~F-x/yZ'],
  ['with every sign', 'data/ä€😀 +,;"\'()*!%#:/x', "~!'()*%#:/ä"],
] as const

test.each(uploads)('a snapshot remembers an upload %s', (_what, key, uploadId) => {
  const tag = formatUploadTag({ key, uploadId })
  expect(tag).toMatch(/^[A-Za-z0-9_+.\-/=!:&#]{1,1024}$/)
  expect(parseUploadTag(tag)).toEqual({ key, uploadId })
  const host = storage({ logicalVolumes: [{ name: ours, tags: ['snapstream', tag] }] })
  expect(findLeftovers(host.logicalVolumes)).toMatchObject([{ uploads: [{ key, uploadId }] }])
})

test('the longest key and upload id still fit a tag', () => {
  const names = 'x'.repeat(63)
  const key = `data/${'c'.repeat(32)}/arn:aws-us-gov:ec2:us-gov-east-1:123456789012:instance/i-0123456789abcdef0/20260131T040506Z-abz277/${names}-${names}.tar.zst.999`
  expect(formatUploadTag({ key, uploadId: 'u'.repeat(256) }).length).toBeLessThanOrEqual(1024)
})

test.each([
  'snapstream',
  'snapstream.upload=',
  'snapstream.upload=id',
  'snapstream.upload=#GG:key',
  'backup.upload=a:b',
])('the tag %s names no upload', (tag) => {
  expect(parseUploadTag(tag)).toBeUndefined()
})
