/** What a host may do in the bucket: said once as what its role allows, and once as what the bucket refuses all hosts. */
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { Prefix } from '../agent/contract'

/**
 * The condition keys that hold the ARN of the instance a request comes from: the first with the credentials of an
 * instance profile, the second with those of Default Host Management. A request never has both, and a statement with a
 * key that is missing matches nothing.
 */
export const HostKey = {
  instanceProfile: 'ec2:SourceInstanceARN',
  defaultHostManagement: 'ssm:SourceInstanceARN',
} as const
export type HostKey = (typeof HostKey)[keyof typeof HostKey]

/** What hosts leave in the bucket, as opposed to the agent that they fetch from it. */
export const WRITTEN_BY_HOSTS = [Prefix.data, Prefix.catalogs, Prefix.manifests, Prefix.verifications]
/** All that belongs to backups, whoever wrote it. */
export const OF_BACKUPS = [...WRITTEN_BY_HOSTS, Prefix.verdicts, Prefix.drills]
/** No backup is in any of these, and no host may write there. */
const REPLACED = [Prefix.agent, Prefix.fleet, Prefix.reports]
const WRITE = ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts']
const READ = ['s3:GetObject']
/** What `preflight` asks about the bucket itself. */
const INSPECT = ['s3:GetBucketVersioning']

/** A retention class as far as permissions depend on it. */
export interface StoredClass {
  readonly name: string
  /** What archives are put in. */
  readonly storageClass: string
}

export interface HostStorage {
  readonly bucket: IBucket
  /** Names of the retention classes. */
  readonly classes: readonly string[]
  /** The same, where the bucket is this stack's own: what its policy holds hosts to. */
  readonly stored?: readonly StoredClass[]
  /** ARN of the bucket's key; none where S3 keeps the keys. */
  readonly keyArn?: string | undefined
  /** Whether hosts may read their own backups. Without it they cannot restore, nor verify more than S3's checksum. */
  readonly hostRead: boolean
}

/**
 * Patterns of the keys of whichever host sends the request. Retention classes are spelled out, since `*` would match slashes too,
 * and with it `data/daily/<another host>/<this host>/`.
 */
export function ownKeys({ classes }: HostStorage, key: HostKey): string[] {
  return WRITTEN_BY_HOSTS.flatMap((prefix) => classes.map((name) => `${prefix}/${name}/\${${key}}/*`))
}

function ownObjectArns(storage: HostStorage, key: HostKey): string[] {
  return ownKeys(storage, key).map((pattern) => storage.bucket.arnForObjects(pattern))
}

/** Statements for the role of a host. */
export function hostStatements(storage: HostStorage, key: HostKey): PolicyStatement[] {
  const { bucket, hostRead } = storage
  return [
    new PolicyStatement({
      sid: 'OwnBackups',
      actions: hostRead ? [...WRITE, ...READ] : WRITE,
      resources: ownObjectArns(storage, key),
    }),
    new PolicyStatement({
      sid: 'Agent',
      actions: READ,
      resources: [bucket.arnForObjects(`${Prefix.agent}/*`)],
    }),
    new PolicyStatement({ sid: 'Bucket', actions: INSPECT, resources: [bucket.bucketArn] }),
  ]
}

/**
 * Statements for the bucket policy. They hold for every principal, so that neither a role that may do anything in S3
 * nor an administrator's slip lets a host out of its place, or a backup be overwritten.
 */
export function bucketDenials(storage: HostStorage): PolicyStatement[] {
  return [
    denyOverwriting(storage.bucket),
    ...Object.values(HostKey).flatMap((key) => [
      ...denyHosts(storage, key),
      ...denyStorageClasses(storage, key),
      ...denyEncryption(storage, key),
    ]),
  ]
}

function denyOverwriting(bucket: IBucket): PolicyStatement {
  return deny({
    sid: 'NothingIsOverwritten',
    actions: ['s3:PutObject'],
    // BucketDeployment, which brings the agent, cannot send the header; its keys contain the hash of what they hold. The auditor replaces
    // what it said before.
    notResources: REPLACED.map((prefix) => bucket.arnForObjects(`${prefix}/*`)),
    conditions: {
      Null: { 's3:if-none-match': 'true' },
      // Parts of an upload create no object yet, and S3 says so; where it says nothing, the request is refused.
      BoolIfExists: { 's3:ObjectCreationOperation': 'true' },
    },
  })
}

function denyHosts(storage: HostStorage, key: HostKey): PolicyStatement[] {
  const { bucket, hostRead } = storage
  const agent = bucket.arnForObjects(`${Prefix.agent}/*`)
  const conditions = { Null: { [key]: 'false' } }
  const name = nameOf(key)
  return [
    deny({
      sid: `${name}StayInTheirPlace`,
      actions: ['s3:*'],
      notResources: [bucket.bucketArn, agent, ...ownObjectArns(storage, key)],
      conditions,
    }),
    deny({
      sid: `${name}OnlyAdd`,
      notActions: [...INSPECT, ...WRITE, ...(hostRead ? READ : [])],
      resources: [bucket.bucketArn, ...WRITTEN_BY_HOSTS.map((prefix) => bucket.arnForObjects(`${prefix}/*`))],
      conditions,
    }),
    deny({ sid: `${name}OnlyReadTheAgent`, notActions: READ, resources: [agent], conditions }),
    // What expires hangs on a tag. S3 asks for s3:PutObjectTagging where an upload brings tags; this says no by itself.
    deny({
      sid: `${name}BringNoTags`,
      actions: ['s3:PutObject'],
      resources: [bucket.arnForObjects('*')],
      conditions: { Null: { [key]: 'false', 's3:RequestObjectTagKeys': 'false' } },
    }),
  ]
}

/**
 * A host pays for nothing but what its class costs, and stores nothing in a class from which nobody can read at once. Requests
 * that name none get Standard; those for parts cannot name one.
 */
function denyStorageClasses({ bucket, stored = [] }: HostStorage, key: HostKey): PolicyStatement[] {
  const hot = WRITTEN_BY_HOSTS.filter((prefix) => prefix !== Prefix.data).map((prefix) => `${prefix}/*`)
  const keysByClass = new Map([['STANDARD', hot]])
  for (const { name, storageClass } of stored) {
    keysByClass.set(storageClass, [...(keysByClass.get(storageClass) ?? []), `${Prefix.data}/${name}/*`])
  }
  return [...keysByClass].map(([storageClass, keys]) =>
    deny({
      sid: `${nameOf(key)}StoreIn${storageClass.replaceAll('_', '')}`,
      actions: ['s3:PutObject'],
      resources: keys.map((pattern) => bucket.arnForObjects(pattern)),
      conditions: {
        Null: { [key]: 'false', 's3:x-amz-storage-class': 'false' },
        StringNotEquals: { 's3:x-amz-storage-class': storageClass },
      },
    }),
  )
}

/** What was encrypted with a key of somebody else's, nobody here can read. */
function denyEncryption({ bucket, keyArn }: HostStorage, key: HostKey): PolicyStatement[] {
  const refuse = (sid: string, header: string, allowed: string | undefined) =>
    deny({
      sid: `${nameOf(key)}${sid}`,
      actions: ['s3:PutObject'],
      resources: [bucket.arnForObjects('*')],
      conditions: {
        Null: { [key]: 'false', [header]: 'false' },
        ...(allowed !== undefined && { StringNotEquals: { [header]: allowed } }),
      },
    })
  return [
    refuse('UseTheVaultsEncryption', 's3:x-amz-server-side-encryption', keyArn === undefined ? 'AES256' : 'aws:kms'),
    refuse('UseTheVaultsKey', 's3:x-amz-server-side-encryption-aws-kms-key-id', keyArn),
    refuse('BringNoKey', 's3:x-amz-server-side-encryption-customer-algorithm', undefined),
  ]
}

function nameOf(key: HostKey): string {
  return key === HostKey.instanceProfile ? 'Instances' : 'ManagedNodes'
}

function deny(statement: ConstructorParameters<typeof PolicyStatement>[0]): PolicyStatement {
  return new PolicyStatement({ effect: Effect.DENY, principals: [new AnyPrincipal()], ...statement })
}
