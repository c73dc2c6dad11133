/** One connection to a server, over which ranges are asked for, one after the other. */
import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { authorityOf, bareHostname, portOf, type Proxy } from './proxy'
import { isRange, parseAnswerHead } from './range-answer'
import { authorizationFor, explainUnreachable } from './tunnel.io'

/** A request as the SDK has made and signed it. */
export interface SignedRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
}

/** A body on its way into the caller's buffer. */
export interface IncomingBody {
  /** Resolves once the buffer is full. Rejects where the connection breaks, falls silent or is aborted before. */
  readonly whole: Promise<void>
  /** How much of the buffer is filled by now. */
  filledBytes(): number
}

/** An answer whose head has come. */
export interface RangeAnswer {
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: IncomingBody
}

export interface RangeTimeouts {
  readonly connectSeconds: number
  /** How long nothing at all may happen. */
  readonly silenceSeconds: number
}

/** Servers close what is idle, S3 after some 20 s: a request that meets that has to be sent again. */
const IDLE_SECONDS = 5
/** What heads take at most (those of S3 have 1 KiB), and what may come of a body together with its head. */
const HEAD_BYTES_MAX = 64 * 1024
const END_OF_HEAD = '\r\n\r\n'

/** How far the way to a server is known: a proxy to send plain requests to, or a tunnel that ends at the server. */
export interface Transport {
  readonly proxy?: Proxy | undefined
  readonly tunnel?: Socket
}

/** One request at a time. */
export interface RangeConnection {
  send(request: SignedRequest, target: Buffer): Exchange
  abort(): void
}

/** A request, and how far its answer has come. */
interface Exchange {
  /** As the request asks for it: `bytes=1000-1999`. */
  readonly range: string
  readonly target: Buffer
  readonly answer: PromiseWithResolvers<RangeAnswer | undefined>
  readonly whole: PromiseWithResolvers<void>
  /** Undefined until the head has come. */
  headers?: Readonly<Record<string, string>>
  filledBytes: number
}

/** @param idle - where the connection is put while it has nothing to do */
export function openConnection(
  server: SignedRequest,
  timeouts: RangeTimeouts,
  idle: Set<RangeConnection>,
  transport: Transport,
): RangeConnection {
  const head = Buffer.allocUnsafeSlow(HEAD_BYTES_MAX)
  let headBytes = 0
  let exchange: Exchange | undefined
  let isConnected = false

  const takeHead = (current: Exchange, bytes: number): void => {
    headBytes += bytes
    const headEnd = head.subarray(0, headBytes).indexOf(END_OF_HEAD)
    if (headEnd < 0 && headBytes < head.length) return
    const body = head.subarray(headEnd + END_OF_HEAD.length, headBytes)
    headBytes = 0
    const answer = parseAnswerHead(head.toString('latin1', 0, Math.max(headEnd, 0)))
    const { headers } = answer
    if (!isRange(answer, current.range, current.target.length) || body.length > current.target.length) {
      if (answer.status === 503) current.answer.reject(throttled())
      else current.answer.resolve(undefined)
      end()
      return
    }
    current.headers = headers
    const incoming = { whole: current.whole.promise, filledBytes: () => current.filledBytes }
    current.answer.resolve({ headers, body: incoming })
    takeBody(current, body.copy(current.target))
  }
  const takeBody = (current: Exchange, bytes: number): void => {
    current.filledBytes += bytes
    if (current.filledBytes < current.target.length) return
    exchange = undefined
    current.whole.resolve()
    if (current.headers?.['connection']?.toLowerCase() === 'close') {
      end()
      return
    }
    socket.setTimeout(IDLE_SECONDS * 1000).unref()
    idle.add(connection)
  }

  /** It closes later: from now on, nobody must be given it. */
  const end = (cause?: Error): void => {
    idle.delete(connection)
    socket.destroy(cause)
  }

  const incoming = {
    buffer: () => (exchange?.headers ? exchange.target.subarray(exchange.filledBytes) : head.subarray(headBytes)),
    callback(bytes: number) {
      if (!exchange)
        socket.destroy() // nobody asked for this
      else if (exchange.headers) takeBody(exchange, bytes)
      else takeHead(exchange, bytes)
      return true
    },
  }
  const socket = openSocket(transport.proxy ?? server, transport.tunnel, incoming)
  // Node reads into given buffers only where it has made the whole connection itself.
  if (transport.tunnel) socket.on('data', (chunk: Buffer) => spread(chunk, incoming, socket))
  socket.setNoDelay(true).setTimeout(timeouts.connectSeconds * 1000)
  socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => {
    isConnected = true
    socket.setTimeout(timeouts.silenceSeconds * 1000)
  })
  socket.on('timeout', () => end(failure('ETIMEDOUT', 'the server has been silent for too long')))
  socket.on('error', () => undefined) // whoever waits is told when it closes
  socket.once('close', () => {
    idle.delete(connection)
    const error = socket.errored ?? failure('ECONNRESET', 'the server closed the connection')
    const cause = transport.proxy && !isConnected ? explainUnreachable(transport.proxy, error) : error
    exchange?.answer.reject(cause)
    exchange?.whole.reject(cause)
  })

  const connection: RangeConnection = {
    send(request, target) {
      const { range = '' } = request.headers
      exchange = { range, target, answer: Promise.withResolvers(), whole: Promise.withResolvers(), filledBytes: 0 }
      exchange.whole.promise.catch(() => undefined) // of no interest to anybody where there is no answer
      if (isConnected) socket.setTimeout(timeouts.silenceSeconds * 1000)
      socket.ref().write(formatHead(request, transport.proxy), 'latin1')
      return exchange
    },
    abort: () => end(new DOMException('the request was aborted', 'AbortError')),
  }
  return connection
}

/** @param tunnel - leads to the server already; otherwise a connection is made */
function openSocket(
  server: Pick<SignedRequest, 'protocol' | 'hostname' | 'port'>,
  tunnel: Socket | undefined,
  onread: OnReadOpts,
): Socket {
  const [host, port] = [bareHostname(server), portOf(server)]
  if (server.protocol !== 'https:') return connectTcp({ host, port, onread })
  const transport = tunnel ? { socket: tunnel } : { host, port }
  const options = { ...transport, ...(isIP(host) === 0 && { servername: host }), onread }
  return connectTls(options)
}

/** Hands over what has come, as Node would have read it. */
function spread(
  chunk: Buffer,
  { buffer, callback }: { readonly buffer: () => Buffer; readonly callback: (bytes: number) => boolean },
  socket: Socket,
): void {
  for (let offset = 0; offset < chunk.length && !socket.destroyed;) {
    const bytes = chunk.copy(buffer(), 0, offset)
    callback(bytes)
    offset += bytes
  }
}

/** @param proxy - wants plain requests with the whole URL */
function formatHead(request: SignedRequest, proxy: Proxy | undefined): string {
  const { method, path, query, headers } = request
  const pairs = Object.entries(query).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  const start = proxy ? `http://${authorityOf(request)}${path}` : path
  return [
    `${method} ${start}${pairs.length === 0 ? '' : `?${pairs.join('&')}`} HTTP/1.1`,
    ...Object.entries({ ...headers, ...(proxy && authorizationFor(proxy)) }).map(
      ([name, value]) => `${name}: ${value}`,
    ),
    END_OF_HEAD.slice(2),
  ].join('\r\n')
}

/** As the SDK knows it, which then waits: asking again at once would make it worse. */
function throttled(): Error {
  return Object.assign(new Error('the server is too busy'), { name: 'SlowDown', $metadata: { httpStatusCode: 503 } })
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
