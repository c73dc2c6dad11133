/** The way through a proxy: a tunnel for TLS, which sees nothing of it, and plain requests that the proxy passes on. */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { authorityOf, type Destination, type Proxy } from './proxy'

export interface TunnelOptions {
  /** Until the proxy has answered. */
  readonly connectSeconds: number
  readonly signal?: AbortSignal
}

/**
 * Has a proxy connect to a server.
 *
 * @returns a connection to that server, over which nothing has been sent yet
 * @throws Error with a code that {@link proxyFailure} has: the proxy is out of reach, or refuses
 */
export function openTunnel(
  proxy: Proxy,
  destination: Destination,
  { connectSeconds, signal }: TunnelOptions,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const authority = authorityOf(destination)
  const request = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
    ...{ host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: authority, agent: false },
    headers: { host: authority, ...authorizationFor(proxy) },
    ...(signal && { signal }),
  })
  // The whole time that it may take, for a proxy that accepts connections and says nothing.
  const patience = setTimeout(() => {
    request.destroy(Object.assign(new Error('the proxy has been silent for too long'), { code: 'ETIMEDOUT' }))
  }, connectSeconds * 1000)
  request.once('connect', ({ statusCode = 0 }, socket, head) => {
    clearTimeout(patience)
    if (statusCode >= 200 && statusCode < 300 && head.length === 0) {
      resolve(socket)
      return
    }
    socket.destroy()
    reject(refusal(proxy, statusCode, `CONNECT ${authority}`))
  })
  request.once('error', (error) => {
    clearTimeout(patience)
    reject(explainUnreachable(proxy, error))
  })
  request.end()
  return promise
}

/** What a proxy needs to be told with each plain request, and with CONNECT. */
export function authorizationFor({ authorization }: Proxy): Record<string, string> {
  return authorization === undefined ? {} : { 'proxy-authorization': authorization }
}

/** 407, or as tinyproxy has it where the password is wrong, 401: S3 itself never answers with either. */
export function isAuthenticationWanted(status: number): boolean {
  return status === 407 || status === 401
}

/** The proxy said no, and not the server. */
export function refusal(proxy: Proxy, status: number, asked: string): Error {
  if (isAuthenticationWanted(status)) {
    return proxyFailure(
      'PROXY_AUTHENTICATION',
      `the proxy ${proxy.url} (${proxy.variable}) answers ${asked} with ${status}`,
    )
  }
  const refused = proxyFailure(
    'PROXY_REFUSED',
    `the proxy ${proxy.url} (${proxy.variable}) answers ${asked} with ${status}`,
  )
  // A proxy that cannot reach the server says so by 5xx; the network may come back.
  return status >= 500 ? Object.assign(refused, { $retryable: {} }) : refused
}

const UNREACHABLE = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ECONNRESET']

/** @returns the error itself where it says nothing of the way to the proxy */
export function explainUnreachable(proxy: Proxy, error: Error): Error {
  if (!UNREACHABLE.includes((error as NodeJS.ErrnoException).code ?? '')) return error
  const message = `the proxy ${proxy.url} (${proxy.variable}) cannot be reached: ${error.message}`
  return Object.assign(proxyFailure('PROXY_UNREACHABLE', message), { cause: error, $retryable: {} })
}

function proxyFailure(code: 'PROXY_UNREACHABLE' | 'PROXY_REFUSED' | 'PROXY_AUTHENTICATION', message: string): Error {
  return Object.assign(new Error(message), { code })
}
