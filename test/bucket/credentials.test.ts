import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chooseCredentials, readCaller } from '../../agent/bucket/credentials.io'
import { serve } from '../support/http-server'
import { serveMetadata } from '../support/metadata-service'
import { refusalOf } from '../support/refusal'

const signal = new AbortController().signal
const environment = process.env
let directory: string

/** Sets the environment that the SDK reads as well: nothing of this machine's own shines through. */
function enter(variables: Record<string, string>): NodeJS.ProcessEnv {
  process.env = {
    PATH: environment['PATH'],
    HOME: directory,
    AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1',
    ...variables,
  }
  return process.env
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'snapstream-'))
})
afterEach(async () => {
  process.env = environment
  await rm(directory, { recursive: true })
})

/** As the SSM agent leaves it under Default Host Management. */
async function sharedFile(): Promise<string> {
  const file = join(directory, 'credentials')
  await writeFile(file, '[default]\naws_access_key_id = AKMANAGEMENT\naws_secret_access_key = x\n')
  return file
}

test('the instance profile wins over the management role of Systems Manager', async () => {
  await using service = await serveMetadata({ profileKeyId: 'AKPROFILE' })
  const credentials = chooseCredentials(
    enter({
      AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url,
      AWS_SHARED_CREDENTIALS_FILE: await sharedFile(),
    }),
  )
  expect(await credentials()).toMatchObject({ accessKeyId: 'AKPROFILE', sessionToken: 'profile-token' })
})

test('without an instance profile the management role serves', async () => {
  await using service = await serveMetadata()
  const credentials = chooseCredentials(
    enter({
      AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url,
      AWS_SHARED_CREDENTIALS_FILE: await sharedFile(),
    }),
  )
  expect(await credentials()).toMatchObject({ accessKeyId: 'AKMANAGEMENT' })
})

test('what the environment names is used, and the instance not asked', async () => {
  await using service = await serveMetadata({ profileKeyId: 'AKPROFILE' })
  const credentials = chooseCredentials(
    enter({
      AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url,
      AWS_ACCESS_KEY_ID: 'AKNAMED',
      AWS_SECRET_ACCESS_KEY: 'x',
    }),
  )
  expect(await credentials()).toMatchObject({ accessKeyId: 'AKNAMED' })
  expect(service.requests).toEqual([])
})

test('no credentials anywhere: the operator is told where to get some', async () => {
  const credentials = chooseCredentials(enter({}))
  expect(await refusalOf(credentials())).toEqual({
    code: 'NO_CREDENTIALS',
    message: expect.stringMatching(/^no AWS credentials were found: /),
    hint: expect.stringContaining('attach an instance profile'),
  })
})

describe('whose credentials these are', () => {
  const sts = (status: number, body: string) =>
    serve((_, response) => response.writeHead(status, { 'content-type': 'text/xml' }).end(body))
  const named = { AWS_ACCESS_KEY_ID: 'AKNAMED', AWS_SECRET_ACCESS_KEY: 'x' }
  const error = (code: string) =>
    `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`

  test('STS knows their ARN', async () => {
    const arn = 'arn:aws:sts::111122223333:assumed-role/backup-role/i-0abc'
    await using service = await sts(
      200,
      `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>${arn}</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`,
    )
    const credentials = chooseCredentials(enter({ ...named, AWS_ENDPOINT_URL_STS: service.url }))
    expect(await readCaller(credentials, 'eu-west-1', undefined, signal)).toBe(arn)
  })

  test('of a server that is not AWS the access key is all there is', async () => {
    const credentials = chooseCredentials(enter(named))
    expect(await readCaller(credentials, 'us-east-1', 'http://127.0.0.1:7480', signal)).toBe('access key AKNAMED')
  })

  test.each([
    [403, 'ExpiredToken', 'CREDENTIALS_EXPIRED'],
    [403, 'InvalidClientTokenId', 'ACCESS_DENIED'],
    [403, 'SignatureDoesNotMatch', 'ACCESS_DENIED'],
  ])('STS answers %i %s', async (status, code, expected) => {
    await using service = await sts(status, error(code))
    const credentials = chooseCredentials(enter({ ...named, AWS_ENDPOINT_URL_STS: service.url }))
    const refused = await refusalOf(readCaller(credentials, 'eu-west-1', undefined, signal))
    expect(refused.code).toBe(expected)
    expect(refused.message).toContain(code)
  })

  test('STS is out of reach', async () => {
    const credentials = chooseCredentials(enter({ ...named, AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:1' }))
    const refused = await refusalOf(readCaller(credentials, 'eu-west-1', undefined, signal))
    expect(refused).toMatchObject({ code: 'ENDPOINT_UNREACHABLE', hint: expect.stringContaining('VPC endpoint') })
  })
})
