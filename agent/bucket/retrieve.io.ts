import { RestoreObjectCommand } from '@aws-sdk/client-s3'
import { call, type S3Connection } from './client.io'
import { s3ErrorCode } from './errors'
import { RETRIEVAL_TIERS } from '../contract'
import type { RetrievalOptions } from '../context'

/** Asks for a readable copy of an archived object. Asking again changes nothing, or makes the copy stay longer. */
export async function retrieve(
  s3: S3Connection,
  key: string,
  { tier, days }: RetrievalOptions,
  signal: AbortSignal,
  versionId?: string,
): Promise<void> {
  const request = { Days: days, GlacierJobParameters: { Tier: RETRIEVAL_TIERS[tier] } }
  const input = { Bucket: s3.bucket, Key: key, VersionId: versionId, RestoreRequest: request }
  try {
    await call(s3, { name: 'RestoreObject', key }, signal, (sending) =>
      s3.client.send(new RestoreObjectCommand(input), sending),
    )
  } catch (error) {
    if (s3ErrorCode(error) !== 'RestoreAlreadyInProgress') throw error
  }
}
