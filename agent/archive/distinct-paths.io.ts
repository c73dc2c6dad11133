/** Finds out in little memory whether a catalog has a path twice: of two entries, each reader could take another for the one. */
import { hash, randomBytes } from 'node:crypto'
import { type CatalogEntry, pathBytes } from '../tar/entry'

/** Of a digest with a key of this process: nobody can make two paths of one, and chance does with 1 in 360,000 for ten million. */
const DIGEST_BYTES = 8
const FIRST_BYTES = 64 * 1024

export interface DistinctPaths {
  add(entry: CatalogEntry): void
  /** To be called after the last one. @returns what tells entries whose path was added twice; undefined where none was */
  findTwice(): ((entry: CatalogEntry) => boolean) | undefined
}

export function distinctPaths(): DistinctPaths {
  const key = randomBytes(16).toString('latin1')
  const digest = (entry: CatalogEntry): Buffer => hash('sha256', key + pathBytes(entry).toString('latin1'), 'buffer')
  let digests = Buffer.allocUnsafeSlow(FIRST_BYTES)
  let bytes = 0
  return {
    add(entry) {
      if (bytes === digests.length) digests = Buffer.concat([digests, Buffer.allocUnsafeSlow(bytes)])
      digest(entry).copy(digests, bytes, 0, DIGEST_BYTES)
      bytes += DIGEST_BYTES
    },
    findTwice() {
      const sorted = new BigUint64Array(digests.buffer, digests.byteOffset, bytes / DIGEST_BYTES).slice().sort()
      const twice = new Set<bigint>()
      for (let index = 1; index < sorted.length; index++) {
        const value = sorted[index] as bigint
        if (value === sorted[index - 1]) twice.add(value)
      }
      if (twice.size === 0) return undefined
      return (entry) =>
        twice.has(new BigUint64Array(Uint8Array.from(digest(entry).subarray(0, DIGEST_BYTES)).buffer)[0] as bigint)
    },
  }
}
