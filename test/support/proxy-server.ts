import { createServer, request } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'

export interface ProxyServer extends AsyncDisposable {
  readonly port: number
  /** `CONNECT host:443`, `GET http://host/…` of every request so far. */
  readonly requests: readonly string[]
  /** Value of Proxy-Authorization, by request. */
  readonly authorizations: readonly (string | undefined)[]
}

export interface ProxyOptions {
  /** Answers everything with this status, and passes nothing on. */
  readonly status?: number
  /** Where tunnels lead to, whatever they are asked for: the port of a server here. */
  readonly leadsTo?: number
}

/** A proxy that says what it was asked for. The system tests have a real one. */
export async function serveProxy({ status, leadsTo }: ProxyOptions = {}): Promise<ProxyServer> {
  const requests: string[] = []
  const authorizations: (string | undefined)[] = []
  const sockets = new Set<Socket>()
  const server = createServer((incoming, response) => {
    requests.push(`${incoming.method} ${incoming.url}`)
    authorizations.push(incoming.headers['proxy-authorization'])
    if (status !== undefined) {
      response.writeHead(status).end()
      return
    }
    const headers = { ...incoming.headers }
    delete headers['proxy-authorization']
    const outgoing = request(incoming.url!, { method: incoming.method!, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
      answer.on('error', () => response.destroy())
    })
    outgoing.on('error', () => response.destroy())
    incoming.pipe(outgoing)
  })
  server.on('connection', (socket) => sockets.add(socket))
  server.on('connect', (incoming, client: Socket) => {
    requests.push(`CONNECT ${incoming.url}`)
    authorizations.push(incoming.headers['proxy-authorization'])
    client.on('error', () => undefined)
    if (status !== undefined) {
      client.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    const { hostname, port } = new URL(`http://${incoming.url}`)
    const upstream = connect({ host: leadsTo ? '127.0.0.1' : hostname, port: leadsTo ?? Number(port || 80) }, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      client.pipe(upstream).pipe(client)
    })
    sockets.add(upstream)
    upstream.on('error', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    authorizations,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
