import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { formatCrc32 } from '../lib/crc32'
import type { StoredObject } from './archive'

/** Compares what is read of an object, from its beginning to its end, with what the manifest says of it. */
export interface StoredDigest {
  update(piece: Uint8Array): void
  /** `CRC32 00c0ffee, the manifest says 0badcafe`; undefined where all agrees. To be asked once. */
  difference(): string | undefined
}

export function digestStored({ crc32: expectedCrc32, sha256: expectedSha256 }: StoredObject): StoredDigest {
  let checksum = 0
  const hash = expectedSha256 === undefined ? undefined : createHash('sha256')
  return {
    update(piece) {
      checksum = crc32(piece, checksum)
      hash?.update(piece)
    },
    difference() {
      const sha256 = hash?.digest('hex')
      if (formatCrc32(checksum) !== expectedCrc32) {
        return `CRC32 ${formatCrc32(checksum)}, the manifest says ${expectedCrc32}`
      }
      return sha256 === expectedSha256
        ? undefined
        : `SHA-256 ${sha256 ?? ''}, the manifest says ${expectedSha256 ?? ''}`
    },
  }
}
