/**
 * An S3 server that forgets what it is given, in a process of its own: to measure who sends, not who stores.
 *
 * `node sink.cjs [LATENCY_MS] [BYTES_PER_SECOND]` prints its port. The latency is added to each answer, the rate limits
 * each connection.
 */
import { createServer, Socket } from 'node:net'

const READ_BYTES = 1024 * 1024
const [latencyMs = 0, bytesPerSecond = Infinity] = process.argv.slice(2).map(Number)

interface Request {
  readonly method: string
  readonly query: string
  readonly headers: ReadonlyMap<string, string>
}

/**
 * Reads into one buffer per connection. Node has no public way to do that with a socket that it accepted, hence the
 * handle: as a reader of fresh buffers, the sink would take as much of the processor as the sender.
 */
const server = createServer({ pauseOnConnect: true }, (accepted) => {
  const { _handle: handle } = accepted as unknown as { _handle: object }
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  let head = ''
  let request: Request | undefined
  let bodyBytes = 0

  const take = (bytes: number): void => {
    let at = 0
    while (at < bytes) {
      if (!request) {
        head += buffer.toString('latin1', at, bytes)
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        at = bytes - (head.length - end - 4)
        request = parseRequest(head.slice(0, end))
        head = ''
        bodyBytes = Number(request.headers.get('content-length') ?? 0)
        if (request.headers.get('expect') === '100-continue') socket.write('HTTP/1.1 100 Continue\r\n\r\n')
      } else {
        const taken = Math.min(bodyBytes, bytes - at)
        bodyBytes -= taken
        at += taken
      }
      if (bodyBytes === 0) {
        const response = answer(request)
        request = undefined
        setTimeout(() => socket.write(response), latencyMs)
      }
    }
  }

  const options = {
    handle,
    onread: {
      buffer,
      callback(bytes: number): boolean {
        take(bytes)
        if (bytesPerSecond === Infinity) return true
        setTimeout(() => socket.resume(), (bytes / bytesPerSecond) * 1000)
        return false
      },
    },
  }
  const socket: Socket = new Socket(options as ConstructorParameters<typeof Socket>[0])
  socket.on('error', () => undefined) // a sender that was stopped
  socket.resume()
})

function parseRequest(head: string): Request {
  const [start = '', ...lines] = head.split('\r\n')
  const [method = '', target = ''] = start.split(' ')
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
  if (headers.has('transfer-encoding')) throw new Error('this sink wants a Content-Length')
  return { method, query: target.split('?')[1] ?? '', headers }
}

function answer({ method, query, headers }: Request): string {
  if (method === 'HEAD' || method === 'GET') return response(404)
  if (method === 'PUT') return response(200, '', 'ETag: "0"\r\n')
  if (method === 'DELETE') return response(204)
  if (/(^|&)uploads/.test(query)) {
    return response(200, '<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>')
  }
  const checksum = headers.get('x-amz-checksum-crc32')
  const confirmed = checksum === undefined ? '' : `<ChecksumCRC32>${checksum}</ChecksumCRC32>`
  return response(200, `<CompleteMultipartUploadResult><ETag>0</ETag>${confirmed}</CompleteMultipartUploadResult>`)
}

function response(status: number, body = '', headers = ''): string {
  return `HTTP/1.1 ${status} Sink\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`
}

server.listen(0, '127.0.0.1', () => {
  console.log((server.address() as { port: number }).port)
})
