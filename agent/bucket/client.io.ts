import { Readable } from 'node:stream'
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { getEndpointFromInstructions } from '@smithy/core/endpoints'
import type { CredentialProvider } from './credentials.io'
import { isAws } from './endpoints'
import { DIRECT, type Route } from './proxy'
import type { Log } from '../context'
import { httpHandler } from './http-handler.io'
import { rangeConnections, type RangeConnections } from './ranged-http.io'
import { patientRetries, sdkStrategy, SYSTEM_CLOCK, type Clock, type Retries } from './retries.io'
import { storeError, type Operation } from './errors'

/**
 * Connections to S3 at a time, more than are ever in use: who sends parts limits how many it has in flight, and a
 * request that waited for a connection would hold its part's memory meanwhile.
 */
const CONNECTIONS_MAX = 256
const CONNECT_TIMEOUT_SECONDS = 10
/** S3 may be silent for long before it answers a completion; this is how long nothing at all may happen. */
const SILENCE_TIMEOUT_SECONDS = 120
/** TLS encrypts, and keeps in memory, all it is given at once; a part given whole costs its size a second time. */
const TLS_WRITE_BYTES = 256 * 1024

export interface S3StoreOptions {
  readonly bucket: string
  readonly region: string
  readonly credentials: CredentialProvider
  /** Of an S3-compatible server or of a VPC endpoint; S3 itself where undefined. Implies path-style addresses. */
  readonly endpointUrl?: string
  /** Through which proxy, if any. Straight to the server where left out. */
  readonly route?: Route
  readonly log: Log
  /** Paces retries: the system's, unless a test has one of its own. */
  readonly clock?: Clock
}

/** A client, and what is known of the place it talks to. */
export interface S3Connection {
  readonly client: S3Client
  readonly ranges: RangeConnections
  readonly retries: Retries
  readonly clock: Clock
  readonly bucket: string
  readonly region: string
  /** Whether the server is known to refuse what would overwrite an object. Only S3 itself is. */
  readonly enforcesConditions: () => Promise<boolean>
  /** Where requests for the bucket go. */
  readonly readEndpoint: () => Promise<URL>
  /** How requests to it are signed, as the SDK calls that: `sigv4` for the service `s3`, but of some kinds of buckets. */
  readonly readSigning: () => Promise<{ readonly scheme: string; readonly service: string; readonly region: string }>
  readonly log: Log
}

export function connectToS3(options: S3StoreOptions): S3Connection {
  const { bucket, region, log, clock = SYSTEM_CLOCK, route = DIRECT } = options
  const ranges = rangeConnections({
    connectSeconds: CONNECT_TIMEOUT_SECONDS,
    silenceSeconds: SILENCE_TIMEOUT_SECONDS,
    route,
  })
  const retries = patientRetries(clock)
  const client = s3Client(options, retries)
  const readEndpoint = async () => (await resolveEndpoint(client, bucket)).url
  const readSigning = async () => {
    const [chosen] = (await resolveEndpoint(client, bucket)).properties?.authSchemes ?? []
    return {
      scheme: chosen?.name ?? 'sigv4',
      service: chosen?.signingName ?? 's3',
      region: chosen?.signingRegion ?? region,
    }
  }
  const enforcesConditions = async () => isAws((await readEndpoint()).hostname)
  return { client, ranges, retries, clock, bucket, region, enforcesConditions, readEndpoint, readSigning, log }
}

/** As the SDK has it, which types what it says of signing as anything. */
interface SdkEndpoint {
  readonly url: URL
  readonly properties?: {
    readonly authSchemes?: readonly {
      readonly name?: string
      readonly signingName?: string
      readonly signingRegion?: string
    }[]
  }
}

/** As the SDK does for each request: it knows partitions, FIPS, dual-stack, and endpoints in the shared configuration file. */
async function resolveEndpoint(client: S3Client, bucket: string): Promise<SdkEndpoint> {
  const input = { Bucket: bucket, Key: 'any' }
  try {
    return await getEndpointFromInstructions(input, HeadObjectCommand, { ...client.config })
  } catch (error) {
    throw storeError(error, { name: 'HeadObject', key: null, bucket, region: await client.config.region() })
  }
}

/** Sends a request and turns whatever goes wrong into an AgentError. */
export async function call<Output extends { readonly $metadata: { readonly attempts?: number } }>(
  s3: S3Connection,
  { name, key }: Pick<Operation, 'name' | 'key'>,
  signal: AbortSignal,
  send: (options: { readonly abortSignal: AbortSignal }) => Promise<Output>,
): Promise<Output> {
  const { bucket, region, log, clock } = s3
  const startedAt = clock.nowSeconds()
  try {
    const output = await withFreshCredentials(s3, () => send({ abortSignal: signal }))
    const { attempts = 1 } = output.$metadata
    if (attempts > 1) log.debug(`${name} of ${key ?? bucket} took ${attempts} attempts`)
    return output
  } catch (error) {
    throw storeError(error, { name, key, bucket, region, seconds: clock.nowSeconds() - startedAt })
  }
}

/**
 * What S3 says where credentials were replaced since they were read: an old token, or a key that is gone. The answer to a
 * HEAD request has no body, and so no name but its status.
 */
const OUTDATED = ['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'InvalidToken', 'InvalidAccessKeyId']
const WITHOUT_NAME = ['Unknown', 'UnknownError', '400', 'BadRequest']

/** The SDK's own retries sign with the identity that the first attempt had: another one takes another request. */
async function withFreshCredentials<T>({ client, log }: S3Connection, send: () => Promise<T>): Promise<T> {
  const provide = client.config.credentials
  const used = await provide()
  try {
    return await send()
  } catch (error) {
    const { name, $metadata } = error as Error & { readonly $metadata?: { readonly httpStatusCode?: number } }
    const isNameless = $metadata?.httpStatusCode === 400 && WITHOUT_NAME.includes(name)
    if (!OUTDATED.includes(name) && !isNameless) throw error
    const fresh = await provide({ forceRefresh: true }).catch(() => used)
    if (fresh.accessKeyId === used.accessKeyId && fresh.sessionToken === used.sessionToken) throw error
    log.debug(`${name}: going on with the credentials as they have been renewed`)
    return send()
  }
}

/**
 * Makes the SDK's client fit for large parts: bodies are neither copied nor hashed. What is in them is protected by the
 * CRC32 that the caller sends along, and on its way by TLS, so the signature covers the headers only.
 */
function s3Client(options: S3StoreOptions, retries: Retries): S3Client {
  const { region, credentials, endpointUrl } = options
  const client = new S3Client({
    region,
    credentials,
    ...(endpointUrl !== undefined && { endpoint: endpointUrl, forcePathStyle: true }),
    retryStrategy: sdkStrategy(retries),
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // It would cost every part a round trip, and with some servers a connection.
    expectContinueHeader: false,
    requestHandler: httpHandler({
      route: options.route ?? DIRECT,
      connectionsMax: CONNECTIONS_MAX,
      connectSeconds: CONNECT_TIMEOUT_SECONDS,
      silenceSeconds: SILENCE_TIMEOUT_SECONDS,
    }),
  })
  signHeadersOnly(client)
  sliceBodies(client)
  return client
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

/** What is read and changed of the SDK's requests, which it types as unknown. */
interface SdkRequest {
  readonly protocol: string
  readonly headers: Record<string, string>
  readonly body?: unknown
}
