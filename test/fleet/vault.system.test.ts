import {
  DeleteObjectCommand,
  GetObjectTaggingCommand,
  PutBucketLifecycleConfigurationCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3'
import { connectToS3 } from '../../agent/bucket/client.io'
import { SUPERSEDED_TAG } from '../../agent/contract'
import { s3Vault } from '../../fleet/vault.io'
import { createBucket, plainClient, testServers, type Server } from '../servers/index'
import { silentLog } from '../support/log'
import { vaultContract, type OwnedVault } from '../support/vault-contract'

jest.setTimeout(60_000)

const signal = new AbortController().signal

async function ownedVault(server: Server): Promise<OwnedVault & { readonly bucket: string }> {
  const bucket = await createBucket(server, { versioned: true })
  const { region, endpoint: endpointUrl } = server
  const s3 = plainClient(server)
  return {
    bucket,
    vault: s3Vault(connectToS3({ bucket, region, endpointUrl, credentials: async () => server, log: silentLog })),
    async putRules(rules) {
      const LifecycleConfiguration = { Rules: [...rules] }
      await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket: bucket, LifecycleConfiguration }))
    },
    async deleteObject(key) {
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
    },
    async isSuperseded(key) {
      const { TagSet = [] } = await s3.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: key }))
      return TagSet.some(({ Key, Value }) => Key === SUPERSEDED_TAG.key && Value === SUPERSEDED_TAG.value)
    },
  }
}

vaultContract('SeaweedFS', () => ownedVault(testServers().seaweedfs), { refusesTransitions: true })
vaultContract('radosgw', () => ownedVault(testServers().radosgw), { redatesTagged: true })

test("the tags of others stay, and a wrong value of ours doesn't", async () => {
  const server = testServers().radosgw
  const { vault, bucket } = await ownedVault(server)
  const s3 = plainClient(server)
  const object = { Bucket: bucket, Key: 'data/daily/db-1/run/root.tar.zst' }
  await vault.store.put(object.Key, 'x', signal)
  const TagSet = [
    { Key: 'costs', Value: 'team a' },
    { Key: SUPERSEDED_TAG.key, Value: 'no' },
  ]
  await s3.send(new PutObjectTaggingCommand({ ...object, Tagging: { TagSet } }))
  await vault.tagSuperseded(object.Key, signal)
  const tagged = await s3.send(new GetObjectTaggingCommand(object))
  expect(Object.fromEntries(tagged.TagSet!.map(({ Key, Value }) => [Key, Value]))).toEqual({
    costs: 'team a',
    [SUPERSEDED_TAG.key]: SUPERSEDED_TAG.value,
  })
})

test('where there is no bucket, every call says so', async () => {
  const { region, endpoint: endpointUrl, ...credentials } = testServers().radosgw
  const s3 = connectToS3({
    ...{ bucket: 'no-such-bucket', region, endpointUrl, log: silentLog },
    credentials: async () => credentials,
  })
  const vault = s3Vault(s3)
  const code = 'BUCKET_MISSING'
  await expect(vault.readRules(signal)).rejects.toMatchObject({ code })
  await expect(vault.tagSuperseded('data/x', signal)).rejects.toMatchObject({ code })
  await expect(vault.write('fleet/x', Buffer.from('x'), 'text/plain', signal)).rejects.toMatchObject({ code })
})
