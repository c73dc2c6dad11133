import { success } from '../support/scripted-s3'
import { signal, scene } from './scripted-store'

const scripted = scene()

test('unfinished uploads are listed page by page', async () => {
  const page = (id: string, more: string) =>
    success(
      `<ListMultipartUploadsResult>${more}<Upload><Key>${id}</Key><UploadId>u${id}</UploadId></Upload></ListMultipartUploadsResult>`,
    )
  const more =
    '<IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker><NextUploadIdMarker>ua</NextUploadIdMarker>'
  const store = await scripted.storeAt({
    ListMultipartUploads: [page('a', more), page('b', '<IsTruncated>false</IsTruncated>')],
  })
  const found = []
  for await (const upload of store.listUploads('', signal)) found.push(upload)
  expect(found).toEqual([
    { key: 'a', uploadId: 'ua' },
    { key: 'b', uploadId: 'ub' },
  ])
  expect(scripted.server.requests[1]?.url).toMatch(/key-marker=a&.*upload-id-marker=ua/)
})
