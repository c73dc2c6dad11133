/** The one place that talks to S3: the interface, and its implementation with the AWS SDK. */
import type { ThawOptions } from '../plan/glacier'
import { connect, type S3StoreOptions } from './store-client'
import { head, list, listFolders, listUploads, readFacts, readRange, readWhole } from './store-read'
import { thaw } from './store-thaw'
import { listFoldersWithDeleted, listWithDeleted } from './store-versions'
import { abortUpload, completeUpload, createUpload, put, uploadPart } from './store-write'

/** An unfinished multipart upload. */
export interface UploadRef {
  readonly key: string
  readonly uploadId: string
}

export interface ListedUpload extends UploadRef {
  /** By the server's clock; absent where it does not say. */
  readonly initiated?: Date
}

export interface ObjectInfo {
  readonly key: string
  readonly sizeBytes: number
  readonly lastModified: Date
  /** `STANDARD` where S3 says nothing. */
  readonly storageClass: string
  /** Of an object that was deleted: the version to read, the newest that is left. Such are listed only where asked for. */
  readonly deletedVersion?: string
}

export interface ObjectHead extends ObjectInfo {
  /** CRC32 of the whole object, where the server keeps one. */
  readonly crc32?: number
  /** Present while or after an archived object is restored. */
  readonly restore?: { readonly ongoing: boolean; readonly expires?: Date }
}

/** A whole object, and when S3 says that it was written. */
export interface WholeObject {
  readonly body: Buffer
  readonly lastModified: Date
}

export interface FinishedPart {
  readonly partNumber: number
  readonly etag: string
  readonly crc32: number
}

export interface PutOptions {
  readonly contentType?: string
}

export interface CompleteOptions {
  readonly sizeBytes: number
  /** CRC32 of the whole object; S3 compares it with what it stored. */
  readonly crc32: number
}

/** What is known of an object that was completed. */
export interface Completion {
  /** The server says which CRC32 the whole object has, and it is that of what was sent. Else only its size is known. */
  readonly confirmed: boolean
}

export interface RangeReadOptions {
  readonly versionId?: string | undefined
  /** Over no connection that has been used before: where what came over one was wrong, it may be the way that is broken. */
  readonly freshConnection?: boolean
}

export interface ListOptions {
  /** Also what was deleted and of which a version is left. Asks for the permission `s3:ListBucketVersions`. */
  readonly includeDeleted?: boolean
}

/** Who the credentials belong to and what the bucket is like. */
export interface BucketFacts {
  readonly region: string
  readonly versioning: 'Enabled' | 'Suspended' | 'Off' | 'unknown'
  /** The server's clock minus ours. */
  readonly clockSkewSeconds: number
}

/**
 * S3 as the agent uses it. Nothing is ever overwritten: `put` and `completeUpload` fail with OBJECT_EXISTS where the
 * key is taken. Objects are read as they are now, or as the version that is named. All calls throw AgentError only.
 */
export interface Store {
  readonly bucket: string
  put(key: string, body: string | Uint8Array, signal: AbortSignal, options?: PutOptions): Promise<void>
  /**
   * A whole small object.
   * @param bytesMax - of what is larger nothing is read: anybody may have put it there
   * @throws AgentError OBJECT_MISSING, ARCHIVE_DAMAGED (larger)
   */
  get(key: string, bytesMax: number, signal: AbortSignal, versionId?: string): Promise<WholeObject>
  /**
   * `bytes` bytes from `offset`, as one buffer.
   * @throws AgentError OBJECT_MISSING, OBJECT_ARCHIVED (must be restored from Glacier first), ARCHIVE_DAMAGED (shorter)
   */
  getRange(key: string, offset: number, bytes: number, signal: AbortSignal, options?: RangeReadOptions): Promise<Buffer>
  head(key: string, signal: AbortSignal, versionId?: string): Promise<ObjectHead>
  /** In key order. */
  list(prefix: string, signal: AbortSignal, options?: ListOptions): AsyncIterable<ObjectInfo>
  /** What keys go on with after the prefix, up to the next slash and without it: each once, in order. */
  listFolders(prefix: string, signal: AbortSignal, options?: ListOptions): AsyncIterable<string>
  createUpload(key: string, storageClass: string | undefined, signal: AbortSignal): Promise<UploadRef>
  /** The body must not change until this settles: it is read again when the SDK retries. */
  uploadPart(
    upload: UploadRef,
    partNumber: number,
    body: Uint8Array,
    crc32: number,
    signal: AbortSignal,
  ): Promise<FinishedPart>
  /** @throws AgentError OBJECT_EXISTS, CHECKSUM_MISMATCH */
  completeUpload(
    upload: UploadRef,
    parts: readonly FinishedPart[],
    options: CompleteOptions,
    signal: AbortSignal,
  ): Promise<Completion>
  /** Succeeds too where the upload is gone already. */
  abortUpload(upload: UploadRef, signal: AbortSignal): Promise<void>
  listUploads(prefix: string, signal: AbortSignal): AsyncIterable<ListedUpload>
  readFacts(signal: AbortSignal): Promise<BucketFacts>
  /** Asks for a readable copy of an archived object. Succeeds too where one was asked for already. */
  thaw(key: string, options: ThawOptions, signal: AbortSignal, versionId?: string): Promise<void>
}

export interface S3Store extends Store {
  /** Where requests for the bucket go, which nobody is asked for. */
  readEndpoint(): Promise<URL>
}

/** S3, or a server that speaks its protocol. Nothing is asked of it before the first call. */
export function s3Store(options: S3StoreOptions): S3Store {
  const s3 = connect(options)
  return {
    bucket: s3.bucket,
    put: (...args) => put(s3, ...args),
    get: (...args) => readWhole(s3, ...args),
    getRange: (...args) => readRange(s3, ...args),
    head: (...args) => head(s3, ...args),
    list: (prefix, signal, { includeDeleted = false } = {}) =>
      (includeDeleted ? listWithDeleted : list)(s3, prefix, signal),
    listFolders: (prefix, signal, { includeDeleted = false } = {}) =>
      (includeDeleted ? listFoldersWithDeleted : listFolders)(s3, prefix, signal),
    createUpload: (...args) => createUpload(s3, ...args),
    uploadPart: (...args) => uploadPart(s3, ...args),
    completeUpload: (...args) => completeUpload(s3, ...args),
    abortUpload: (...args) => abortUpload(s3, ...args),
    listUploads: (...args) => listUploads(s3, ...args),
    readFacts: (...args) => readFacts(s3, ...args),
    thaw: (...args) => thaw(s3, ...args),
    readEndpoint: () => s3.readEndpoint(),
  }
}
