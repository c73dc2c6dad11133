import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Clock } from '../../agent/bucket/retries.io'
import { s3Store } from '../../agent/bucket/store.io'
import { fakeClock } from '../support/fake-clock'
import { refusalOf } from '../support/refusal'
import { failure, scriptedS3, success, type ScriptedS3, type Step } from '../support/scripted-s3'
import type { Store } from '../../agent/context'

const signal = new AbortController().signal
const KEY = 'data/daily/host/run/vg0-root.tar.zst'
const UPLOAD = { key: KEY, uploadId: 'the-upload' }
const BODY = randomBytes(1000)
const PART_STORED = success('', { etag: '"1"' })
const UNAVAILABLE = failure(503, 'ServiceUnavailable')

let server: ScriptedS3
let clock: Clock
afterEach(() => server[Symbol.asyncDispose]())

async function storeAt(script: Parameters<typeof scriptedS3>[0]): Promise<Store> {
  server = await scriptedS3(script)
  clock = fakeClock()
  return s3Store({
    bucket: 'backups',
    region: 'eu-west-1',
    endpointUrl: server.url,
    credentials: async () => ({ accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' }),
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
    clock,
  })
}

const times = (count: number, step: Step): Step[] => Array<Step>(count).fill(step)
const send = (store: Store) => store.uploadPart(UPLOAD, 7, BODY, crc32(BODY), signal)

describe('in mid-stream, a network outage', () => {
  test.each<[string, Step]>([
    ['without an answer', 'lose'],
    ['with a server that is down behind its load balancer', UNAVAILABLE],
  ])('of ten minutes, %s, is survived', async (_, mishap) => {
    const store = await storeAt({ UploadPart: [PART_STORED, ...times(40, mishap), PART_STORED] })
    await send(store)
    await send(store)
    expect(clock.nowSeconds()).toBeGreaterThan(300)
    expect(server.requests.at(-1)?.body.equals(BODY)).toBe(true)
  })

  test('that does not end ends the run after a quarter of an hour, which it says', async () => {
    const store = await storeAt({ UploadPart: [PART_STORED, UNAVAILABLE] })
    await send(store)
    expect(await refusalOf(send(store))).toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringMatching(/ failed in \d\d+ attempts over 15 min: /),
    })
    expect(clock.nowSeconds()).toBeLessThan(16 * 60)
  })

  test('that one request has waited out in vain is not waited out again by what cleans up', async () => {
    const store = await storeAt({ UploadPart: [PART_STORED, 'lose'], AbortMultipartUpload: ['lose'] })
    await send(store)
    await refusalOf(send(store))
    const toldAt = clock.nowSeconds()
    await refusalOf(store.abortUpload(UPLOAD, signal))
    expect(server.operations.filter((operation) => operation === 'AbortMultipartUpload')).toHaveLength(5)
    expect(clock.nowSeconds() - toldAt).toBeLessThan(60)
  })

  test('is forgotten once something has come through', async () => {
    const outage = times(40, 'lose')
    const store = await storeAt({ UploadPart: [PART_STORED, ...outage, PART_STORED, ...outage, PART_STORED] })
    for (let parts = 0; parts < 3; parts++) await send(store)
  })
})

test('a server that says for long that it is too busy is given longer than one that is silent', async () => {
  const store = await storeAt({ UploadPart: [PART_STORED, ...times(80, failure(503, 'SlowDown')), PART_STORED] })
  await send(store)
  await send(store)
})

test('before anything has succeeded nobody waits for a quarter of an hour', async () => {
  const store = await storeAt({ UploadPart: ['lose'] })
  await refusalOf(send(store))
  expect(server.operations).toHaveLength(5)
})
