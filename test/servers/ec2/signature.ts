/** Signature version 4 of requests to EC2. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { Ec2Error } from './errors'

export interface SignedRequest {
  readonly method: string
  readonly path: string
  /** By their names in small letters. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** What a signature is made for, and with. */
export interface Signer extends Credentials {
  readonly region: string
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/ec2\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/

/** @throws Ec2Error unless this is who has signed the request, its host and time included */
export function assertSigned(request: SignedRequest, signer: Signer): void {
  const [, key, date, region, names = '', signature = ''] =
    AUTHORIZATION.exec(request.headers['authorization'] ?? '') ?? []
  const signedHeaders = names.split(';')
  const isOurs = key === signer.accessKeyId && region === signer.region
  const isWhole = ['host', 'x-amz-date'].every((name) => signedHeaders.includes(name))
  const isOfItsTime = date !== undefined && request.headers['x-amz-date']?.startsWith(date)
  const expected = Buffer.from(sign(request, signedHeaders, signer))
  if (isOurs && isWhole && isOfItsTime && timingSafeEqual(expected, Buffer.from(signature))) return
  throw new Ec2Error('AuthFailure', 'AWS was not able to validate the provided access credentials')
}

/** The header that makes it a signed request. */
export function formatAuthorization(request: SignedRequest, signedHeaders: readonly string[], signer: Signer): string {
  const date = request.headers['x-amz-date']?.slice(0, 8) ?? ''
  const credential = `${signer.accessKeyId}/${date}/${signer.region}/ec2/aws4_request`
  const signature = sign(request, signedHeaders, signer)
  return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`
}

function sign(request: SignedRequest, signedHeaders: readonly string[], { region, secretAccessKey }: Signer): string {
  const { method, path, headers, body } = request
  const time = headers['x-amz-date'] ?? ''
  const date = time.slice(0, 8)
  const lines = signedHeaders.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}`)
  const canonical = [method, path, '', ...lines, '', signedHeaders.join(';'), sha256(body)].join('\n')
  const scope = [date, region, 'ec2', 'aws4_request']
  const toSign = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(canonical)].join('\n')
  const key = scope.reduce<string | Buffer>((secret, word) => hmac(secret, word), `AWS4${secretAccessKey}`)
  return hmac(key, toSign).toString('hex')
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
