import { setImmediate as nextTurn } from 'node:timers/promises'
import { crc32 as checksum } from 'node:zlib'
import { AgentError, type ErrorCode } from '../../agent/errors'
import { parseRunTime } from '../../agent/run/run-id'
import type { ListOptions, ObjectHead, ObjectInfo, Store, UploadRef } from '../../agent/context'

export interface StoredObject {
  readonly body: Buffer
  readonly storageClass: string
  readonly lastModified: Date
  /** Whether reading is refused, as it is for objects in Glacier. */
  readonly archived?: boolean
  readonly restore?: ObjectHead['restore']
}

export interface StoredUpload extends UploadRef {
  readonly initiated: Date
  readonly storageClass: string
  readonly parts: ReadonlyMap<number, Buffer>
}

/** A store whose bucket is versioned, with what its owner may do to it beside what the agent does. */
export interface VersionedStore extends Store {
  /** Lays a delete marker on the object. */
  deleteObject(key: string): Promise<void>
  /** Removes a version for good. */
  deleteVersion(key: string, versionId: string): Promise<void>
}

/** A store in memory, with its content open to tests: to look at, to damage, to archive. */
export interface MemoryStore extends VersionedStore {
  /** As they are now. */
  readonly objects: Map<string, StoredObject>
  /** By upload id. */
  readonly uploads: Map<string, StoredUpload>
}

/** A run's objects are written a minute after it began, its manifest, which comes last, after two. */
export function timeOf(key: string): Date {
  const began = parseRunTime(/[0-9]{8}T[0-9]{6}Z-[a-z0-9]{6}/.exec(key)?.[0] ?? '')
  if (!began) return new Date()
  return new Date(began.getTime() + (key.startsWith('manifests/') ? 120_000 : 60_000))
}

/**
 * Behaves as S3 does with a versioned bucket, but for the size of parts, which may be smaller here, and for its clock.
 *
 * @param now - the clock: by default, objects are written when their run was
 */
export function memoryStore({
  keepsChecksums = true,
  now = timeOf,
}: { readonly keepsChecksums?: boolean; readonly now?: (key: string) => Date } = {}): MemoryStore {
  const objects = new Map<string, StoredObject>()
  const uploads = new Map<string, StoredUpload & { readonly parts: Map<number, Buffer> }>()
  let uploadCount = 0
  /** By key, what was deleted, oldest first: each version by its id. */
  const deleted = new Map<string, Map<string, StoredObject>>()
  let deletedCount = 0

  const versionsOf = (key: string, versionId: string | undefined) =>
    versionId === undefined ? { versions: objects, id: key } : { versions: deleted.get(key), id: versionId }
  const find = (key: string, versionId?: string): StoredObject => {
    const { versions, id } = versionsOf(key, versionId)
    return versions?.get(id) ?? fail('OBJECT_MISSING', `${key} does not exist`)
  }
  const findUpload = ({ uploadId }: UploadRef) =>
    uploads.get(uploadId) ?? fail('STORE_FAILED', `the upload ${uploadId} does not exist`)
  const read = (key: string, versionId?: string): Buffer => {
    const object = find(key, versionId)
    if (object.archived && !(object.restore && !object.restore.ongoing)) fail('OBJECT_ARCHIVED', `${key} is archived`)
    return object.body
  }
  const add = (key: string, body: Buffer, storageClass: string) => {
    if (objects.has(key)) fail('OBJECT_EXISTS', `${key} already exists`)
    objects.set(key, { body, storageClass, lastModified: now(key) })
  }
  const listKeys = (prefix: string, { includeDeleted = false }: ListOptions = {}): string[] =>
    matching(new Set([...objects.keys(), ...(includeDeleted ? deleted.keys() : [])]), prefix)

  return {
    bucket: 'memory',
    objects,
    uploads,

    async put(key, body, signal) {
      await arrive(signal)
      add(key, Buffer.from(body), 'STANDARD')
    },

    async get(key, bytesMax, signal, versionId) {
      await arrive(signal)
      const body = read(key, versionId)
      if (body.length > bytesMax) fail('ARCHIVE_DAMAGED', `${key} is larger than ${bytesMax} bytes`)
      return { body: Buffer.from(body), lastModified: find(key, versionId).lastModified }
    },

    async getRange(key, offset, bytes, signal, { versionId } = {}) {
      await arrive(signal)
      const body = read(key, versionId)
      if (offset + bytes > body.length) fail('ARCHIVE_DAMAGED', `${key} has only ${body.length} bytes`)
      return Buffer.from(body.subarray(offset, offset + bytes))
    },

    async head(key, signal, versionId) {
      await arrive(signal)
      const object = find(key, versionId)
      const { restore } = object
      return {
        ...describe(key, object),
        ...(keepsChecksums && { crc32: checksum(object.body) }),
        ...(restore && { restore }),
      }
    },

    async *list(prefix, signal, { startAfter = '', ...options } = {}) {
      await arrive(signal)
      for (const key of listKeys(prefix, options)) {
        if (key <= startAfter) continue
        const deletedVersion = objects.has(key) ? undefined : [...(deleted.get(key)?.keys() ?? [])].at(-1)
        yield { ...describe(key, find(key, deletedVersion)), ...(deletedVersion !== undefined && { deletedVersion }) }
      }
    },

    async *listFolders(prefix, signal, options) {
      await arrive(signal)
      const rest = listKeys(prefix, options).map((key) => key.slice(prefix.length).split('/'))
      yield* new Set(rest.flatMap(([folder, ...below]) => (folder !== undefined && below.length > 0 ? [folder] : [])))
    },

    async createUpload(key, storageClass = 'STANDARD', signal) {
      await arrive(signal)
      const uploadId = `upload-${++uploadCount}`
      uploads.set(uploadId, { key, uploadId, storageClass, initiated: new Date(), parts: new Map() })
      return { key, uploadId }
    },

    async uploadPart(upload, partNumber, body, crc32, signal) {
      await arrive(signal)
      const { parts } = findUpload(upload)
      // Looked at only now, so that a caller who reuses the buffer too early is found out.
      const part = Buffer.from(body)
      if (keepsChecksums && checksum(part) !== crc32)
        fail('CHECKSUM_MISMATCH', `part ${partNumber} is not what was sent`)
      parts.set(partNumber, part)
      return { partNumber, etag: `"${crc32}"`, crc32 }
    },

    async completeUpload(upload, finished, { sizeBytes, crc32 }, signal) {
      await arrive(signal)
      const { key, storageClass, parts } = findUpload(upload)
      const numbers = finished.map(({ partNumber }) => partNumber).sort((a, b) => a - b)
      const body = Buffer.concat(
        numbers.map((number) => parts.get(number) ?? fail('STORE_FAILED', `part ${number} was not uploaded`)),
      )
      if ((keepsChecksums && checksum(body) !== crc32) || body.length !== sizeBytes) {
        fail('CHECKSUM_MISMATCH', `${key} is not what was sent`)
      }
      add(key, body, storageClass)
      uploads.delete(upload.uploadId)
      return { confirmed: keepsChecksums }
    },

    async abortUpload(upload, signal) {
      await arrive(signal)
      uploads.delete(upload.uploadId)
    },

    async *listUploads(prefix, signal) {
      await arrive(signal)
      for (const { key, uploadId, initiated } of uploads.values()) {
        if (key.startsWith(prefix)) yield { key, uploadId, initiated }
      }
    },

    async readFacts(signal) {
      await arrive(signal)
      return { region: 'us-east-1', versioning: 'Enabled', clockSkewSeconds: 0 }
    },

    async retrieve(key, _options, signal, versionId) {
      await arrive(signal)
      const object = find(key, versionId)
      if (!object.archived) fail('STORE_FAILED', `${key} is not archived`)
      const { versions, id } = versionsOf(key, versionId)
      versions?.set(id, { ...object, restore: object.restore ?? { ongoing: true } })
    },

    async deleteObject(key) {
      const versions = deleted.get(key) ?? new Map<string, StoredObject>()
      deleted.set(key, versions.set(`version-${++deletedCount}`, find(key)))
      objects.delete(key)
    },

    async deleteVersion(key, versionId) {
      const versions = deleted.get(key)
      versions?.delete(versionId)
      if (versions?.size === 0) deleted.delete(key)
    },
  }
}

/** A request takes a turn of the event loop at least, so that what runs in parallel really interleaves. */
async function arrive(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await nextTurn()
  if (signal.aborted) fail('INTERRUPTED', 'the request was stopped before it finished')
}

function matching(keys: Iterable<string>, prefix: string): string[] {
  return [...keys]
    .filter((key) => key.startsWith(prefix))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

function describe(key: string, { body, storageClass, lastModified }: StoredObject): ObjectInfo {
  return { key, sizeBytes: body.length, storageClass, lastModified }
}

function fail(code: ErrorCode, message: string): never {
  throw new AgentError(code, message, { hint: 'This is the store in memory.' })
}
