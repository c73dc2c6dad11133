import type { FinishedPart } from '../context'

const ETAG_BYTES = 16
const PART_ENTRY_BYTES = ETAG_BYTES + 4
/** S3's are so, unless the bucket is encrypted: of those, and of other servers, the form is nobody's business. */
const COMPACT_ETAG = /^"[0-9a-f]{32}"$/

export interface PartList {
  /** In any order. */
  add(part: FinishedPart): void
  /** In the order of their numbers. */
  list(): FinishedPart[]
}

export function partList(): PartList {
  let kept = Buffer.alloc(0)
  const otherEtags = new Map<number, string>()
  let parts = 0
  let last = 0
  return {
    add({ partNumber, etag, crc32 }) {
      const at = (partNumber - 1) * PART_ENTRY_BYTES
      if (at + PART_ENTRY_BYTES > kept.length) {
        kept = Buffer.concat([kept], Math.max(2 * kept.length, at + PART_ENTRY_BYTES))
      }
      if (COMPACT_ETAG.test(etag)) kept.write(etag.slice(1, -1), at, 'hex')
      else otherEtags.set(partNumber, etag)
      kept.writeUInt32BE(crc32, at + ETAG_BYTES)
      parts++
      last = Math.max(last, partNumber)
    },
    list() {
      if (parts !== last) throw new Error(`of ${last} parts, ${parts} were sent`)
      return Array.from({ length: parts }, (_, index) => {
        const at = index * PART_ENTRY_BYTES
        const etag = otherEtags.get(index + 1) ?? `"${kept.toString('hex', at, at + ETAG_BYTES)}"`
        return { partNumber: index + 1, etag, crc32: kept.readUInt32BE(at + ETAG_BYTES) }
      })
    },
  }
}
