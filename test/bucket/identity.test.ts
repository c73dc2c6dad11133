import { readIdentity } from '../../agent/bucket/identity.io'
import { fakeClock } from '../support/fake-clock'
import { serve } from '../support/http-server'
import { serveMetadata, type MetadataOptions } from '../support/metadata-service'
import { refusalOf } from '../support/refusal'

const signal = new AbortController().signal
const nothing = { host: undefined, region: undefined, endpointUrl: undefined }

test.each<[MetadataOptions, string]>([
  [{ region: 'eu-west-1' }, 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc1234def567890'],
  [
    { region: 'cn-north-1', partition: 'aws-cn' },
    'arn:aws-cn:ec2:cn-north-1:111122223333:instance/i-0abc1234def567890',
  ],
  [
    { region: 'us-gov-west-1', partition: 'aws-us-gov' },
    'arn:aws-us-gov:ec2:us-gov-west-1:111122223333:instance/i-0abc1234def567890',
  ],
  [
    { region: 'eusc-de-east-1', partition: 'aws-eusc' },
    'arn:aws-eusc:ec2:eusc-de-east-1:111122223333:instance/i-0abc1234def567890',
  ],
])('an instance of %j is named by its ARN', async (options, arn) => {
  await using service = await serveMetadata(options)
  const identity = await readIdentity(nothing, { AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url }, signal)
  expect(identity).toEqual({ host: arn, region: options.region })
})

test.each([
  ['--region', { region: 'eu-central-1' }, {}, 'eu-central-1'],
  ['AWS_REGION', {}, { AWS_REGION: 'eu-north-1', AWS_DEFAULT_REGION: 'x' }, 'eu-north-1'],
  ['AWS_DEFAULT_REGION', {}, { AWS_DEFAULT_REGION: 'eu-south-1' }, 'eu-south-1'],
  ['--endpoint-url alone', { endpointUrl: 'http://127.0.0.1:7480' }, {}, 'us-east-1'],
])('with --host and %s the metadata service is not asked', async (_, known, environment, region) => {
  await using service = await serveMetadata()
  const identity = await readIdentity(
    { ...nothing, host: 'db1', ...known },
    { ...environment, AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url },
    signal,
  )
  expect(identity).toEqual({ host: 'db1', region })
  expect(service.requests).toEqual([])
})

test('with --host alone the region is that of the instance', async () => {
  await using service = await serveMetadata({ region: 'ap-southeast-2' })
  const environment = { AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url }
  expect(await readIdentity({ ...nothing, host: 'db1' }, environment, signal)).toEqual({
    host: 'db1',
    region: 'ap-southeast-2',
  })
})

describe('outside EC2 the operator is told what to give', () => {
  test('nothing listens', async () => {
    const environment = { AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1' }
    expect(await refusalOf(readIdentity(nothing, environment, signal, fakeClock()))).toEqual({
      code: 'ENDPOINT_UNREACHABLE',
      message: expect.stringContaining('the instance metadata service at http://127.0.0.1:1 gave no answer'),
      hint: expect.stringContaining('--host'),
    })
  })

  test('something listens that never answers', async () => {
    await using service = await serve(() => undefined)
    const environment = { AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url }
    // Each look at this clock takes as long as two attempts.
    let now = 0
    const clock = { ...fakeClock(), nowSeconds: () => (now += 5) }
    const { message } = await refusalOf(readIdentity(nothing, environment, signal, clock))
    expect(message).toMatch(/gave no answer: .*timeout/)
  })

  test('something listens that is no metadata service', async () => {
    await using service = await serve((_, response) => response.writeHead(404).end())
    const environment = { AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url }
    const { message } = await refusalOf(readIdentity(nothing, environment, signal))
    expect(message).toMatch(/gave no answer: api\/token: HTTP status 404$/)
  })

  test('the metadata service is switched off', async () => {
    const { message } = await refusalOf(readIdentity(nothing, { AWS_EC2_METADATA_DISABLED: 'true' }, signal))
    expect(message).toBe('AWS_EC2_METADATA_DISABLED keeps the agent from asking which instance this is')
  })

  test('only the region is not known, and nothing says which it is', async () => {
    const environment = { AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1' }
    const asked = readIdentity({ ...nothing, host: 'db1' }, environment, signal, fakeClock())
    expect(await refusalOf(asked)).toMatchObject({
      code: 'ENDPOINT_UNREACHABLE',
      message: expect.stringMatching(/^it is not known which region is meant: the instance metadata service /),
      hint: 'Give --region, or set AWS_REGION.',
    })
  })

  test('the region is missing', async () => {
    const environment = { AWS_EC2_METADATA_DISABLED: 'true' }
    expect(await refusalOf(readIdentity({ ...nothing, host: 'db1' }, environment, signal))).toEqual({
      code: 'USAGE',
      message: 'it is not known which region is meant',
      hint: 'Give --region, or set AWS_REGION.',
    })
  })
})

test('a document that would reach into the keys of another host is not believed', async () => {
  const document = JSON.stringify({ region: 'eu-west-1', accountId: '111122223333', instanceId: 'i-0/../../i-1' })
  await using service = await serveMetadata({ document })
  const environment = { AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url }
  const { message } = await refusalOf(readIdentity(nothing, environment, signal))
  expect(message).toContain('the instance identity document is not understood')
})

test('a partition that would reach into the keys of another host is not believed', async () => {
  await using service = await serveMetadata({ partition: 'aws/../x' })
  const environment = { AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url }
  const { message } = await refusalOf(readIdentity(nothing, environment, signal))
  expect(message).toContain('the partition is not understood')
})
