import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ExitStatus } from '../../agent/contract'
import { describePingError, kindOf, pingAddress, pingBody } from '../../agent/notify/ping'
import { sendPing } from '../../agent/notify/ping.io'
import { serve } from '../support/http-server'
import { logWarnings } from '../support/log'
import { serveProxy } from '../support/proxy-server'

const SECRET = '5c3f2a9e-secret'
const never = new AbortController().signal

test('the word comes after the path, and before a query', () => {
  const of = (url: string) => (['start', 'success', 'failure'] as const).map((kind) => pingAddress(url, kind).href)
  expect(of('https://hc-ping.com/uuid')).toEqual([
    ...['https://hc-ping.com/uuid/start', 'https://hc-ping.com/uuid', 'https://hc-ping.com/uuid/fail'],
  ])
  expect(of('http://10.0.0.1:8000/ping/key/db1/?create=1')).toEqual([
    'http://10.0.0.1:8000/ping/key/db1/start?create=1',
    'http://10.0.0.1:8000/ping/key/db1/?create=1',
    'http://10.0.0.1:8000/ping/key/db1/fail?create=1',
  ])
})

test('only status 0 is a success, and any other says in its first line what it is', () => {
  expect(Object.values(ExitStatus).filter((status) => kindOf(status) === 'success')).toEqual([0])
  expect(pingBody('backup', 3, 'Backup of db1: INCOMPLETE\n  FAILED /srv: x\u001b[2J')).toBe(
    'snapstream backup: status 3, INCOMPLETE: something is missing from it\n' +
      'Backup of db1: INCOMPLETE\n  FAILED /srv: x?[2J\n',
  )
  expect(pingBody('backup', 1, 'x'.repeat(1e6)).length).toBe(10_000)
})

test('an error that repeats the address is told by its code alone', () => {
  const address = new URL(`https://hc.example/${SECRET}/fail?token=t0k`)
  const say = (message: string) => describePingError(Object.assign(new Error(message), { code: 'ECONNRESET' }), address)
  expect(say('connect ECONNREFUSED 10.0.0.1:443')).toBe('connect ECONNREFUSED 10.0.0.1:443')
  expect(say(`POST https://hc.example/${SECRET}/fail was cut off`)).toBe('ECONNRESET')
  expect(say('with ?token=t0k')).toBe('ECONNRESET')
})

test('a ping is one POST with what there is to say', async () => {
  const seen: string[] = []
  await using server = await serve((request, response) => {
    request.on('data', (chunk: Buffer) => seen.push(chunk.toString()))
    request.on('end', () => response.end('OK'))
  })
  const warnings: string[] = []
  const deps = { log: logWarnings(warnings), environment: {} }
  await sendPing(deps, `${server.url}/${SECRET}?a=b`, 'failure', 'it failed\n', never)
  expect(server.requests).toEqual([`POST /${SECRET}/fail?a=b`])
  expect([seen.join(''), warnings]).toEqual(['it failed\n', []])
})

test('what passes is tried again, what does not is told of once, and the URL never', async () => {
  let answers = [503, 429, 200]
  await using server = await serve((_, response) => response.writeHead(answers.shift() ?? 200).end())
  const warnings: string[] = []
  const deps = { log: logWarnings(warnings), environment: {} }
  await sendPing(deps, `${server.url}/${SECRET}`, 'success', '', never)
  expect([server.requests.length, warnings]).toEqual([3, []])
  answers = [404]
  await sendPing(deps, `${server.url}/${SECRET}`, 'success', '', never)
  expect([server.requests.length, warnings]).toEqual([4, ['the ping of success was not delivered: the answer is 404']])
})

test('nobody there: a warning after a few tries, and no error', async () => {
  const warnings: string[] = []
  const deps = { log: logWarnings(warnings), environment: {} }
  await sendPing(deps, `http://127.0.0.1:1/${SECRET}`, 'start', '', never)
  expect(warnings).toEqual([expect.stringMatching(/^the ping of start was not delivered: .*ECONNREFUSED/)])
  expect(warnings.join()).not.toContain(SECRET)
})

test('a server that accepts and says nothing is left as soon as what would be said is no longer true', async () => {
  const server = createServer(() => undefined)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${SECRET}`
  const warnings: string[] = []
  const ended = new AbortController()
  const sending = sendPing({ log: logWarnings(warnings), environment: {} }, url, 'start', '', ended.signal)
  ended.abort()
  await sending
  expect(warnings).toEqual([])
  server.close()
})

test('a ping takes the proxy that the environment names', async () => {
  await using server = await serve((_, response) => response.end())
  await using proxy = await serveProxy()
  const warnings: string[] = []
  const environment = { http_proxy: `http://127.0.0.1:${proxy.port}` }
  await sendPing({ log: logWarnings(warnings), environment }, `${server.url}/${SECRET}`, 'success', '', never)
  expect(proxy.requests).toEqual([`POST ${server.url}/${SECRET}`])
  expect([server.requests, warnings]).toEqual([[`POST /${SECRET}`], []])
})

test.each([
  ['a proxy that is none', { http_proxy: 'socks5://proxy' }, /http_proxy must be the URL of a proxy/],
  ['a bundle that is not there', { AWS_CA_BUNDLE: '/nowhere.pem' }, /AWS_CA_BUNDLE/],
])('%s keeps a ping from being sent, and nothing else', async (_, environment, expected) => {
  const warnings: string[] = []
  await sendPing({ log: logWarnings(warnings), environment }, `http://127.0.0.1:1/${SECRET}`, 'start', '', never)
  expect(warnings).toEqual([expect.stringMatching(expected)])
})

const PING = `
  require('./agent/notify/ping.io.ts').sendPing(
    { log: { warn: console.log }, environment: process.env }, process.argv[1], 'failure', 'body', new AbortController().signal,
  ).then(() => process.exit())`

test('over TLS, through a tunnel, with the certificates that AWS_CA_BUNDLE names and no others', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'snapstream-test-'))
  const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'].concat(
      subject,
      ['-keyout', key, '-out', certificate],
    ),
    { stdio: 'pipe' },
  )
  const requests: string[] = []
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    response.end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await using proxy = await serveProxy({ leadsTo: port })
  const ping = (environment: Record<string, string>) =>
    promisify(execFile)(
      process.execPath,
      ['--require', 'tsx/cjs', '--eval', PING, `https://localhost:${port}/${SECRET}`],
      { env: { PATH: process.env['PATH'], HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, ...environment } },
    )
  const trusting = await ping({ AWS_CA_BUNDLE: certificate })
  expect([trusting.stdout, requests]).toEqual(['', [`POST /${SECRET}/fail`]])
  expect(proxy.requests).toEqual([`CONNECT localhost:${port}`])
  const wary = await ping({})
  expect(wary.stdout).toMatch(/^the ping of failure was not delivered: .*self.signed/)
  expect([wary.stdout.includes(SECRET), requests.length]).toEqual([false, 1])
  server.close()
  rmSync(directory, { recursive: true })
})
