import { randomBytes } from 'node:crypto'
import { s3Store } from '../../agent/bucket/store.io'
import { fakeClock } from '../support/fake-clock'
import { refusalOf } from '../support/refusal'
import { scriptedS3, success, type ScriptedS3, type Step } from '../support/scripted-s3'
import type { Store } from '../../agent/context'

const signal = new AbortController().signal
const KEY = 'data/daily/host/run/vg0-root.tar.zst'
const BODY = randomBytes(1000)

let server: ScriptedS3
afterEach(() => server[Symbol.asyncDispose]())

async function storeAt(script: Parameters<typeof scriptedS3>[0]): Promise<Store> {
  server = await scriptedS3(script)
  return s3Store({
    bucket: 'backups',
    region: 'eu-west-1',
    endpointUrl: server.url,
    credentials: async () => ({ accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' }),
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
    clock: fakeClock(),
  })
}

const times = (count: number, step: Step): Step[] => Array<Step>(count).fill(step)

describe('the body of a range', () => {
  const range = { status: 206, body: BODY.subarray(0, 100) }

  test('that breaks off again and again is asked for as long as an outage may last', async () => {
    const store = await storeAt({ GetObject: [...times(40, { ...range, breakAfterBytes: 0 }), range] })
    expect((await store.getRange(KEY, 0, 100, signal)).equals(BODY.subarray(0, 100))).toBe(true)
  })

  test('that never gets on is given up after a quarter of an hour, which is said', async () => {
    const store = await storeAt({ GetObject: [{ ...range, breakAfterBytes: 0 }] })
    expect(await refusalOf(store.getRange(KEY, 0, 100, signal))).toMatchObject({
      code: 'ENDPOINT_UNREACHABLE',
      message: expect.stringMatching(/ in \d\d+ attempts over 15 min: /),
    })
  })

  test('that does not have its checksum is no outage, and soon given up', async () => {
    const damaged = success(BODY, { 'x-amz-checksum-crc32': 'AAAAAQ==' })
    const store = await storeAt({ GetObject: [damaged] })
    expect(await refusalOf(store.get(KEY, 1_000_000, signal))).toMatchObject({ code: 'CHECKSUM_MISMATCH' })
    expect(server.operations).toHaveLength(5)
  })
})
