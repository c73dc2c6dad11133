import { S3Client } from '@aws-sdk/client-s3'
import { HttpRequest } from '@smithy/core/protocols'
import { quickSigner } from '../../fleet/quick-signer.io'

const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret/+', sessionToken: 'token' }
const now = new Date('2026-01-31T02:03:04.567Z')
const KEY =
  'manifests/daily/arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0/20260131T020000Z-abcdef.json'

test.each([
  ['https://backups.s3.eu-west-1.amazonaws.com/', KEY, credentials],
  ['http://127.0.0.1:8333/backups', KEY, { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'another' }],
  ['https://backups.s3.eu-west-1.amazonaws.com/', `odd/ +%&=?#'()*!~ümläut/🗄.json`, credentials],
])('a request to %s is signed as the SDK signs it: %s', async (url, key, identity) => {
  const region = 'eu-west-1'
  const request = quickSigner({ endpoint: new URL(url), region })(identity, key, { range: 'bytes=0-99' }, now)
  const { authorization, ...headers } = request.headers
  const client = new S3Client({ region, credentials: identity })
  const signer = await (client.config.signer as () => Promise<Signer>)()
  const unsigned = new HttpRequest({ ...request, headers })
  const signed = await signer.sign(unsigned, { signingDate: now, signingRegion: region })
  expect(authorization).toBe(signed.headers['authorization'])
})

interface Signer {
  sign(request: HttpRequest, options: { signingDate: Date; signingRegion: string }): Promise<HttpRequest>
}

test('a query is signed as the SDK signs it', async () => {
  const region = 'eu-west-1'
  const query = { 'list-type': '2', prefix: `manifests/a b+ü/`, 'continuation-token': "1/=='()*~" }
  const endpoint = new URL('https://backups.s3.eu-west-1.amazonaws.com/')
  const request = quickSigner({ endpoint, region })(credentials, '', {}, now, query)
  const { authorization, ...headers } = request.headers
  const signer = await (new S3Client({ region, credentials }).config.signer as () => Promise<Signer>)()
  const unsigned = new HttpRequest({ ...request, headers, query: { ...query } })
  const signed = await signer.sign(unsigned, { signingDate: now, signingRegion: region })
  expect(authorization).toBe(signed.headers['authorization'])
})

test('what depends on the day and the key is worked out anew where they change', () => {
  const sign = quickSigner({ endpoint: new URL('https://b.s3.eu-west-1.amazonaws.com'), region: 'eu-west-1' })
  const signatureOf = (identity: typeof credentials, at: Date) =>
    /Signature=(\w+)$/.exec(sign(identity, KEY, {}, at).headers['authorization']!)?.[1]
  const first = signatureOf(credentials, now)
  const tomorrow = new Date(now.getTime() + 86_400_000)
  expect(signatureOf(credentials, tomorrow)).not.toBe(first)
  expect(signatureOf({ ...credentials, secretAccessKey: 'other' }, now)).not.toBe(first)
  expect(signatureOf(credentials, now)).toBe(first)
})
