import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { Readable } from 'node:stream'
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import type { Log } from './deps'
import { rangeConnections, type RangeConnections } from './range-connections'
import { storeError, type Operation } from './store-errors'

/**
 * Connections to S3 at a time, more than are ever in use: who sends parts limits how many it has in flight, and a
 * request that waited for a connection would hold its part's memory meanwhile.
 */
const CONNECTIONS_MAX = 256
const CONNECT_TIMEOUT_SECONDS = 10
/** S3 may be silent for long before it answers a completion; this is how long nothing at all may happen. */
const SILENCE_TIMEOUT_SECONDS = 120
/** Until the first request has succeeded, something is likely to be misconfigured, and an operator waits to hear of it. */
const FIRST_ATTEMPTS_MAX = 5
/** Later, hours of work depend on each request: this bridges failures of a minute and more. */
const ATTEMPTS_MAX = 14
const RETRY_DELAY_SECONDS = 0.1
const THROTTLED_DELAY_SECONDS = 1
const RETRY_DELAY_MAX_SECONDS = 20
/** TLS encrypts, and keeps in memory, all it is given at once; a part given whole costs its size a second time. */
const TLS_WRITE_BYTES = 256 * 1024

/** Gives credentials, and is asked again some minutes before they expire. */
export type CredentialsProvider = () => Promise<{
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}>

export interface S3StoreOptions {
  readonly bucket: string
  readonly region: string
  readonly credentials: CredentialsProvider
  /** Of an S3-compatible server or of a VPC endpoint; S3 itself where undefined. Implies path-style addresses. */
  readonly endpointUrl?: string
  readonly log: Log
}

/** A client, and what is known of the place it talks to. */
export interface Connection {
  readonly client: S3Client
  readonly ranges: RangeConnections
  readonly bucket: string
  readonly region: string
  /** Whether the server is known to refuse what would overwrite an object. Only S3 itself is. */
  readonly enforcesConditions: boolean
  readonly log: Log
}

export function connect(options: S3StoreOptions): Connection {
  const { bucket, region, endpointUrl, log } = options
  const enforcesConditions = endpointUrl === undefined || new URL(endpointUrl).hostname.endsWith('.amazonaws.com')
  const ranges = rangeConnections({
    connectSeconds: CONNECT_TIMEOUT_SECONDS,
    silenceSeconds: SILENCE_TIMEOUT_SECONDS,
  })
  return { client: s3Client(options), ranges, bucket, region, enforcesConditions, log }
}

/** Sends a request and turns whatever goes wrong into an AgentError. */
export async function call<Output extends { readonly $metadata: { readonly attempts?: number } }>(
  { bucket, region, log }: Connection,
  { name, key }: Pick<Operation, 'name' | 'key'>,
  signal: AbortSignal,
  send: (options: { readonly abortSignal: AbortSignal }) => Promise<Output>,
): Promise<Output> {
  try {
    const output = await send({ abortSignal: signal })
    const { attempts = 1 } = output.$metadata
    if (attempts > 1) log.debug(`${name} of ${key ?? bucket} took ${attempts} attempts`)
    return output
  } catch (error) {
    throw storeError(error, { name, key, bucket, region })
  }
}

/**
 * Makes the SDK's client fit for large parts: bodies are neither copied nor hashed. What is in them is protected by the
 * CRC32 that the caller sends along, and on its way by TLS, so the signature covers the headers only.
 */
function s3Client(options: S3StoreOptions): S3Client {
  const { region, credentials, endpointUrl } = options
  const client = new S3Client({
    region,
    credentials,
    ...(endpointUrl !== undefined && { endpoint: endpointUrl, forcePathStyle: true }),
    retryStrategy: patientRetries(),
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // It would cost every part a round trip, and with some servers a connection.
    expectContinueHeader: false,
    requestHandler: {
      httpAgent: new HttpAgent({ keepAlive: true, maxSockets: CONNECTIONS_MAX }),
      httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets: CONNECTIONS_MAX }),
      connectionTimeout: CONNECT_TIMEOUT_SECONDS * 1000,
      socketTimeout: SILENCE_TIMEOUT_SECONDS * 1000,
    },
  })
  signHeadersOnly(client)
  sliceBodies(client)
  return client
}

/**
 * The SDK's own strategy has one budget for all requests of a client: with many parts in flight, a second without
 * network would use it up and fail the run.
 */
function patientRetries(): RetryStrategy {
  let everSucceeded = false
  return {
    acquireInitialRetryToken: () => Promise.resolve(retryToken(0, 0)),
    refreshRetryTokenForRetry(token, { error, errorType }) {
      const retries = token.getRetryCount() + 1
      const attemptsMax = everSucceeded ? ATTEMPTS_MAX : FIRST_ATTEMPTS_MAX
      if ((errorType === 'CLIENT_ERROR' && !isGarbled(error)) || retries >= attemptsMax) {
        return Promise.reject(new Error('not worth another attempt'))
      }
      const firstSeconds = errorType === 'THROTTLING' ? THROTTLED_DELAY_SECONDS : RETRY_DELAY_SECONDS
      const seconds = Math.min(firstSeconds * 2 ** (retries - 1), RETRY_DELAY_MAX_SECONDS)
      // Half of it at random, so that requests which failed together do not come back together.
      return Promise.resolve(retryToken(retries, seconds * 1000 * (0.5 + Math.random() / 2)))
    },
    recordSuccess() {
      everSucceeded = true
    },
  }
}

/** S3 said that it is done, and how cannot be read: a byte of it changed on its way, or the rest of it was lost. */
function isGarbled(error: unknown): boolean {
  const { message, $response } = error as { readonly message?: string; readonly $response?: { statusCode: number } }
  return $response?.statusCode === 200 && message?.includes('Deserialization error') === true
}

function retryToken(retries: number, delayMs: number): RetryToken {
  return { getRetryCount: () => retries, getRetryDelay: () => delayMs }
}

function signHeadersOnly(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { body, headers } = args.request as SdkRequest
      if (body instanceof Uint8Array) headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'
      return next(args)
    },
    { step: 'build', name: 'signHeadersOnly' },
  )
}

function sliceBodies(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as SdkRequest
      const { body, protocol } = request
      if (!(body instanceof Uint8Array) || protocol !== 'https:') return next(args)
      // A new request: the SDK sends the given one again when it retries, and must find the whole body there.
      return next({ ...args, request: { ...request, body: Readable.from(slices(body), { objectMode: false }) } })
    },
    // Inside everything that signs and retries.
    { step: 'deserialize', priority: 'low', name: 'sliceBodies' },
  )
}

function* slices(body: Uint8Array): Generator<Uint8Array> {
  for (let offset = 0; offset < body.length; offset += TLS_WRITE_BYTES) {
    yield body.subarray(offset, offset + TLS_WRITE_BYTES)
  }
}

type RetryStrategy = Extract<S3ClientConfig['retryStrategy'], { acquireInitialRetryToken: unknown }>
type RetryToken = Awaited<ReturnType<RetryStrategy['acquireInitialRetryToken']>>

/** What is read and changed of the SDK's requests, which it types as unknown. */
interface SdkRequest {
  readonly protocol: string
  readonly headers: Record<string, string>
  readonly body?: unknown
}
