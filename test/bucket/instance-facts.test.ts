import { createHash } from 'node:crypto'
import { readInstanceFacts } from '../../agent/bucket/instance-facts.io'
import { serve } from '../support/http-server'
import { localDeps } from '../support/host-deps'
import { serveMetadata } from '../support/metadata-service'

const MAC = '02:29:96:8f:6a:2d'
const ARN = 'arn:aws:iam::111122223333:instance-profile/web'
const INTERFACE = `meta-data/network/interfaces/macs/${MAC}`
/** Compressed, as cloud-init takes it: no text. */
const USER_DATA = Buffer.from([0x1f, 0x8b, 0x08, 0x00, 0xff, 0xfe])
const MINIMUM = {
  ...{ 'meta-data/mac': MAC, 'meta-data/instance-type': 'm7g.large', 'meta-data/ami-id': 'ami-0abc1234' },
  'meta-data/placement/availability-zone': 'eu-west-1a',
}
const environmentOf = (url: string) => ({ AWS_EC2_METADATA_SERVICE_ENDPOINT: url })

test('all that a machine like this one takes is asked for, and of user data no more is kept than what tells them', async () => {
  await using service = await serveMetadata({
    facts: {
      ...MINIMUM,
      ...{
        [`${INTERFACE}/subnet-id`]: 'subnet-0abc1234',
        [`${INTERFACE}/security-group-ids`]: 'sg-0abc1234\nsg-0def5678',
      },
      'meta-data/iam/info': JSON.stringify({ Code: 'Success', InstanceProfileArn: ARN }),
      ...{ 'meta-data/public-keys/': '0=ops key', 'user-data': USER_DATA },
    },
  })
  expect(await readInstanceFacts(environmentOf(service.url), localDeps())).toEqual({
    ...{ instanceType: 'm7g.large', imageId: 'ami-0abc1234', availabilityZone: 'eu-west-1a' },
    ...{ subnetId: 'subnet-0abc1234', securityGroupIds: ['sg-0abc1234', 'sg-0def5678'] },
    ...{ instanceProfileArn: ARN, keyName: 'ops key' },
    userDataSha256: createHash('sha256').update(USER_DATA).digest('hex'),
  })
})

test('an instance without a role, a key and user data has none of them in the manifest', async () => {
  await using service = await serveMetadata({ facts: MINIMUM })
  expect(await readInstanceFacts(environmentOf(service.url), localDeps())).toEqual({
    ...{ instanceType: 'm7g.large', imageId: 'ami-0abc1234', availabilityZone: 'eu-west-1a' },
    securityGroupIds: [],
  })
})

describe('nothing is known, and no backup fails of it', () => {
  test('where something else answers', async () => {
    await using service = await serve((_, response) => response.end('<html>'))
    expect(await readInstanceFacts(environmentOf(service.url), localDeps())).toBeUndefined()
  })

  test('where nobody answers', async () => {
    const { url } = await serve(() => undefined).then(async (service) => {
      await service[Symbol.asyncDispose]()
      return service
    })
    expect(await readInstanceFacts(environmentOf(url), localDeps())).toBeUndefined()
  })

  test('where it must not be asked', async () => {
    await using service = await serveMetadata({ facts: MINIMUM })
    const environment = { ...environmentOf(service.url), AWS_EC2_METADATA_DISABLED: 'true' }
    expect(await readInstanceFacts(environment, localDeps())).toBeUndefined()
    expect(service.requests).toEqual([])
  })
})

test('who was told to stop stops', async () => {
  const stop = new AbortController()
  await using service = await serve(() => stop.abort(new Error('stopped')))
  await expect(readInstanceFacts(environmentOf(service.url), localDeps(stop.signal))).rejects.toThrow('stopped')
})
