/** Lists what is in the bucket, page by page. */
import {
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type ListMultipartUploadsCommandInput,
  type ListMultipartUploadsCommandOutput,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3'
import { call, type S3Connection } from './client.io'
import { toObjectInfo } from './object-info'
import type { ListedUpload, ObjectInfo } from '../context'

export async function* list(
  s3: S3Connection,
  prefix: string,
  signal: AbortSignal,
  startAfter?: string,
): AsyncGenerator<ObjectInfo> {
  const input = { Prefix: prefix, ...(startAfter !== undefined && { StartAfter: startAfter }) }
  for await (const { Contents = [] } of readPages(s3, input, signal)) yield* Contents.map(toObjectInfo)
}

export async function* listFolders(s3: S3Connection, prefix: string, signal: AbortSignal): AsyncGenerator<string> {
  for await (const page of readPages(s3, { Prefix: prefix, Delimiter: '/' }, signal)) yield* foldersIn(page, prefix)
}

/** What a page of a listing says of folders. */
export function foldersIn({ CommonPrefixes = [] }: Pick<ListObjectsV2CommandOutput, 'CommonPrefixes'>, prefix: string) {
  return CommonPrefixes.map(({ Prefix = '' }) => Prefix.slice(prefix.length, -1))
}

async function* readPages(
  s3: S3Connection,
  input: Pick<ListObjectsV2CommandInput, 'Prefix' | 'Delimiter' | 'StartAfter'>,
  signal: AbortSignal,
): AsyncGenerator<ListObjectsV2CommandOutput> {
  let token: string | undefined
  do {
    const command = new ListObjectsV2Command({ Bucket: s3.bucket, ...input, ContinuationToken: token })
    const page = await call(s3, { name: 'ListObjectsV2', key: null }, signal, (sending) =>
      s3.client.send(command, sending),
    )
    yield page
    token = page.NextContinuationToken
  } while (token !== undefined)
}

export async function* listUploads(
  s3: S3Connection,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<ListedUpload> {
  let next: Pick<ListMultipartUploadsCommandInput, 'KeyMarker' | 'UploadIdMarker'> | undefined = {}
  while (next) {
    const input: ListMultipartUploadsCommandInput = { Bucket: s3.bucket, Prefix: prefix, ...next }
    const page: ListMultipartUploadsCommandOutput = await call(
      s3,
      { name: 'ListMultipartUploads', key: null },
      signal,
      (sending) => s3.client.send(new ListMultipartUploadsCommand(input), sending),
    )
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      yield { key: Key as string, uploadId: UploadId as string, ...(Initiated && { initiated: Initiated }) }
    }
    const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page
    next = IsTruncated ? { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker } : undefined
  }
}
