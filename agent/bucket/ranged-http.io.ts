/**
 * HTTP for ranged reads alone: what comes from the network goes straight into the caller's buffer. Node's own client hands
 * out every 64 KiB in memory of its own, to be copied and cleared up, which doubles the processor time of a restore.
 */
import type { Route } from './proxy'
import {
  openConnection,
  type RangeAnswer,
  type RangeConnection,
  type RangeTimeouts,
  type SignedRequest,
} from './range-connection.io'
import { openTunnel } from './tunnel.io'

/** Connections to servers, kept open for the next request. */
export interface RangeConnections {
  /**
   * Sends the request, which must ask for a range of exactly as many bytes as the buffer has, and reads its answer.
   *
   * @param options - `freshConnection`: over none that has been used before
   * @returns undefined unless the answer is 206 and exactly that range: then the request has to be sent again by a client
   * that understands all answers
   * @throws Error with the `code` of Node's where no answer comes, with the name of S3's where that is to be asked later
   */
  request(
    request: SignedRequest,
    target: Buffer,
    signal: AbortSignal,
    options?: { readonly freshConnection?: boolean },
  ): Promise<RangeAnswer | undefined>
}

export interface RangeOptions extends RangeTimeouts {
  /** Straight to the server where left out. */
  readonly route?: Route
}

export function rangeConnections(options: RangeOptions): RangeConnections {
  const idleByServer = new Map<string, Set<RangeConnection>>()
  return {
    async request(request, target, signal, { freshConnection = false } = {}) {
      const server = `${request.protocol}//${request.hostname}:${request.port ?? ''}`
      const idle = idleByServer.get(server) ?? new Set()
      idleByServer.set(server, idle)
      const [connection = await reach(request, options, idle, signal)] = freshConnection ? [] : idle
      idle.delete(connection)
      const abort = () => connection.abort()
      signal.addEventListener('abort', abort)
      const exchange = connection.send(request, target)
      const forget = () => signal.removeEventListener('abort', abort)
      exchange.whole.promise.then(forget, forget)
      if (signal.aborted) abort()
      return exchange.answer.promise
    },
  }
}

/** Opens a connection to a server, or through a proxy. */
async function reach(
  server: SignedRequest,
  options: RangeOptions,
  idle: Set<RangeConnection>,
  signal: AbortSignal,
): Promise<RangeConnection> {
  const proxy = options.route?.(server)
  if (!proxy || server.protocol !== 'https:') return openConnection(server, options, idle, { proxy })
  const tunnel = await openTunnel(proxy, server, { connectSeconds: options.connectSeconds, signal })
  return openConnection(server, options, idle, { tunnel })
}
