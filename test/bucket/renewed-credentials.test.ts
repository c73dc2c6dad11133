import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { chooseCredentials } from '../../agent/bucket/credentials.io'
import { s3Store } from '../../agent/bucket/store.io'
import { fakeClock } from '../support/fake-clock'
import { refusalOf } from '../support/refusal'
import { failure, scriptedS3, success, type Step } from '../support/scripted-s3'

const signal = new AbortController().signal
const BODY = Buffer.from('a part of an archive')
const UPLOAD = { key: 'data/daily/h/r/vg0-root.tar.zst', uploadId: 'u' }
const environment = process.env
let directory: string
let file: string

/** Host Management keeps its credentials in a file, and nothing else gives any. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'snapstream-'))
  file = join(directory, 'credentials')
  process.env = {
    PATH: environment['PATH'],
    HOME: directory,
    AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1',
    AWS_SHARED_CREDENTIALS_FILE: file,
  }
})
afterEach(async () => {
  process.env = environment
  await rm(directory, { recursive: true })
})

/** As the SSM agent does from time to time. */
function writeCredentials(accessKeyId: string): Promise<void> {
  return writeFile(
    file,
    `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = x\naws_session_token = of-${accessKeyId}\n`,
  )
}

function storeAt(endpointUrl: string) {
  return s3Store({
    bucket: 'backups',
    region: 'eu-west-1',
    endpointUrl,
    credentials: chooseCredentials(process.env),
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
    clock: fakeClock(),
  })
}

const PART_STORED = success('', { etag: '"1"' })
const keyOf = (authorization = '') => /Credential=(\w+)\//.exec(authorization)?.[1]

describe('the SSM agent renews the credentials of Default Host Management in mid-upload:', () => {
  test.each<[string, Step]>([
    ['ExpiredToken', failure(400, 'ExpiredToken')],
    ['ExpiredTokenException', failure(400, 'ExpiredTokenException')],
    ['InvalidToken', failure(400, 'InvalidToken')],
  ])('the part that is refused with %s, and all after it, go with the new ones', async (_, refusal) => {
    await writeCredentials('AKOLD')
    await using server = await scriptedS3({ UploadPart: [PART_STORED, PART_STORED, refusal, refusal, PART_STORED] })
    const store = storeAt(server.url)
    const send = (partNumber: number) => store.uploadPart(UPLOAD, partNumber, BODY, crc32(BODY), signal)
    await send(1)
    await send(2)
    await writeCredentials('AKNEW')
    // Two in flight at a time: both were signed with the old ones.
    await Promise.all([send(3), send(4)])
    await send(5)
    const keys = server.requests.map(({ headers }) => keyOf(headers.authorization))
    expect(keys).toEqual(['AKOLD', 'AKOLD', 'AKOLD', 'AKOLD', 'AKNEW', 'AKNEW', 'AKNEW'])
    expect(server.requests.at(-1)?.headers['x-amz-security-token']).toBe('of-AKNEW')
  })

  test('a HEAD request, which is refused without a word, too', async () => {
    await writeCredentials('AKOLD')
    await using server = await scriptedS3({ HeadObject: [success(BODY), { status: 400 }, success(BODY)] })
    const store = storeAt(server.url)
    await store.head(UPLOAD.key, signal)
    await writeCredentials('AKNEW')
    await store.head(UPLOAD.key, signal)
  })

  test('while the file is being written, the old ones serve', async () => {
    await writeCredentials('AKOLD')
    const credentials = chooseCredentials(process.env)
    await credentials()
    await writeFile(file, '[default]\naws_access_key_id = AKNE')
    expect(await credentials({ forceRefresh: true })).toMatchObject({ accessKeyId: 'AKOLD' })
    await writeCredentials('AKNEW')
    expect(await credentials({ forceRefresh: true })).toMatchObject({ accessKeyId: 'AKNEW' })
  })
})

test('credentials from a file are never taken for good: the SDK is told to ask again', async () => {
  await writeCredentials('AKOLD')
  const { expiration } = await chooseCredentials(process.env)()
  expect(expiration?.getTime()).toBeLessThanOrEqual(Date.now() + 300_000)
})

test('credentials that are refused and have not been renewed are not tried again', async () => {
  await writeCredentials('AKOLD')
  await using server = await scriptedS3({ UploadPart: [failure(400, 'ExpiredToken')] })
  const sending = storeAt(server.url).uploadPart(UPLOAD, 1, BODY, crc32(BODY), signal)
  expect(await refusalOf(sending)).toMatchObject({ code: 'CREDENTIALS_EXPIRED' })
  expect(server.operations).toEqual(['UploadPart'])
})
