import { refusalOf } from '../support/refusal'
import { success } from '../support/scripted-s3'
import type { Store } from '../../agent/context'
import { signal, scene } from './scripted-store'

const scripted = scene()

describe('an answer in which a byte is wrong', () => {
  const list = async (store: Store) => {
    const found: unknown[] = []
    for await (const upload of store.listUploads('data/', signal)) found.push(upload)
    return found
  }
  const RIGHT = success(
    '<ListMultipartUploadsResult><Upload><Key>a</Key><UploadId>u</UploadId></Upload></ListMultipartUploadsResult>',
  )
  const GARBLED = success(RIGHT.body!.toString().replace('</Key>', '</Kex>'))

  test('is asked for again', async () => {
    const store = await scripted.storeAt({ ListMultipartUploads: [GARBLED, RIGHT] })
    expect(await list(store)).toEqual([{ key: 'a', uploadId: 'u' }])
  })

  test('is an error where it never is right, without advice for programmers', async () => {
    const store = await scripted.storeAt({ ListMultipartUploads: [GARBLED] })
    const { code, message } = await refusalOf(list(store))
    expect([code, message.includes('Deserialization'), message.includes('$response')]).toEqual([
      'STORE_FAILED',
      false,
      false,
    ])
    expect(message).toMatch(/^ListMultipartUploads of bucket backups failed: .*mismatched/i)
  })
})
