import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { DeleteObjectCommand, PutBucketPolicyCommand, RestoreObjectCommand } from '@aws-sdk/client-s3'
import { s3Store } from '../../agent/bucket/store.io'
import type { S3StoreOptions } from '../../agent/bucket/client.io'
import {
  createBucket,
  plainClient,
  radosgwAdmin,
  startMoto,
  testServers,
  type RunningServer,
  type Server,
} from '../servers/index'
import { silentLog } from '../support/log'
import { refusalOf } from '../support/refusal'
import type { VersionedStore } from '../support/memory-store'
import { storeContract } from '../support/store-contract'
import type { Store } from '../../agent/context'

jest.setTimeout(60_000)

const signal = new AbortController().signal
const BODY = randomBytes(5 * 2 ** 20)

function storeAt(server: Server, bucket: string, more: Partial<S3StoreOptions> = {}): Store {
  return s3Store({
    bucket,
    region: server.region,
    endpointUrl: server.endpoint,
    credentials: async () => server,
    log: silentLog,
    ...more,
  })
}

async function emptyStore(server: Server): Promise<Store> {
  return storeAt(server, await createBucket(server, { versioned: true }))
}

/** What the owner of a bucket can do to it, and the agent cannot. */
async function versionedStore(server: Server): Promise<VersionedStore> {
  const store = await emptyStore(server)
  const remove = async (input: { readonly Key: string; readonly VersionId?: string }) => {
    await plainClient(server).send(new DeleteObjectCommand({ Bucket: store.bucket, ...input }))
  }
  return {
    ...store,
    deleteObject: (key) => remove({ Key: key }),
    deleteVersion: (key, versionId) => remove({ Key: key, VersionId: versionId }),
  }
}

storeContract('SeaweedFS', () => versionedStore(testServers().seaweedfs))
storeContract('radosgw', () => versionedStore(testServers().radosgw), {
  ignoresChecksums: true,
  breaksOnAbortedUploads: true,
})

test('credentials that expire in the middle of an upload are replaced by fresh ones', async () => {
  const server = testServers().radosgw
  const admin = (...args: string[]) =>
    radosgwAdmin(server, 'key', ...args, '--uid', 'test', '--access-key', 'SHORTLIVED')
  await admin('create', '--secret-key', 'short-lived-secret')
  // The SDK asks for new ones when they have five minutes left: these have, in a second.
  const old = {
    accessKeyId: 'SHORTLIVED',
    secretAccessKey: 'short-lived-secret',
    expiration: new Date(Date.now() + 301_000),
  }
  const answers = [old, { ...server, expiration: new Date(Date.now() + 3_600_000) }]
  let asked = 0
  const store = storeAt(server, await createBucket(server), { credentials: async () => answers[asked++] ?? old })

  const upload = await store.createUpload('expiring', undefined, signal)
  const first = await store.uploadPart(upload, 1, BODY, crc32(BODY), signal)
  await admin('rm')
  await sleep(1200)
  const second = await store.uploadPart(upload, 2, BODY, crc32(BODY), signal)
  const whole = Buffer.concat([BODY, BODY])
  await store.completeUpload(upload, [first, second], { sizeBytes: whole.length, crc32: crc32(whole) }, signal)
  expect(await store.head('expiring', signal)).toMatchObject({ sizeBytes: whole.length })
  expect(asked).toBe(2)

  const refused = storeAt(server, store.bucket, { credentials: async () => old })
  expect(await refusalOf(refused.head('expiring', signal))).toMatchObject({ code: 'ACCESS_DENIED' })
})

describe.each(['radosgw', 'seaweedfs'] as const)('%s refuses', (name) => {
  let server: Server
  beforeAll(() => {
    server = testServers()[name]
  })

  test('a bucket that does not exist', async () => {
    const store = storeAt(server, 'snapstream-nowhere')
    const missing = { code: 'BUCKET_MISSING', message: 'bucket snapstream-nowhere does not exist' }
    expect(await refusalOf(store.createUpload('a', undefined, signal))).toMatchObject(missing)
    expect(await refusalOf(store.readFacts(signal))).toMatchObject(missing)
  })

  test('credentials that are wrong', async () => {
    const store = storeAt(server, await createBucket(server), {
      credentials: async () => ({ ...server, secretAccessKey: 'wrong' }),
    })
    expect(await refusalOf(store.createUpload('a', undefined, signal))).toMatchObject({
      code: 'ACCESS_DENIED',
      message: expect.stringContaining('SignatureDoesNotMatch'),
    })
  })

  test('what the bucket policy denies, and the operator is told what that is', async () => {
    const store = await emptyStore(server)
    await plainClient(server).send(
      new PutBucketPolicyCommand({
        Bucket: store.bucket,
        Policy: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Deny',
              Principal: '*',
              Action: 's3:PutObject',
              Resource: `arn:aws:s3:::${store.bucket}/manifests/*`,
            },
          ],
        }),
      }),
    )
    await store.put('data/a', 'x', signal)
    // SeaweedFS takes up policies with a delay.
    const refusal = async (tries: number): Promise<[key: string, refusal: unknown]> => {
      const key = `manifests/${tries}`
      const error: unknown = await store.put(key, 'x', signal).catch((refused: unknown) => refused)
      if (error !== undefined) return [key, error]
      await sleep(100)
      return refusal(tries + 1)
    }
    const [key, error] = await refusal(0)
    expect(error).toMatchObject({
      code: 'ACCESS_DENIED',
      message: expect.stringContaining(`s3:PutObject on arn:aws:s3:::${store.bucket}/${key} is denied`),
    })
  })
})

test('a server that is not there is unreachable', async () => {
  // In a process of its own: jest gives tests another Error than Node's, and the SDK then hides what Node said.
  const script = `require('./agent/bucket/store.io.ts').s3Store({
    bucket: 'nowhere', region: 'us-east-1', endpointUrl: 'http://127.0.0.1:9', log: { debug() {} },
    credentials: async () => ({ accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' }),
  }).readFacts(new AbortController().signal).catch(({ code, message }) => console.log(code + ': ' + message))`
  const told = await promisify(execFile)(process.execPath, ['--require', 'tsx/cjs', '--eval', script])
  expect(told.stdout.trim()).toBe(
    'ENDPOINT_UNREACHABLE: GetBucketVersioning of bucket nowhere did not get through in 5 attempts: ' +
      'connect ECONNREFUSED 127.0.0.1:9',
  )
})

describe('an archived object', () => {
  let moto: RunningServer
  beforeAll(async () => {
    moto = await startMoto()
  })
  afterAll(() => moto.stop())

  test('cannot be read until it is restored', async () => {
    const store = await emptyStore(moto)
    const upload = await store.createUpload('archived', 'DEEP_ARCHIVE', signal)
    const part = await store.uploadPart(upload, 1, BODY, crc32(BODY), signal)
    await store.completeUpload(upload, [part], { sizeBytes: BODY.length, crc32: crc32(BODY) }, signal)
    expect(await refusalOf(store.getRange('archived', 0, 10, signal))).toMatchObject({ code: 'OBJECT_ARCHIVED' })
    expect(await store.head('archived', signal)).toMatchObject({ storageClass: 'DEEP_ARCHIVE', crc32: crc32(BODY) })

    await plainClient(moto).send(
      new RestoreObjectCommand({ Bucket: store.bucket, Key: 'archived', RestoreRequest: { Days: 1 } }),
    )
    expect((await store.head('archived', signal)).restore).toMatchObject({ ongoing: false, expires: expect.any(Date) })
    expect((await store.getRange('archived', 0, 10, signal)).equals(BODY.subarray(0, 10))).toBe(true)
  })
})
