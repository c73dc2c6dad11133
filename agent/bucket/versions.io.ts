/** Lists what the versions of a bucket still have under delete markers. */
import {
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandInput,
  type ListObjectVersionsCommandOutput,
} from '@aws-sdk/client-s3'
import { call, type S3Connection } from './client.io'
import { foldersIn } from './list.io'
import { toObjectInfo } from './object-info'
import type { ObjectInfo } from '../context'

/** Every object with the prefix, deleted ones too, in key order: each as its newest version that is no delete marker. */
export async function* listWithDeleted(
  s3: S3Connection,
  prefix: string,
  signal: AbortSignal,
  startAfter?: string,
): AsyncGenerator<ObjectInfo> {
  let key: string | undefined
  for await (const { Versions = [] } of readPages(s3, { Prefix: prefix }, signal, startAfter)) {
    for (const version of Versions) {
      // S3 lists the newest version of a key first. Delete markers are listed apart, and take the place of the latest.
      if (version.Key === key) continue
      key = version.Key
      yield { ...toObjectInfo(version), ...(!version.IsLatest && { deletedVersion: version.VersionId as string }) }
    }
  }
}

/** Folders that hold nothing but delete markers are among them. */
export async function* listFoldersWithDeleted(
  s3: S3Connection,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  for await (const page of readPages(s3, { Prefix: prefix, Delimiter: '/' }, signal)) yield* foldersIn(page, prefix)
}

async function* readPages(
  s3: S3Connection,
  input: Pick<ListObjectVersionsCommandInput, 'Prefix' | 'Delimiter'>,
  signal: AbortSignal,
  startAfter?: string,
): AsyncGenerator<ListObjectVersionsCommandOutput> {
  let next: Pick<ListObjectVersionsCommandInput, 'KeyMarker' | 'VersionIdMarker'> | undefined = {
    KeyMarker: startAfter,
  }
  while (next) {
    const command: ListObjectVersionsCommand = new ListObjectVersionsCommand({ Bucket: s3.bucket, ...input, ...next })
    const page = await call(s3, { name: 'ListObjectVersions', key: null }, signal, (sending) =>
      s3.client.send(command, sending),
    )
    yield page
    const { IsTruncated, NextKeyMarker, NextVersionIdMarker } = page
    next = IsTruncated ? { KeyMarker: NextKeyMarker, VersionIdMarker: NextVersionIdMarker } : undefined
  }
}
