/** How the SDK's clients send: over connections that are kept, straight to the server or through a proxy. */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Duplex } from 'node:stream'
import { HttpRequest } from '@smithy/core/protocols'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { authorityOf, type Proxy, type Route } from './proxy'
import { authorizationFor, explainUnreachable, isAuthenticationWanted, openTunnel, refusal } from './tunnel.io'

export interface HandlerOptions {
  readonly route: Route
  readonly connectionsMax: number
  readonly connectSeconds: number
  /** How long nothing at all may happen. */
  readonly silenceSeconds: number
}

type Handle = NodeHttpHandler['handle']

export function httpHandler({
  route,
  connectionsMax,
  connectSeconds,
  silenceSeconds,
}: HandlerOptions): NodeHttpHandler {
  const handler = new NodeHttpHandler({
    httpAgent: new HttpAgent({ keepAlive: true, maxSockets: connectionsMax }),
    httpsAgent: tunnellingAgent(route, connectionsMax, connectSeconds),
    connectionTimeout: connectSeconds * 1000,
    socketTimeout: silenceSeconds * 1000,
  })
  const handle: Handle = handler.handle.bind(handler)
  handler.handle = (request, options) => {
    const proxy = request.protocol === 'http:' ? route(request) : undefined
    return proxy ? sendPlain(handle, proxy, request, options) : handle(request, options)
  }
  return handler
}

/** The agent of Node, which asks a proxy for its connections where one is on the way. */
function tunnellingAgent(route: Route, connectionsMax: number, connectSeconds: number): HttpsAgent {
  const agent = new HttpsAgent({ keepAlive: true, maxSockets: connectionsMax })
  const connect = agent.createConnection.bind(agent)
  agent.createConnection = (options, callback) => {
    const destination = { protocol: 'https:', hostname: options.host ?? '', port: Number(options.port) }
    const proxy = route(destination)
    if (!proxy || authorityOf(proxy) === authorityOf(destination)) return connect(options, callback)
    openTunnel(proxy, destination, { connectSeconds }).then(
      (socket) => callback?.(null, connect(Object.assign(options, { socket }), callback) as Duplex),
      (error: unknown) => callback?.(error as Error, undefined as never),
    )
    return undefined
  }
  return agent
}

/** As a proxy wants plain requests: to itself, with the whole URL. The header that names the server is signed, and stays. */
async function sendPlain(
  handle: Handle,
  proxy: Proxy,
  request: Parameters<Handle>[0],
  options: Parameters<Handle>[1],
): ReturnType<Handle> {
  const { method, query } = request
  const { protocol, hostname, port } = proxy
  const headers = { ...request.headers, ...authorizationFor(proxy) }
  const toProxy = new HttpRequest({ method, query, headers, body: request.body as unknown, protocol, hostname, port })
  toProxy.path = `http://${authorityOf(request)}${request.path}` // the constructor wants it to begin with a slash
  const answer = await handle(toProxy, options).catch((error: unknown) => {
    throw explainUnreachable(proxy, error as Error)
  })
  const { statusCode } = answer.response
  if (isAuthenticationWanted(statusCode)) throw refusal(proxy, statusCode, `a request to ${request.hostname}`)
  return answer
}
