import type { IncomingMessage, ServerResponse } from 'node:http'
import { serve } from './http-server'

export type S3Operation =
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'ListMultipartUploads'
  | 'ListObjectsV2'
  | 'ListObjectVersions'
  | 'GetBucketVersioning'
  | 'HeadObject'
  | 'GetObject'
  | 'PutObject'
  | 'RestoreObject'

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** Closes the connection after so many bytes of the body, without a word. */
  readonly breakAfterBytes?: number
}
/** `reset` closes the connection in the middle of the request, `lose` when it has arrived, without an answer. */
export type Step = Answer | 'reset' | 'lose'

export interface S3Request {
  readonly operation: S3Operation
  readonly headers: IncomingMessage['headers']
  readonly url: string
  readonly body: Buffer
  /** The client's end of the connection that it came over. */
  readonly clientPort: number
}

export interface ScriptedS3 extends AsyncDisposable {
  readonly url: string
  readonly requests: readonly S3Request[]
  /** What was requested, in order. */
  readonly operations: readonly S3Operation[]
}

/**
 * An S3 server that plays a part: each operation is answered by the steps written for it, one after another, the last
 * one from then on. What the script does not foresee is an error.
 */
export async function scriptedS3(script: Partial<Record<S3Operation, readonly Step[]>>): Promise<ScriptedS3> {
  const requests: S3Request[] = []
  const counts = new Map<S3Operation, number>()
  const server = await serve((request, response) => {
    const operation = operationOf(request)
    const count = counts.get(operation) ?? 0
    counts.set(operation, count + 1)
    const steps = script[operation] ?? [failure(400, 'Unforeseen')]
    const step = steps[Math.min(count, steps.length - 1)] as Step
    if (step === 'reset') request.once('data', () => request.socket.destroy())
    const { remotePort: clientPort = 0 } = request.socket
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      requests.push({ operation, headers: request.headers, url: request.url!, body: Buffer.concat(chunks), clientPort })
      if (step === 'lose') request.socket.destroy()
      else if (step !== 'reset') play(step, response, request.headers.range)
    })
  })
  return {
    url: server.url,
    requests,
    get operations() {
      return requests.map(({ operation }) => operation)
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** S3's way to say no. */
export function failure(status: number, code: string, details = ''): Answer {
  return { status, body: `<Error><Code>${code}</Code><Message>${code} it is</Message>${details}</Error>` }
}

export function success(body: string | Buffer = '', headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: 200, body, headers }
}

/** @param range - what was asked for: an answer of 206 is that range unless its headers say otherwise */
function play({ status, headers, body = '', breakAfterBytes }: Answer, response: ServerResponse, range = ''): void {
  const bytes = Buffer.from(body)
  const isRange = status === 206 && { 'content-range': range.replace('=', ' ').concat('/*') }
  response.writeHead(status, { 'content-length': bytes.length, ...isRange, ...headers })
  if (breakAfterBytes === undefined) response.end(bytes)
  else response.write(bytes.subarray(0, breakAfterBytes), () => response.destroy())
}

function operationOf({ method, url }: IncomingMessage): S3Operation {
  const query = new URL(url!, 'http://localhost').searchParams
  const has = (name: string) => query.has(name)
  switch (method) {
    case 'HEAD':
      return 'HeadObject'
    case 'POST':
      if (has('restore')) return 'RestoreObject'
      return has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload'
    case 'PUT':
      return has('partNumber') ? 'UploadPart' : 'PutObject'
    case 'DELETE':
      return 'AbortMultipartUpload'
    default:
      if (has('versions')) return 'ListObjectVersions'
      if (has('versioning')) return 'GetBucketVersioning'
      if (has('uploads')) return 'ListMultipartUploads'
      return has('list-type') ? 'ListObjectsV2' : 'GetObject'
  }
}
