/** The bucket of the vault, as S3 has it. */
import { Readable } from 'node:stream'
import {
  GetBucketLifecycleConfigurationCommand,
  GetObjectTaggingCommand,
  PutObjectTaggingCommand,
  type Tag,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { call, type S3Connection } from '../agent/bucket/client.io'
import { openBucket, type Bucket } from '../agent/bucket/connect.io'
import { s3ErrorCode, storeError } from '../agent/bucket/errors'
import { storeOver } from '../agent/bucket/store.io'
import { Prefix, SUPERSEDED_TAG } from '../agent/contract'
import { AgentError } from '../agent/errors'
import { isOurs, toStorageRules } from './model/storage-rules'
import { withQuickReads } from './quick-reads.io'
import type { Vault } from './vault'

/** All else in the bucket is backups. */
const REWRITABLE = [`${Prefix.fleet}/`, `${Prefix.reports}/`]
/** What S3 says of the tags of an object that is not there, or has been deleted. */
const GONE = ['NoSuchKey', 'MethodNotAllowed']

/** A vault that can be reached. */
export interface OpenedVault extends Bucket {
  readonly vault: Vault
}

/**
 * Prepares the connection; nothing is sent to the bucket yet.
 *
 * @throws AgentError as `openBucket`
 */
export async function openVault(...args: Parameters<typeof openBucket>): Promise<OpenedVault> {
  const { s3, ...bucket } = await openBucket(...args)
  return { ...bucket, vault: s3Vault(s3) }
}

export function s3Vault(s3: S3Connection): Vault {
  return {
    store: withQuickReads(s3, storeOver(s3)),
    write: (...args) => write(s3, ...args),
    tagSuperseded: (key, signal) => setSuperseded(s3, key, true, signal),
    untagSuperseded: (key, signal) => setSuperseded(s3, key, false, signal),
    isSuperseded: (key, signal) => isSuperseded(s3, key, signal),
    readRules: (signal) => readRules(s3, signal),
  }
}

/** Sent once, whatever happens: a body that is made while it is sent cannot be read a second time. */
async function write(
  s3: S3Connection,
  key: string,
  body: Uint8Array | AsyncIterable<Uint8Array>,
  contentType: string,
  signal: AbortSignal,
): Promise<void> {
  assertRewritable(key)
  const abortController = new AbortController()
  const abort = () => abortController.abort()
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort)
  const params = {
    ...{ Bucket: s3.bucket, Key: key, ContentType: contentType, ChecksumAlgorithm: 'CRC32' as const },
    Body: body instanceof Uint8Array ? body : Readable.from(body, { objectMode: false }),
  }
  try {
    await new Upload({ client: s3.client, params, abortController }).done()
  } catch (error) {
    throw storeError(error, { name: 'PutObject', key, bucket: s3.bucket, region: s3.region })
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** @throws AgentError INTERNAL for a key where backups may be */
export function assertRewritable(key: string): void {
  if (REWRITABLE.some((prefix) => key.startsWith(prefix))) return
  throw new AgentError('INTERNAL', `${key} was to be written, or replaced, among the backups`, {
    hint: 'Nothing was written. This is a defect: report it.',
  })
}

async function isSuperseded(s3: S3Connection, key: string, signal: AbortSignal): Promise<boolean> {
  return (await readTags(s3, key, signal))?.some(isOurs) ?? false
}

/** S3 replaces all tags of an object at once: those of others stay. */
async function setSuperseded(s3: S3Connection, key: string, superseded: boolean, signal: AbortSignal): Promise<void> {
  const tags = await readTags(s3, key, signal)
  if (!tags) return
  const others = tags.filter(({ Key }) => Key !== SUPERSEDED_TAG.key)
  if (superseded ? tags.some(isOurs) : others.length === tags.length) return
  const ours = { Key: SUPERSEDED_TAG.key, Value: SUPERSEDED_TAG.value }
  const input = { Bucket: s3.bucket, Key: key, Tagging: { TagSet: superseded ? [...others, ours] : others } }
  await unlessGone(
    call(s3, { name: 'PutObjectTagging', key }, signal, (sending) =>
      s3.client.send(new PutObjectTaggingCommand(input), sending),
    ),
  )
}

/** Undefined where the object is gone. */
async function readTags(s3: S3Connection, key: string, signal: AbortSignal): Promise<readonly Tag[] | undefined> {
  const command = new GetObjectTaggingCommand({ Bucket: s3.bucket, Key: key })
  const answer = await unlessGone(
    call(s3, { name: 'GetObjectTagging', key }, signal, (sending) => s3.client.send(command, sending)),
  )
  return answer && (answer.TagSet ?? [])
}

async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (GONE.includes(s3ErrorCode(error) ?? '')) return undefined
    throw error
  }
}

async function readRules(s3: S3Connection, signal: AbortSignal) {
  const command = new GetBucketLifecycleConfigurationCommand({ Bucket: s3.bucket })
  try {
    const { Rules = [] } = await call(s3, { name: 'GetBucketLifecycleConfiguration', key: null }, signal, (sending) =>
      s3.client.send(command, sending),
    )
    return toStorageRules(Rules)
  } catch (error) {
    if (s3ErrorCode(error) === 'NoSuchLifecycleConfiguration') return []
    throw error
  }
}
