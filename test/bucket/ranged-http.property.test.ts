import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import fc from 'fast-check'
import { rangeConnections } from '../../agent/bucket/ranged-http.io'

const BYTES = 40
const RANGE = 'bytes=1000-1039'
/** How long it is waited for what must not last: the server has closed the connection by then. */
const HANG_SECONDS = 10

/** What the server says next, whoever asks. */
let answer: Uint8Array
let server: Server
beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(answer))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
})
afterAll(() => server.close())

async function ask() {
  const { port } = server.address() as AddressInfo
  const target = Buffer.alloc(BYTES)
  const request = { protocol: 'http:', hostname: '127.0.0.1', port, method: 'GET', path: '/k', query: {} }
  const client = rangeConnections({ connectSeconds: HANG_SECONDS, silenceSeconds: HANG_SECONDS })
  const got = await client.request(
    { ...request, headers: { host: 'h', range: RANGE } },
    target,
    new AbortController().signal,
  )
  await got?.body.whole
  return got && target
}

const eol = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r', '')
const name = fc.constantFrom(
  ...['Content-Length', 'content-length', 'Content-Range', 'Transfer-Encoding', 'Content-Encoding', 'Connection'],
  ...['__proto__', 'constructor', '', ' ', 'Content-Length ', 'X'],
)
const value = fc.oneof(
  fc.constantFrom(...['40', '040', '+40', '-1', '4e1', '0x28', '39', '41', '99999999999999999999', '40, 40']),
  fc.constantFrom(...['bytes 1000-1039/5000', 'bytes 1000-1039/*', 'bytes 0-39/5000', 'bytes 1000-1039', 'bytes */40']),
  fc.constantFrom('chunked', 'identity', 'gzip', 'close', 'keep-alive', ''),
  fc.string({ unit: 'binary', maxLength: 20 }),
)
const start = fc.oneof(
  fc.constantFrom(
    'HTTP/1.1 206 Partial Content',
    'HTTP/1.1 206',
    'HTTP/1.1 200 OK',
    'HTTP/1.0 206 x',
    'HTTP/1.1 503 x',
  ),
  fc.constantFrom('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 206 x', 'HTTP/1.1 2060', 'HTTP/1.1  206', ''),
  fc.string({ unit: 'binary', maxLength: 30 }),
)
/** Like a head, with everything in it that could be understood in two ways. */
const almostHead = fc
  .tuple(start, fc.array(fc.tuple(name, fc.constantFrom(':', ': ', ' : ', ''), value, eol), { maxLength: 6 }), eol, eol)
  .map(([first, lines, end, last]) => `${first}${end}${lines.flat().join('')}${last}`)
const right = fc.constant(
  'HTTP/1.1 206 Partial Content\r\nContent-Length: 40\r\nContent-Range: bytes 1000-1039/5000\r\n\r\n',
)
const bytes = fc
  .tuple(
    fc.oneof(almostHead, almostHead, right),
    fc.oneof(fc.uint8Array({ minLength: BYTES, maxLength: BYTES }), fc.uint8Array({ maxLength: 60 })),
  )
  .map(([head, body]) => Buffer.concat([Buffer.from(head, 'latin1'), body]))

/** By the letter, and by other means than the agent's. */
function isTheRange(sent: Buffer): boolean {
  const text = sent.toString('latin1')
  const head = text.slice(0, text.indexOf('\r\n\r\n') + 2)
  const values = (header: string) =>
    [...head.matchAll(new RegExp(`\\r\\n${header}:([^\\r\\n]*)\\r\\n`, 'gi'))].map((match) => match[1]?.trim())
  return (
    text.includes('\r\n\r\n') &&
    /^HTTP\/1\.1 206( |\r\n)/.test(text) &&
    values('content-length').includes('40') &&
    values('content-range').some((range) => /^bytes 1000-1039\/(5000|\*)$/.test(range ?? ''))
  )
}

test('whatever a server says, a range is what was asked for or is not taken, and nothing waits for ever', async () => {
  let taken = 0
  await fc.assert(
    fc.asyncProperty(
      fc.oneof({ arbitrary: bytes, weight: 3 }, { arbitrary: fc.uint8Array(), weight: 1 }),
      async (sent) => {
        answer = sent
        const got = await ask().catch((error: unknown) => {
          expect(error).toBeInstanceOf(Error)
          return undefined
        })
        if (!got) return
        taken++
        const whole = Buffer.from(sent)
        const bodyAt = whole.indexOf('\r\n\r\n') + 4
        expect(isTheRange(whole)).toBe(true)
        expect(got.equals(whole.subarray(bodyAt, bodyAt + BYTES))).toBe(true)
      },
    ),
    { numRuns: 1000 },
  )
  expect(taken).toBeGreaterThan(0)
}, 120_000)
