/** What the bucket knows of an object, and of itself. */
import { GetBucketVersioningCommand, HeadObjectCommand } from '@aws-sdk/client-s3'
import { call, type S3Connection } from './client.io'
import { s3ErrorCode } from './errors'
import { parseRestore, toObjectInfo, wholeCrc32 } from './object-info'
import type { BucketFacts, ObjectHead } from '../context'

export async function head(
  s3: S3Connection,
  key: string,
  signal: AbortSignal,
  versionId?: string,
): Promise<ObjectHead> {
  const name = versionId === undefined ? 'HeadObject' : 'HeadObjectVersion'
  const input = { Bucket: s3.bucket, Key: key, VersionId: versionId, ChecksumMode: 'ENABLED' } as const
  const output = await call(s3, { name, key }, signal, (sending) =>
    s3.client.send(new HeadObjectCommand(input), sending),
  )
  const { Restore } = output
  const crc32 = wholeCrc32(output)
  return {
    ...toObjectInfo({ ...output, Key: key, Size: output.ContentLength }),
    ...(crc32 !== undefined && { crc32 }),
    ...(Restore !== undefined && { restore: parseRestore(Restore) }),
  }
}

/** @throws AgentError for all that keeps the bucket from being used, but not where asking for its versioning is denied */
export async function readFacts(s3: S3Connection, signal: AbortSignal): Promise<BucketFacts> {
  const command = new GetBucketVersioningCommand({ Bucket: s3.bucket })
  let clockSkewSeconds = 0
  command.middlewareStack.add(
    (next) => async (args) => {
      const sentAt = Date.now()
      const origin = performance.now() // whichever way our clock is set meanwhile
      const result = await next(args)
      const { date } = (result.response as { headers: Record<string, string> }).headers
      if (date !== undefined) clockSkewSeconds = (Date.parse(date) - sentAt - (performance.now() - origin) / 2) / 1000
      return result
    },
    { step: 'deserialize', priority: 'low', name: 'compareClocks' },
  )
  try {
    const { Status = 'Off' } = await call(s3, { name: 'GetBucketVersioning', key: null }, signal, (sending) =>
      s3.client.send(command, sending),
    )
    return { region: s3.region, versioning: Status, clockSkewSeconds }
  } catch (error) {
    if (s3ErrorCode(error) !== 'AccessDenied') throw error
    return { region: s3.region, versioning: 'unknown', clockSkewSeconds }
  }
}
