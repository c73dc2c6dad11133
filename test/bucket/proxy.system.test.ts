import { execFile, execFileSync } from 'node:child_process'
import { parseLastLine } from '../support/last-line'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Server as TlsServer } from 'node:tls'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { s3Store } from '../../agent/bucket/store.io'
import { trustBundle } from '../../agent/bucket/trust.io'
import { planRoute } from '../../agent/bucket/proxy'
import type { Check } from '../../agent/backup/preflight-checks'
import { createBucket, testServers } from '../servers/index'
import { startTinyproxy, type RunningProxy } from '../servers/tinyproxy'

jest.setTimeout(60_000)

const signal = new AbortController().signal
const server = testServers().radosgw
const PART = randomBytes(5 * 2 ** 20 + 17)

let directory: string
let certificate: string
/** In front of the S3 server, which itself speaks no TLS. */
let front: TlsServer
let proxy: RunningProxy
let bucket: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'snapstream-test-'))
  const key = join(directory, 'key.pem')
  certificate = join(directory, 'certificate.pem')
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate],
    ],
    { stdio: 'ignore' },
  )
  front = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (client) => {
    const upstream = connect({ host: '127.0.0.1', port: Number(new URL(server.endpoint).port) })
    client.pipe(upstream).pipe(client)
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
  })
  await once(front.listen(0, 'localhost'), 'listening')
  proxy = await startTinyproxy('alice s3cret')
  bucket = await createBucket(server)
  await trustBundle({ AWS_CA_BUNDLE: certificate })
}, 120_000)
afterAll(async () => {
  await proxy[Symbol.asyncDispose]()
  front.close()
  rmSync(directory, { recursive: true })
})

const tlsUrl = () => `https://localhost:${(front.address() as AddressInfo).port}`

/** An archive of two parts goes there and comes back, by ranges. */
async function uploadAndRead(endpointUrl: string, environment: Record<string, string>): Promise<void> {
  const store = s3Store({
    ...{ bucket, region: server.region, endpointUrl, route: planRoute(environment) },
    credentials: async () => server,
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
  })
  const key = `data/daily/h/${randomBytes(4).toString('hex')}.tar.zst`
  const upload = await store.createUpload(key, undefined, signal)
  const parts = await Promise.all([1, 2].map((part) => store.uploadPart(upload, part, PART, crc32(PART), signal)))
  const whole = Buffer.concat([PART, PART])
  await store.completeUpload(upload, parts, { sizeBytes: whole.length, crc32: crc32(whole) }, signal)
  for (const offset of [0, 1, PART.length - 5]) {
    expect(
      (await store.getRange(key, offset, PART.length, signal)).equals(whole.subarray(offset, offset + PART.length)),
    ).toBe(true)
  }
}

test('TLS goes through tunnels of the proxy, few of them, which are kept', async () => {
  const before = proxy.requests().length
  await uploadAndRead(tlsUrl(), { HTTPS_PROXY: proxy.url })
  const asked = proxy.requests().slice(before)
  const tunnel = `CONNECT ${tlsUrl().replace('https://', '')} HTTP/1.1`
  expect(new Set(asked)).toEqual(new Set([tunnel]))
  expect(asked.length).toBeLessThanOrEqual(4)
})

test('plain requests and ranges are passed on by the proxy', async () => {
  const before = proxy.requests().length
  await uploadAndRead(server.endpoint, { HTTP_PROXY: proxy.url })
  const methods = proxy
    .requests()
    .slice(before)
    .map((request) => request.split(' ')[0])
  expect(new Set(methods)).toEqual(new Set(['POST', 'PUT', 'HEAD', 'GET']))
})

test('what NO_PROXY lists does not pass the proxy', async () => {
  const before = proxy.requests().length
  const both = { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url }
  await uploadAndRead(tlsUrl(), { ...both, NO_PROXY: 'localhost' })
  await uploadAndRead(server.endpoint, { ...both, no_proxy: '127.0.0.0/8' })
  expect(proxy.requests().slice(before)).toEqual([])
})

describe('the agent on a host that has nothing but a proxy', () => {
  async function checks(
    more: Record<string, string>,
  ): Promise<{ text: string; check: (name: string) => Check | undefined }> {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [
        'dist/agent.cjs',
        'preflight',
        '--bucket',
        bucket,
        '--host',
        'h',
        '--region',
        server.region,
        '--log-level',
        'debug',
      ],
      {
        env: {
          PATH: process.env['PATH'],
          AWS_ACCESS_KEY_ID: server.accessKeyId,
          AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
          AWS_ENDPOINT_URL_S3: tlsUrl(),
          AWS_CA_BUNDLE: certificate,
          ...more,
        },
      },
    ).catch((error: unknown) => error as { stdout: string; stderr: string }) // this machine need not have LVM
    const found = (parseLastLine('preflight', stdout) as { checks: Check[] }).checks
    return { text: stdout + stderr, check: (name) => found.find((each) => each.name === name) }
  }

  test('may write there, and says which way it went, without the password', async () => {
    const before = proxy.requests().length
    const { text, check } = await checks({ HTTPS_PROXY: proxy.url })
    const shown = proxy.url.replace('alice:s3cret@', '')
    expect(check('network')?.what).toBe(
      `${tlsUrl()} through the proxy ${shown} (HTTPS_PROXY), trusting ${certificate} too`,
    )
    expect(check('writing')).toMatchObject({ status: 'ok' })
    expect(proxy.requests().length).toBeGreaterThan(before)
    expect(text).not.toContain('s3cret')
  })

  test('is told that the proxy wants another password', async () => {
    const { text, check } = await checks({ HTTPS_PROXY: proxy.url.replace('s3cret', 'wr0ng') })
    expect(check('bucket')).toMatchObject({ status: 'fail', what: expect.stringMatching(/the proxy .* with 40[17]$/) })
    expect(text).not.toContain('wr0ng')
  })
})
