/**
 * Signature Version 4 for GET requests to S3, and for nothing else: the SDK takes half a millisecond to make and sign a
 * request, which of hundreds of thousands of small objects is most of the time.
 */
import { hash } from 'node:crypto'
import type { SignedRequest } from '../agent/bucket/range-connection.io'

/** As the SDK's providers give them. */
interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

export interface Target {
  /** Of the bucket: with its name in the host, or in the path. */
  readonly endpoint: URL
  readonly region: string
}

/** S3 does not need to know what is in the body of a request that has none. */
const NO_BODY = 'UNSIGNED-PAYLOAD'
const ALGORITHM = 'AWS4-HMAC-SHA256'

/** Signs one request after another: what depends on the day and the key alone is worked out once. */
export function quickSigner({ endpoint, region }: Target) {
  const base = endpoint.pathname.replace(/\/$/, '')
  const { protocol, hostname, port, host } = endpoint
  let derived: { readonly day: string; readonly secret: string; readonly sign: (text: string) => Buffer } | undefined

  const signerOf = (day: string, secret: string): ((text: string) => Buffer) => {
    if (derived?.day !== day || derived.secret !== secret) {
      const first: Uint8Array = Buffer.from(`AWS4${secret}`)
      const key = [day, region, 's3', 'aws4_request'].reduce((each, text) => hmacOf(each)(text), first)
      derived = { day, secret, sign: hmacOf(key) }
    }
    return derived.sign
  }

  /**
   * @param key - of the object; empty for the bucket
   * @param headers - to be sent and signed besides, by their names in lower case
   * @param query - likewise
   */
  return (
    credentials: Credentials,
    key: string,
    headers: Readonly<Record<string, string>>,
    now: Date,
    query: Readonly<Record<string, string>> = {},
  ): SignedRequest => {
    const time = now.toISOString().replace(/[-:]|\.\d+/g, '')
    const day = time.slice(0, 8)
    const path = `${base}/${key.split('/').map(encode).join('/')}`
    const { sessionToken, accessKeyId, secretAccessKey } = credentials
    const all: Record<string, string> = {
      ...headers,
      host,
      'x-amz-content-sha256': NO_BODY,
      'x-amz-date': time,
      ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
    }
    const names = Object.keys(all).sort()
    const signed = names.join(';')
    const lines = names.map((name) => `${name}:${all[name]?.trim() ?? ''}\n`).join('')
    const canonical = `GET\n${path}\n${formatQuery(query)}\n${lines}\n${signed}\n${NO_BODY}`
    const scope = `${day}/${region}/s3/aws4_request`
    const text = `${ALGORITHM}\n${time}\n${scope}\n${hash('sha256', canonical)}`
    const signature = signerOf(day, secretAccessKey)(text).toString('hex')
    const authorization = `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`
    return {
      protocol,
      hostname,
      ...(port !== '' && { port: Number(port) }),
      method: 'GET',
      path,
      query,
      headers: { ...all, authorization },
    }
  }
}

function formatQuery(query: Readonly<Record<string, string>>): string {
  return Object.keys(query)
    .sort()
    .map((name) => `${encode(name)}=${encode(query[name] ?? '')}`)
    .join('&')
}

const BLOCK_BYTES = 64

/** HMAC-SHA-256 (RFC 2104) of one key: Node's own looks at the key for each text as long as it takes to hash it. */
function hmacOf(key: Uint8Array): (text: string) => Buffer {
  const padded = Buffer.alloc(BLOCK_BYTES)
  padded.set(key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key)
  const [inner, outer] = [0x36, 0x5c].map((pad) => padded.map((byte) => byte ^ pad)) as [Uint8Array, Uint8Array]
  return (text) => {
    const digest = hash('sha256', Buffer.concat([inner, Buffer.from(text)]), 'buffer')
    return hash('sha256', Buffer.concat([outer, digest]), 'buffer')
  }
}

/** As S3 wants it: all but letters, digits and `-_.~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`)
}
