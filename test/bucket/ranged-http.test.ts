import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { rangeConnections, type RangeConnections } from '../../agent/bucket/ranged-http.io'

const BODY = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251))
const RANGE = `bytes=0-${BODY.length - 1}`
const CONTENT_RANGE = `Content-Range: bytes 0-${BODY.length - 1}/900000`
const HEAD = `HTTP/1.1 206 Partial Content\r\nContent-Length: ${BODY.length}\r\n${CONTENT_RANGE}\r\nETag: "1"\r\n\r\n`

/** What a server does with a request, which it is given as text. */
type Behaviour = (socket: Socket, request: string) => void

let connections: Socket[]
let requests: string[]
let closing: (() => void)[] = []
beforeEach(() => ((connections = []), (requests = []), (closing = [])))
afterEach(() => closing.forEach((close) => close()))

async function serve(behave: Behaviour): Promise<number> {
  const server = createServer((socket) => {
    connections.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', (request) => {
      requests.push(request.toString())
      behave(socket, request.toString())
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  closing.push(() => (server.close(), connections.forEach((socket) => socket.destroy())))
  return (server.address() as AddressInfo).port
}

/** However it ends: a connection that is reset fails first. */
function closed(socket: Socket | undefined): Promise<unknown> {
  return new Promise((resolve) => (socket?.destroyed ? resolve(undefined) : socket?.once('close', resolve)))
}

const patience = { connectSeconds: 5, silenceSeconds: 5 }
const nobody = new AbortController().signal

async function ask(
  client: RangeConnections,
  port: number,
  { hostname = '127.0.0.1', signal = nobody, freshConnection = false } = {},
) {
  const target = Buffer.alloc(BODY.length)
  const request = {
    protocol: 'http:',
    hostname,
    port,
    method: 'GET',
    path: '/bucket/a%20key',
    query: { 'x-id': 'Get&' },
  }
  const answer = await client.request({ ...request, headers: { host: 'here', range: RANGE } }, target, signal, {
    freshConnection,
  })
  await answer?.body.whole
  return { answer, target }
}

test('a range comes into the buffer, over one connection for one request after another', async () => {
  const port = await serve((socket) => socket.write(Buffer.concat([Buffer.from(HEAD), BODY])))
  const client = rangeConnections(patience)
  for (let count = 0; count < 3; count++) {
    const { answer, target } = await ask(client, port)
    expect(target.equals(BODY)).toBe(true)
    expect(answer?.headers['etag']).toBe('"1"')
  }
  expect(connections).toHaveLength(1)
  expect(requests[0]).toBe('GET /bucket/a%20key?x-id=Get%26 HTTP/1.1\r\nhost: here\r\nrange: bytes=0-299999\r\n\r\n')
})

test('what is read again comes over a connection that was never used, and others go on with the ones there are', async () => {
  const port = await serve((socket) => socket.write(Buffer.concat([Buffer.from(HEAD), BODY])))
  const client = rangeConnections(patience)
  await ask(client, port)
  for (let count = 0; count < 2; count++) await ask(client, port, { freshConnection: true })
  expect(connections).toHaveLength(3)
  await ask(client, port)
  expect(connections).toHaveLength(3)
})

test('several at a time have a connection each', async () => {
  const port = await serve((socket) => socket.write(Buffer.concat([Buffer.from(HEAD), BODY])))
  const client = rangeConnections(patience)
  const answers = await Promise.all([ask(client, port), ask(client, port), ask(client, port)])
  for (const { target } of answers) expect(target.equals(BODY)).toBe(true)
  expect(connections).toHaveLength(3)
})

test('a head that comes in pieces, and a body that starts with it', async () => {
  const whole = Buffer.concat([Buffer.from(HEAD), BODY])
  const port = await serve((socket) => {
    void (async () => {
      let from = 0
      for (const to of [7, 60, HEAD.length - 1, HEAD.length + 1, whole.length]) {
        socket.write(whole.subarray(from, to))
        from = to
        await sleep(10)
      }
    })()
  })
  const { target } = await ask(rangeConnections(patience), port, { hostname: 'localhost' })
  expect(target.equals(BODY)).toBe(true)
})

test.each([
  ['an error', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'],
  ['the whole object', `HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n`],
  ['a shorter range', 'HTTP/1.1 206 Partial Content\r\nContent-Length: 10\r\n\r\n0123456789'],
  ['another range of the same length', HEAD.replace('bytes 0-299999', 'bytes 300000-599999')],
  ['bytes of no range at all', HEAD.replace(`${CONTENT_RANGE}\r\n`, '')],
  ['a range that was compressed on its way', HEAD.replace('ETag', 'Content-Encoding: gzip\r\nETag')],
  ['two lengths', HEAD.replace('ETag', 'Content-Length: 10\r\nETag')],
  ['a range in chunks', 'HTTP/1.1 206 Partial Content\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n0\r\n'],
  ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ['a head without an end', 'x'.repeat(100_000)],
])('%s is left to a client that understands it, and the connection is closed', async (_, text) => {
  const port = await serve((socket) => socket.write(text))
  const { answer } = await ask(rangeConnections(patience), port)
  expect(answer).toBeUndefined()
  await closed(connections[0])
})

test('a server that is too busy is not asked again at once', async () => {
  const port = await serve((socket) => socket.write('HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n'))
  await expect(ask(rangeConnections(patience), port)).rejects.toMatchObject({ name: 'SlowDown' })
})

test('a server that closes its connections gets a new one each time', async () => {
  const head = HEAD.replace('ETag', 'Connection: close\r\nETag')
  const port = await serve((socket) => socket.end(Buffer.concat([Buffer.from(head), BODY])))
  const client = rangeConnections(patience)
  for (let count = 0; count < 2; count++) expect((await ask(client, port)).target.equals(BODY)).toBe(true)
  expect(connections).toHaveLength(2)
})

test('a body that breaks off is told of, with how far it came', async () => {
  const port = await serve((socket) => socket.end(Buffer.concat([Buffer.from(HEAD), BODY.subarray(0, 1000)])))
  const target = Buffer.alloc(BODY.length)
  const request = { protocol: 'http:', hostname: '127.0.0.1', port, method: 'GET', path: '/', query: {} }
  const answer = await rangeConnections(patience).request({ ...request, headers: { range: RANGE } }, target, nobody)
  await expect(answer?.body.whole).rejects.toMatchObject({ code: 'ECONNRESET' })
  expect(answer?.body.filledBytes()).toBe(1000)
  expect(target.subarray(0, 1000).equals(BODY.subarray(0, 1000))).toBe(true)
})

test('more than was asked for closes the connection, and what was asked for is there', async () => {
  const port = await serve((socket) => socket.write(Buffer.concat([Buffer.from(HEAD), BODY, Buffer.from('more')])))
  const { answer, target } = await ask(rangeConnections(patience), port)
  expect(answer).toBeDefined()
  expect(target.equals(BODY)).toBe(true)
  await closed(connections[0])
})

test('a server that falls silent is given up', async () => {
  const port = await serve((socket) => socket.write(HEAD))
  const client = rangeConnections({ ...patience, silenceSeconds: 0.05 })
  await expect(ask(client, port)).rejects.toMatchObject({ code: 'ETIMEDOUT' })
})

test('a server that is not there is told of as Node does', async () => {
  const port = await serve(() => undefined)
  closing.splice(0).forEach((close) => close())
  await expect(ask(rangeConnections(patience), port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test.each([
  ['before it begins', () => AbortSignal.abort()],
  ['while it comes', () => AbortSignal.timeout(50)],
])('a request that is aborted %s closes its connection', async (_, makeSignal) => {
  const port = await serve((socket) => socket.write(HEAD))
  await expect(ask(rangeConnections(patience), port, { signal: makeSignal() })).rejects.toMatchObject({
    name: 'AbortError',
  })
})
