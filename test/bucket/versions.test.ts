import { success } from '../support/scripted-s3'
import { signal, scene } from './scripted-store'

const scripted = scene()

test('versions are listed page by page, and a deleted object whose versions are on two pages once', async () => {
  const version = (key: string, id: string, isLatest: boolean) =>
    `<Version><Key>${key}</Key><VersionId>${id}</VersionId><IsLatest>${isLatest}</IsLatest><Size>5</Size>` +
    '<LastModified>2026-01-31T02:00:00.000Z</LastModified><StorageClass>STANDARD</StorageClass></Version>'
  const marker = '<DeleteMarker><Key>b</Key><VersionId>mb</VersionId><IsLatest>true</IsLatest></DeleteMarker>'
  const page = (body: string) => success(`<ListVersionsResult>${body}</ListVersionsResult>`)
  const more =
    '<IsTruncated>true</IsTruncated><NextKeyMarker>b</NextKeyMarker><NextVersionIdMarker>vb2</NextVersionIdMarker>'
  const store = await scripted.storeAt({
    ListObjectVersions: [
      page(more + version('a', 'va', true) + marker + version('b', 'vb2', false)),
      page(version('b', 'vb1', false) + version('c', 'vc', true)),
    ],
  })
  const found = []
  for await (const { key, deletedVersion } of store.list('', signal, { includeDeleted: true })) {
    found.push([key, deletedVersion])
  }
  expect(found).toEqual([
    ['a', undefined],
    ['b', 'vb2'],
    ['c', undefined],
  ])
  expect(scripted.server.requests[1]?.url).toMatch(/key-marker=b&.*version-id-marker=vb2/)
})
