import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { readCaller } from '../../agent/bucket/credentials.io'
import { httpHandler } from '../../agent/bucket/http-handler.io'
import { s3Store } from '../../agent/bucket/store.io'
import { trustBundle } from '../../agent/bucket/trust.io'
import { openTunnel } from '../../agent/bucket/tunnel.io'
import { planRoute } from '../../agent/bucket/proxy'
import { fakeClock } from '../support/fake-clock'
import { serveProxy } from '../support/proxy-server'
import { refusalOf } from '../support/refusal'
import { scriptedS3, success } from '../support/scripted-s3'

const signal = new AbortController().signal
const BODY = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, index) => index % 251))
const UPLOAD = { key: 'data/daily/h/r/vg0-root.tar.zst', uploadId: 'u' }
const PART_STORED = success('', { etag: '"1"' })
const credentials = async () => ({ accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' })

let directory: string
let tls: { readonly port: number; readonly close: () => void; readonly connections: () => number }
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'snapstream-test-'))
  const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')]
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
      ...[
        '-subj',
        '/CN=s3.test',
        '-addext',
        'subjectAltName=DNS:*.amazonaws.com,DNS:*.s3.us-east-1.amazonaws.com,DNS:*.s3-fips.dualstack.us-east-1.amazonaws.com,DNS:s3.test',
      ],
      ...['-keyout', key, '-out', certificate],
    ],
    { stdio: 'ignore' },
  )
  tls = await serveTls(key, certificate)
})
afterAll(() => {
  tls.close()
  rmSync(directory, { recursive: true })
})

/** Stores parts, and has one object. */
async function serveTls(key: string, certificate: string) {
  let connections = 0
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const [, from = 0, to = 0] = /(\d+)-(\d+)/.exec(request.headers.range ?? '')?.map(Number) ?? []
    const part = request.method === 'GET' ? BODY.subarray(from, to + 1) : Buffer.alloc(0)
    const headers = { etag: '"1"', 'content-length': part.length, 'content-range': `bytes ${from}-${to}/300000` }
    request.resume().on('end', () => response.writeHead(request.method === 'GET' ? 206 : 200, headers).end(part))
  }
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, answer)
  server.on('secureConnection', () => connections++)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const close = () => (server.closeAllConnections(), server.close())
  return { port: (server.address() as AddressInfo).port, close, connections: () => connections }
}

function storeThrough(
  environment: Record<string, string>,
  endpointUrl?: string,
  debug: (message: string) => void = () => {},
) {
  return s3Store({
    ...{ bucket: 'backups', region: 'us-east-1', credentials, route: planRoute(environment) },
    ...(endpointUrl !== undefined && { endpointUrl }),
    log: { debug, info: debug, warn: debug },
    clock: fakeClock(),
  })
}

const sendPart = (store: ReturnType<typeof s3Store>, partNumber = 1) =>
  store.uploadPart(UPLOAD, partNumber, BODY, crc32(BODY), signal)

describe('through a proxy, which sees nothing of what is in the tunnel,', () => {
  test('parts go to S3 and ranges come from it, over connections that are kept', async () => {
    await trustBundle({ AWS_CA_BUNDLE: join(directory, 'certificate.pem') })
    await using proxy = await serveProxy({ leadsTo: tls.port })
    const store = storeThrough({ HTTPS_PROXY: `http://alice:s3cret@127.0.0.1:${proxy.port}` })
    for (let partNumber = 1; partNumber < 4; partNumber++) await sendPart(store, partNumber)
    for (let count = 0; count < 3; count++) {
      expect((await store.getRange('k', 1000, 200_000, signal)).equals(BODY.subarray(1000, 201_000))).toBe(true)
    }
    expect(proxy.requests).toEqual(Array(2).fill('CONNECT backups.s3.us-east-1.amazonaws.com:443'))
    expect(proxy.authorizations).toEqual(Array(2).fill(`Basic ${Buffer.from('alice:s3cret').toString('base64')}`))
    expect(tls.connections()).toBe(2)
  })

  test('FIPS and dual-stack endpoints are asked for by their own names', async () => {
    await using proxy = await serveProxy({ status: 403 })
    const before = { ...process.env }
    process.env['AWS_USE_FIPS_ENDPOINT'] = process.env['AWS_USE_DUALSTACK_ENDPOINT'] = 'true'
    const store = storeThrough({ HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` })
    await refusalOf(sendPart(store))
    expect((await store.readEndpoint()).hostname).toBe('backups.s3-fips.dualstack.us-east-1.amazonaws.com')
    process.env = before
    expect(proxy.requests).toEqual(['CONNECT backups.s3-fips.dualstack.us-east-1.amazonaws.com:443'])
  })

  test('STS is asked who this is', async () => {
    await using proxy = await serveProxy({ status: 403 })
    const route = planRoute({ HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` })
    const handler = httpHandler({ route, connectionsMax: 8, connectSeconds: 5, silenceSeconds: 5 })
    const refused = await refusalOf(readCaller(credentials, 'eu-west-1', undefined, signal, handler))
    expect(proxy.requests).toEqual(['CONNECT sts.eu-west-1.amazonaws.com:443'])
    expect(refused).toMatchObject({ code: 'ENDPOINT_UNREACHABLE', message: expect.stringContaining('with 403') })
  })
})

test('plain requests and ranges are passed on by a proxy, unless NO_PROXY says otherwise', async () => {
  await using proxy = await serveProxy()
  await using server = await scriptedS3({
    UploadPart: [PART_STORED],
    GetObject: [{ status: 206, body: BODY.subarray(0, 100) }],
  })
  const environment = { HTTP_PROXY: `http://alice:s3cret@127.0.0.1:${proxy.port}` }
  const store = storeThrough(environment, server.url)
  await sendPart(store)
  expect((await store.getRange('k', 0, 100, signal)).equals(BODY.subarray(0, 100))).toBe(true)
  expect(proxy.requests).toEqual([
    expect.stringMatching(`^PUT ${server.url}/backups/data/daily/h/r/vg0-root.tar.zst\\?`),
    expect.stringMatching(`^GET ${server.url}/backups/k\\?`),
  ])
  expect(new Set(proxy.authorizations)).toEqual(new Set([`Basic ${Buffer.from('alice:s3cret').toString('base64')}`]))
  expect(server.requests.map(({ headers }) => headers['proxy-authorization'])).toEqual([undefined, undefined])

  await sendPart(storeThrough({ ...environment, NO_PROXY: '127.0.0.0/8' }, server.url))
  expect(proxy.requests).toHaveLength(2)
  expect(server.operations).toHaveLength(3)
})

describe('a proxy that does not help is named, without its password:', () => {
  const secret = 's3cret'
  const through = (port: number, endpointUrl?: string) =>
    storeThrough(
      {
        HTTPS_PROXY: `http://alice:${secret}@127.0.0.1:${port}`,
        HTTP_PROXY: `http://alice:${secret}@127.0.0.1:${port}`,
      },
      endpointUrl,
    )

  test.each<[string, string | undefined]>([
    ['TLS', undefined],
    ['plain', 'http://s3.test:7480'],
  ])('nothing listens there (%s)', async (_, endpointUrl) => {
    const proxy = await serveProxy()
    await proxy[Symbol.asyncDispose]()
    for (const asked of [sendPart, (store: ReturnType<typeof s3Store>) => store.getRange('k', 0, 10, signal)]) {
      const refused = await refusalOf(asked(through(proxy.port, endpointUrl)))
      expect(refused).toMatchObject({
        code: 'ENDPOINT_UNREACHABLE',
        message: expect.stringContaining(`in 5 attempts: the proxy http://127.0.0.1:${proxy.port} (HTTP`),
        hint: expect.stringContaining('HTTPS_PROXY'),
      })
      expect(JSON.stringify(refused)).not.toContain(secret)
    }
  })

  test.each<[number, string | undefined, string]>([
    [407, undefined, 'ACCESS_DENIED'],
    [401, undefined, 'ACCESS_DENIED'],
    [401, 'http://s3.test:7480', 'ACCESS_DENIED'],
    [407, 'http://s3.test:7480', 'ACCESS_DENIED'],
    [403, undefined, 'ENDPOINT_UNREACHABLE'],
    [502, undefined, 'ENDPOINT_UNREACHABLE'],
  ])('it answers with %i, asked for %s', async (status, endpointUrl, code) => {
    await using proxy = await serveProxy({ status })
    for (const asked of [sendPart, (store: ReturnType<typeof s3Store>) => store.getRange('k', 0, 10, signal)]) {
      const refused = await refusalOf(asked(through(proxy.port, endpointUrl)))
      expect(refused).toMatchObject({ code, message: expect.stringContaining(`with ${status}`) })
      expect(JSON.stringify(refused)).not.toContain(secret)
    }
  })

  test('it accepts the connection and says nothing', async () => {
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const proxy = planRoute({ HTTPS_PROXY: `http://127.0.0.1:${port}` })({ protocol: 'https:', hostname: 's3.test' })!
    const opening = openTunnel(proxy, { protocol: 'https:', hostname: 's3.test' }, { connectSeconds: 0.1 })
    await expect(opening).rejects.toMatchObject({ code: 'PROXY_UNREACHABLE' })
    server.close()
  })
})
