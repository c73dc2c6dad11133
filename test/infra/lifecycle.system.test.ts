/** The synthesized lifecycle rules, carried out by a real S3 server on which a day lasts ten seconds. */
import { setTimeout as wait } from 'node:timers/promises'
import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  type LifecycleRule,
} from '@aws-sdk/client-s3'
import { createBucket, plainClient, testServers } from '../servers/index'
import { resourceOf, synthesize } from './synthesize'

const DAY_SECONDS = 10
/** The server looks at its rules once a day, and is busy with other tests. */
const PATIENCE_DAYS = 6
const EXPIRE_DAYS = 6
/** Archives and catalogs go later than the manifest that names them. */
const OUTLIVE_DAYS = 3

const retention = [
  { name: 'daily', expireAfterDays: EXPIRE_DAYS, transitions: [{ afterDays: 2, storageClass: 'GLACIER' }] },
  { name: 'yearly', expireAfterDays: 3650, storageClass: 'DEEP_ARCHIVE' },
] as const

interface CloudFormationRule {
  readonly Id: string
  readonly Prefix?: string
  readonly ExpirationInDays?: number
  readonly ExpiredObjectDeleteMarker?: boolean
  readonly Transitions?: readonly { readonly StorageClass: string; readonly TransitionInDays: number }[]
  readonly NoncurrentVersionExpiration?: { readonly NoncurrentDays: number }
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation: number }
}

/** What CloudFormation makes of a rule. */
function toApi(rule: CloudFormationRule): LifecycleRule {
  const { Id: ID, Prefix = '', ExpirationInDays: Days, ExpiredObjectDeleteMarker, Transitions } = rule
  const { NoncurrentVersionExpiration, AbortIncompleteMultipartUpload } = rule
  return {
    ID,
    Status: 'Enabled',
    Filter: { Prefix },
    ...(Days && { Expiration: { Days } }),
    ...(ExpiredObjectDeleteMarker && { Expiration: { ExpiredObjectDeleteMarker } }),
    ...(Transitions && {
      Transitions: Transitions.map(({ StorageClass, TransitionInDays }) => ({
        StorageClass: StorageClass as 'GLACIER',
        Days: TransitionInDays,
      })),
    }),
    ...(NoncurrentVersionExpiration && { NoncurrentVersionExpiration }),
    ...(AbortIncompleteMultipartUpload && { AbortIncompleteMultipartUpload }),
  }
}

/** Storage class of each version, `deleted` for a marker, by key. */
type Contents = Readonly<Record<string, readonly string[]>>

test('archives move and expire with what describes them, and nothing stays behind', async () => {
  const schedules = [{ name: 'nightly', cron: 'rate(1 day)', class: 'daily', tag: { key: 'Backup', value: 'true' } }]
  const template = synthesize({ retention, schedules, vault: { noncurrentDays: 1 } })
  const { Rules } = resourceOf(template, 'AWS::S3::Bucket').Properties.LifecycleConfiguration as unknown as {
    Rules: readonly CloudFormationRule[]
  }
  const server = testServers().radosgw
  const s3 = plainClient(server)
  const Bucket = await createBucket(server, { versioned: true })

  const put = (Key: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body: 'content' }))
  const read = async (): Promise<Contents> => {
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }))
    const all = [
      ...Versions.map(({ Key, StorageClass }) => ({ key: Key!, state: String(StorageClass) })),
      ...DeleteMarkers.map(({ Key }) => ({ key: Key!, state: 'deleted' })),
    ]
    const byKey = Map.groupBy(all, ({ key }) => key)
    return Object.fromEntries([...byKey].map(([key, versions]) => [key, versions.map(({ state }) => state).sort()]))
  }
  const uploads = async () => (await s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []
  const reach = async (what: string, days: number, reached: () => Promise<boolean>) => {
    const deadline = Date.now() + (days + PATIENCE_DAYS) * DAY_SECONDS * 1000
    while (!(await reached())) {
      if (Date.now() > deadline) throw new Error(`${what} did not happen: ${JSON.stringify(await read())}`)
      await wait(1000)
    }
  }

  const hot = ['catalogs/daily/h/r/v.jsonl.zst', 'manifests/daily/h/r.json', 'verifications/daily/h/r/t.json']
  const archive = 'data/daily/h/r/v.tar.zst'
  const kept = ['data/yearly/h/r/v.tar.zst', 'manifests/yearly/h/r.json', 'agent/0a1b/agent.cjs']
  for (const key of [archive, ...hot, ...kept]) await put(key)
  await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'data/daily/h/killed/v.tar.zst' }))
  const configuration = { Rules: Rules.map(toApi) }
  await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: configuration }))

  await reach('the transition', 2, async () => (await read())[archive]?.[0] === 'GLACIER')
  expect(Object.entries(await read()).filter(([, versions]) => versions.includes('GLACIER'))).toHaveLength(1)
  await reach('the end of the upload', 3, async () => (await uploads()).length === 0)
  const isGone = (contents: Contents, key: string) => contents[key]?.includes('deleted') ?? true
  let outlived = true
  await reach('the expiry', EXPIRE_DAYS + OUTLIVE_DAYS, async () => {
    const contents = await read()
    // What a manifest names is there as long as the manifest is.
    if (!isGone(contents, hot[1]!) && (isGone(contents, archive) || isGone(contents, hot[0]!))) outlived = false
    return [archive, ...hot].every((key) => isGone(contents, key))
  })
  expect(outlived).toBe(true)
  await reach(
    'the end of versions and markers',
    EXPIRE_DAYS + OUTLIVE_DAYS + 3,
    async () => Object.keys(await read()).length === kept.length,
  )
  expect(await read()).toEqual(Object.fromEntries(kept.map((key) => [key, ['STANDARD']])))
  s3.destroy()
}, 400_000)
