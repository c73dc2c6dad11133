/** The synthesized lifecycle rules, carried out by a real S3 server on which a day lasts ten seconds. */
import { setTimeout as wait } from 'node:timers/promises'
import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  type LifecycleRule,
  type S3Client,
} from '@aws-sdk/client-s3'
import { manifestKey } from '../../agent/contract'
import { connectToS3 } from '../../agent/bucket/client.io'
import { supersede } from '../../fleet/audit/supersede.io'
import type { RunRecord } from '../../fleet/model/records'
import { s3Vault } from '../../fleet/vault.io'
import type { FleetDeps } from '../../fleet/vault'
import { createBucket, plainClient, testServers } from '../servers/index'
import { contentOf, objectsOf } from '../support/audited-bucket'
import { fleetConfig, runName } from '../support/fleet'
import { silentLog } from '../support/log'
import { resourceOf, synthesize } from './synthesize'

const DAY_SECONDS = 10
/** The server looks at its rules once a day, and is busy with other tests. */
const PATIENCE_DAYS = 15
const EXPIRE_DAYS = 6
/** Archives and catalogs go later than the manifest that names them. */
const OUTLIVE_DAYS = 3
/** And later by as much as a base may be older than what hangs on it. */
const FULL_EVERY_DAYS = 1

const retention = [
  {
    ...{ name: 'daily', expireAfterDays: EXPIRE_DAYS, fullEveryDays: FULL_EVERY_DAYS },
    transitions: [{ afterDays: 2, storageClass: 'GLACIER' }],
  },
  { name: 'yearly', expireAfterDays: 3650, storageClass: 'DEEP_ARCHIVE' },
] as const

interface CloudFormationRule {
  readonly Id: string
  readonly Prefix?: string
  readonly TagFilters?: readonly { readonly Key: string; readonly Value: string }[]
  readonly ExpirationInDays?: number
  readonly ExpiredObjectDeleteMarker?: boolean
  readonly Transitions?: readonly { readonly StorageClass: string; readonly TransitionInDays: number }[]
  readonly NoncurrentVersionExpiration?: { readonly NoncurrentDays: number }
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation: number }
}

/** What CloudFormation makes of a rule. */
function toApi(rule: CloudFormationRule): LifecycleRule {
  const { Id: ID, Prefix = '', ExpirationInDays: Days, ExpiredObjectDeleteMarker, Transitions } = rule
  const { NoncurrentVersionExpiration, AbortIncompleteMultipartUpload, TagFilters } = rule
  return {
    ID,
    Status: 'Enabled',
    Filter: TagFilters ? { And: { Prefix, Tags: [...TagFilters] } } : { Prefix },
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

function synthesizeRules(): readonly CloudFormationRule[] {
  const schedules = [{ name: 'nightly', cron: 'rate(1 day)', class: 'daily', tag: { key: 'Backup', value: 'true' } }]
  const template = synthesize({ retention, schedules, vault: { noncurrentDays: 1 } })
  const { Rules } = resourceOf(template, 'AWS::S3::Bucket').Properties.LifecycleConfiguration as unknown as {
    Rules: readonly CloudFormationRule[]
  }
  return Rules
}

async function setRules(s3: S3Client, Bucket: string, rules: readonly CloudFormationRule[]): Promise<void> {
  const LifecycleConfiguration = { Rules: rules.map(toApi) }
  await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration }))
}

const DAILY = { class: 'daily', host: 'db-1' }
const YEARLY = { class: 'yearly', host: 'db-1' }

let abandoned: { readonly s3: S3Client; readonly Bucket: string }

beforeAll(async () => {
  const server = testServers().radosgw
  const s3 = plainClient(server)
  const Bucket = await createBucket(server, { versioned: true })
  await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'data/daily/db-1/killed/v.tar.zst' }))
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }))
  expect(Uploads).toHaveLength(1)
  const rules = synthesizeRules().filter(({ AbortIncompleteMultipartUpload }) => AbortIncompleteMultipartUpload)
  expect(rules).toHaveLength(1)
  await setRules(s3, Bucket, rules)
  abandoned = { s3, Bucket }
}, 60_000)
afterAll(() => abandoned.s3.destroy())

test('what newer good runs have superseded expires, with what describes it, and what is the last of its kind stays', async () => {
  const Rules = synthesizeRules()
  const server = testServers().radosgw
  const s3 = plainClient(server)
  const Bucket = await createBucket(server, { versioned: true })
  const { region, endpoint: endpointUrl } = server
  const vault = s3Vault(
    connectToS3({ bucket: Bucket, region, endpointUrl, credentials: async () => server, log: silentLog }),
  )
  const deps: FleetDeps = { vault, log: silentLog, signal: new AbortController().signal, now: () => new Date() }

  const put = (Key: string, Body: string | Buffer = 'content') => s3.send(new PutObjectCommand({ Bucket, Key, Body }))
  const read = async (): Promise<Contents> => {
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }))
    const all = [
      ...Versions.map(({ Key, StorageClass }) => ({ key: Key!, state: String(StorageClass) })),
      ...DeleteMarkers.map(({ Key }) => ({ key: Key!, state: 'deleted' })),
    ]
    const byKey = Map.groupBy(all, ({ key }) => key)
    return Object.fromEntries([...byKey].map(([key, versions]) => [key, versions.map(({ state }) => state).sort()]))
  }
  const reach = async (what: string, days: number, reached: () => Promise<boolean>) => {
    const deadline = Date.now() + (days + PATIENCE_DAYS) * DAY_SECONDS * 1000
    while (!(await reached())) {
      if (Date.now() > deadline) throw new Error(`${what} did not happen: ${JSON.stringify(await read())}`)
      await wait(1000)
    }
  }
  /** A run, a second younger than the one before, as evidence has it; differential where there is a base. */
  const back = async (place: typeof DAILY, base?: RunRecord): Promise<RunRecord> => {
    await wait(1100)
    const run = runName(Date.now() / 1000)
    const [manifest, ...others] = objectsOf({ ...place, run }, { isDifferential: base !== undefined })
    for (const key of [...others, manifest]) await put(key, contentOf({ ...place, run }, key, base?.run))
    const { lastModified } = await vault.store.head(manifest, deps.signal)
    const bytes = 'content'.length
    return {
      ...{
        run,
        writtenAt: lastModified.getTime() / 1000,
        state: 'complete',
        verified: 'checksum',
        volumes: 1,
        objects: 2,
      },
      ...{ entries: 1, rawBytes: 10, storedBytes: bytes, catalogBytes: bytes, seconds: 1 },
      ...(base && { bases: [base.run] }),
    }
  }

  const others = ['agent/0a1b/agent.cjs', 'reports/index.html']
  for (const key of others) await put(key)
  const runs: RunRecord[] = []
  // A full run every other night, and a differential one after it; the last is full.
  for (let night = 0; night < 5; night++) runs.unshift(await back(DAILY, night % 2 === 1 ? runs[0] : undefined))
  const yearly = [await back(YEARLY)]
  await setRules(s3, Bucket, Rules)
  const classes = [
    { class: 'daily', runs },
    { class: 'yearly', runs: yearly },
  ]
  const config = fleetConfig({
    classes: [
      { name: 'daily', maxAgeHours: 36, expireAfterDays: EXPIRE_DAYS, fullEveryDays: FULL_EVERY_DAYS },
      { name: 'yearly', maxAgeHours: 9000, expireAfterDays: 3650 },
    ],
  })
  const histories = new Map([['db-1', { host: 'db-1', classes }]])
  const audit = { config, histories, memories: new Map(), now: Math.floor(Date.now() / 1000) }
  const first = await supersede(deps, audit)
  expect(first).toMatchObject({ runs: 1, objects: 6, problems: [] })
  // The run that the other has its base in follows in the next pass, which sets the tag of the other's manifest once more.
  expect(await supersede(deps, { ...audit, histories: first.histories })).toMatchObject({ runs: 1, objects: 5 + 1 })
  for (const page of ['second', 'third'])
    await vault.write('reports/index.html', Buffer.from(page), 'text/html', deps.signal)

  const keysOf = (place: typeof DAILY, given: readonly RunRecord[]) =>
    given.flatMap(({ run, bases }) => objectsOf({ ...place, run }, { isDifferential: bases !== undefined }))
  const superseded = keysOf(DAILY, runs.slice(3))
  const lasting = keysOf(DAILY, runs.slice(0, 3))
  const kept = [...lasting, ...keysOf(YEARLY, yearly), ...others]
  // This server moves no object that was tagged after its upload, which it takes for another one by then.
  const archives = lasting.filter((key) => key.startsWith('data/'))

  const isCold = (contents: Contents, key: string) => contents[key]?.includes('GLACIER') ?? false
  await reach('the transition', 2, async () => {
    const contents = await read()
    return archives.every((key) => isCold(contents, key))
  })
  const cold = Object.entries(await read()).filter(([, versions]) => versions.includes('GLACIER'))
  expect(cold.filter(([key]) => !key.startsWith('data/daily/'))).toEqual([])
  await reach('the end of replaced reports', 3, async () => (await read())['reports/index.html']?.length === 1)
  const isGone = (contents: Contents, key: string) => contents[key]?.includes('deleted') ?? true
  let outlived = true
  await reach('the expiry', EXPIRE_DAYS + OUTLIVE_DAYS + FULL_EVERY_DAYS, async () => {
    const contents = await read()
    // What a manifest names is there as long as the manifest is.
    for (const { run, bases = [] } of runs.slice(3)) {
      const needed = [run, ...bases].flatMap((each) => objectsOf({ ...DAILY, run: each }).slice(1, 3))
      if (!isGone(contents, manifestKey({ ...DAILY, run })) && needed.some((key) => isGone(contents, key)))
        outlived = false
    }
    return superseded.every((key) => isGone(contents, key))
  })
  expect(outlived).toBe(true)
  await reach(
    'the end of versions and markers',
    EXPIRE_DAYS + OUTLIVE_DAYS + FULL_EVERY_DAYS + 3,
    async () => Object.keys(await read()).length === kept.length,
  )
  // By now everything is as old as what has expired was, and the three newest good runs are whole.
  const expected = kept.map((key) => [key, [key.startsWith('data/daily/') ? 'GLACIER' : 'STANDARD']])
  expect(await read()).toEqual(Object.fromEntries(expected))
  s3.destroy()
}, 400_000)

// In a bucket of its own, and begun before the other test: this server looks at uploads last, and takes ten seconds for all of its
// work, however much there is.
test('an upload that nobody finished goes, tag or not', async () => {
  const { s3, Bucket } = abandoned
  const deadline = Date.now() + (3 + PATIENCE_DAYS) * DAY_SECONDS * 1000
  for (;;) {
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }))
    if (Uploads.length === 0) break
    if (Date.now() > deadline) throw new Error('the upload is still there')
    await wait(1000)
  }
}, 200_000)
