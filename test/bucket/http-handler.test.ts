import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'snapstream-test-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** A part of 3 MiB whose bytes tell their place, sent from a process that trusts the certificate. */
const SEND = `
  const body = Buffer.alloc(3 * 2 ** 20, Uint8Array.from({ length: 251 }, (_, index) => index))
  require('./agent/bucket/store.io.ts').s3Store({
    bucket: 'backups', region: 'us-east-1', endpointUrl: process.argv[1], log: { debug: console.log },
    credentials: async () => ({ accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' }),
  }).uploadPart({ key: 'k', uploadId: 'u' }, 1, body, require('zlib').crc32(body), new AbortController().signal)`

test('over TLS a part goes out in slices, and whole again when the connection breaks', async () => {
  const [key, certificate] = makeCertificate()
  const bodies: Buffer[] = []
  let broken = false
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
    if (!broken) {
      broken = true
      request.once('data', () => request.socket.destroy())
      return
    }
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      bodies.push(Buffer.concat(chunks))
      response.writeHead(200, { etag: '"1"' }).end()
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `https://localhost:${(server.address() as AddressInfo).port}`
  const { stdout } = await promisify(execFile)(process.execPath, ['--require', 'tsx/cjs', '--eval', SEND, url], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate },
  })
  server.close()
  expect(stdout).toBe('UploadPart of k took 2 attempts\n')
  expect(bodies.map(({ length }) => length)).toEqual([3 * 2 ** 20])
  expect(bodies[0]?.every((byte, index) => byte === index % 251)).toBe(true)
})

/** What is read of a range, by a process that trusts the certificate. */
const READ = `
  require('./agent/bucket/store.io.ts').s3Store({
    bucket: 'backups', region: 'us-east-1', endpointUrl: process.argv[1], log: { debug: console.log },
    credentials: async () => ({ accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' }),
  }).getRange('k', 7, 3 * 2 ** 20, new AbortController().signal).then((range) => {
    console.log(range.every((byte, index) => byte === (index + 7) % 251))
    process.exit()
  })`

test('over TLS a range is read, and read on where the connection broke', async () => {
  const [key, certificate] = makeCertificate()
  const body = Buffer.alloc(
    4 * 2 ** 20,
    Uint8Array.from({ length: 251 }, (_, index) => index),
  )
  const ranges: string[] = []
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
    ranges.push(request.headers.range ?? '')
    const [, from, to] = /(\d+)-(\d+)/.exec(request.headers.range ?? '')?.map(Number) ?? []
    const part = body.subarray(from, (to ?? 0) + 1)
    response.writeHead(206, { 'content-length': part.length, 'content-range': `bytes ${from}-${to}/${body.length}` })
    if (ranges.length > 1) response.end(part)
    else response.write(part.subarray(0, 100_000), () => response.destroy())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `https://localhost:${(server.address() as AddressInfo).port}`
  const { stdout } = await promisify(execFile)(process.execPath, ['--require', 'tsx/cjs', '--eval', READ, url], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate },
  })
  server.close()
  expect(stdout).toMatch(/^the body of k broke off, attempt 1: .*\ntrue\n$/)
  expect(ranges).toHaveLength(2)
  expect(ranges[1]).toMatch(/^bytes=\d+-3145734$/)
})

function makeCertificate(): [key: string, certificate: string] {
  const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')]
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate],
    ],
    { stdio: 'ignore' },
  )
  return [key, certificate]
}
