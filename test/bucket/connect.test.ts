import { openBucket, openBucketOfHost } from '../../agent/bucket/connect.io'
import { localDeps } from '../support/host-deps'
import { serveMetadata } from '../support/metadata-service'
import { refusalOf } from '../support/refusal'

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' }
const known = { bucket: 'backups', host: undefined, region: 'eu-west-1', endpointUrl: undefined }
const INSTANCE = 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc1234def567890'

test('work that concerns no host asks no metadata service, and has no host', async () => {
  await using service = await serveMetadata()
  const deps = localDeps()
  const bucket = await openBucket(known, { ...KEYS, AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url }, deps)
  expect(bucket).toMatchObject({ region: 'eu-west-1', store: { bucket: 'backups' } })
  expect(bucket).not.toHaveProperty('host')
  expect(service.requests).toEqual([])
  expect(deps.logged).toEqual([expect.stringMatching(/ bucket backups in eu-west-1\n$/)])
})

test('work of a host that is not named asks which instance this is', async () => {
  await using service = await serveMetadata()
  const deps = localDeps()
  const bucket = await openBucketOfHost(known, { ...KEYS, AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url }, deps)
  expect(bucket).toMatchObject({ host: INSTANCE, region: 'eu-west-1' })
  expect(service.requests).toContain('GET /latest/dynamic/instance-identity/document')
  expect(deps.logged).toEqual([expect.stringContaining(`host ${INSTANCE}, bucket backups in eu-west-1`)])
})

test('a host that is named, in a region that is named, is asked of nobody', async () => {
  await using service = await serveMetadata()
  const environment = { ...KEYS, AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url }
  expect(await openBucketOfHost({ ...known, host: 'db-1' }, environment, localDeps())).toMatchObject({ host: 'db-1' })
  expect(service.requests).toEqual([])
})

test('the way to the bucket is told: its own host, the proxy, what the environment asks for', async () => {
  const straight = await openBucket(known, KEYS, localDeps())
  expect(await straight.readEndpointInfo()).toEqual({
    ...{ endpoint: 'https://backups.s3.eu-west-1.amazonaws.com', settings: [], proxy: undefined, caBundle: undefined },
  })
  const environment = { ...KEYS, HTTPS_PROXY: 'http://proxy.example:3128', AWS_USE_FIPS_ENDPOINT: 'true' }
  const roundabout = await openBucket(known, environment, localDeps())
  expect(await roundabout.readEndpointInfo()).toMatchObject({
    settings: [expect.stringContaining('FIPS')],
    proxy: { hostname: 'proxy.example' },
  })
})

test('a switch that is neither on nor off is refused before anybody is asked', async () => {
  await using service = await serveMetadata()
  const environment = {
    ...{ ...KEYS, AWS_USE_FIPS_ENDPOINT: 'perhaps' },
    AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url,
  }
  expect(await refusalOf(openBucketOfHost(known, environment, localDeps()))).toMatchObject({ code: 'USAGE' })
  expect(service.requests).toEqual([])
})
