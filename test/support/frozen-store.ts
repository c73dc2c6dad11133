import { crc32 } from 'node:zlib'
import { AgentError } from '../../agent/errors'
import type { Store } from '../../agent/io/store'

export interface FrozenStore extends Pick<Store, 'bucket' | 'get' | 'getRange' | 'head'> {
  readonly requests: number
  readonly bytes: number
}

/** A bucket that is only read, and counts how much. What it holds may be changed under its reader's hands. */
export function frozenStore(objects: ReadonlyMap<string, Buffer>): FrozenStore {
  let requests = 0
  let bytes = 0
  const open = (key: string): Buffer => {
    requests++
    const object = objects.get(key)
    if (object) return object
    throw new AgentError('OBJECT_MISSING', `there is no object ${key}`, { hint: 'Look for it.' })
  }
  return {
    bucket: 'backups',
    get requests() {
      return requests
    },
    get bytes() {
      return bytes
    },
    async get(key) {
      return open(key)
    },
    async getRange(key, offset, length) {
      const range = open(key).subarray(offset, offset + length)
      bytes += range.length
      if (range.length === length) return range
      throw new AgentError('ARCHIVE_DAMAGED', `${key} ends within ${offset}+${length}`, { hint: 'Look for it.' })
    },
    async head(key) {
      const object = open(key)
      return {
        key,
        sizeBytes: object.length,
        crc32: crc32(object),
        lastModified: new Date(0),
        storageClass: 'STANDARD',
      }
    },
  }
}
