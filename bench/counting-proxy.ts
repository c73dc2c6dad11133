/** Passes requests on, and counts them. */
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface CountingProxy extends Disposable {
  readonly url: string
  /** So far. */
  count(): number
}

/** @param endpointUrl - what it stands before; requests stay as they were signed */
export async function startCountingProxy(endpointUrl: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(endpointUrl)
  let requests = 0
  const server = createServer((given, answer) => {
    requests++
    const { method, url: path, headers } = given
    const passedOn = request({ hostname, port, method, path, headers }, (received) => {
      answer.writeHead(received.statusCode ?? 502, received.headers)
      received.pipe(answer)
    })
    passedOn.on('error', (error) => answer.destroy(error))
    given.pipe(passedOn)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: () => requests,
    [Symbol.dispose]: () => server.close(),
  }
}
