import { memoryStore } from '../support/memory-store'
import type { Store } from '../../agent/context'

/** A store in memory that remembers what was asked of it, in order. */
export interface ArchiveBucket {
  readonly store: Store
  /** `create KEY`, `part KEY NUMBER`, `complete KEY`, `abort KEY`; tests add their own. */
  readonly events: string[]
  read(key: string): Buffer
  keys(): string[]
  /** Keys of uploads neither completed nor aborted. */
  pending(): string[]
}

export interface Misbehaviour {
  /** Called before each part is taken. */
  readonly onPart?: (key: string, partNumber: number, signal: AbortSignal) => Promise<void>
  readonly onComplete?: (key: string) => Promise<void>
  /** Changes a part on its way. */
  readonly garble?: (key: string, partNumber: number, body: Uint8Array) => Uint8Array
  /** As S3 does, and not every server that speaks its protocol. */
  readonly keepsChecksums?: boolean
}

export function archiveBucket({ onPart, onComplete, garble, keepsChecksums = true }: Misbehaviour = {}): ArchiveBucket {
  const memory = memoryStore({ keepsChecksums })
  const events: string[] = []
  const store: Store = {
    ...memory,
    createUpload(key, storageClass, signal) {
      events.push(storageClass === undefined ? `create ${key}` : `create ${key} ${storageClass}`)
      return memory.createUpload(key, storageClass, signal)
    },
    async uploadPart(upload, partNumber, body, crc32, signal) {
      await onPart?.(upload.key, partNumber, signal)
      events.push(`part ${upload.key} ${partNumber}`)
      const arrived = garble?.(upload.key, partNumber, body) ?? body
      return memory.uploadPart(upload, partNumber, arrived, crc32, signal)
    },
    async completeUpload(upload, parts, options, signal) {
      await onComplete?.(upload.key)
      events.push(`complete ${upload.key}`)
      return memory.completeUpload(upload, parts, options, signal)
    },
    async abortUpload(upload, signal) {
      events.push(`abort ${upload.key}`)
      await memory.abortUpload(upload, signal)
    },
  }
  return {
    store,
    events,
    read: (key) => memory.objects.get(key)!.body,
    keys: () => [...memory.objects.keys()],
    pending: () => [...memory.uploads.values()].map(({ key }) => key),
  }
}
