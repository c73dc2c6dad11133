import { connectToS3, type S3Connection, type S3StoreOptions } from './client.io'
import { head, readFacts } from './facts.io'
import { list, listFolders, listUploads } from './list.io'
import { readRange, readWhole } from './read.io'
import { retrieve } from './retrieve.io'
import { listFoldersWithDeleted, listWithDeleted } from './versions.io'
import { abortUpload, completeUpload, createUpload, put, uploadPart } from './write.io'
import type { Store } from '../context'

export interface S3Store extends Store {
  /** Where requests for the bucket go, which nobody is asked for. */
  readEndpoint(): Promise<URL>
}

/** S3, or a server that speaks its protocol. Nothing is asked of it before the first call. */
export function s3Store(options: S3StoreOptions): S3Store {
  return storeOver(connectToS3(options))
}

export function storeOver(s3: S3Connection): S3Store {
  return {
    bucket: s3.bucket,
    put: (...args) => put(s3, ...args),
    get: (...args) => readWhole(s3, ...args),
    getRange: (...args) => readRange(s3, ...args),
    head: (...args) => head(s3, ...args),
    list: (prefix, signal, { includeDeleted = false, startAfter } = {}) =>
      (includeDeleted ? listWithDeleted : list)(s3, prefix, signal, startAfter),
    listFolders: (prefix, signal, { includeDeleted = false } = {}) =>
      (includeDeleted ? listFoldersWithDeleted : listFolders)(s3, prefix, signal),
    createUpload: (...args) => createUpload(s3, ...args),
    uploadPart: (...args) => uploadPart(s3, ...args),
    completeUpload: (...args) => completeUpload(s3, ...args),
    abortUpload: (...args) => abortUpload(s3, ...args),
    listUploads: (...args) => listUploads(s3, ...args),
    readFacts: (...args) => readFacts(s3, ...args),
    retrieve: (...args) => retrieve(s3, ...args),
    readEndpoint: () => s3.readEndpoint(),
  }
}
