/** What S3's answers say of an object, in our words. */
import type { ObjectHead, ObjectInfo } from '../context'
import { decodeCrc32 } from '../lib/crc32'

/** Of an object of which the server does not say when it was written. */
export const UNKNOWN_TIME = new Date(NaN)

export function toObjectInfo(object: {
  readonly Key?: string | undefined
  readonly Size?: number | undefined
  readonly LastModified?: Date | undefined
  readonly StorageClass?: string | undefined
}): ObjectInfo {
  return {
    key: object.Key as string,
    sizeBytes: object.Size as number,
    lastModified: object.LastModified ?? UNKNOWN_TIME,
    storageClass: object.StorageClass ?? 'STANDARD',
  }
}

/** Reads `ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"`. */
export function parseRestore(header: string): NonNullable<ObjectHead['restore']> {
  const expires = /expiry-date="([^"]+)"/.exec(header)?.[1]
  return { ongoing: header.includes('ongoing-request="true"'), ...(expires && { expires: new Date(expires) }) }
}

/**
 * The CRC32 of the whole object, undefined where the server says none. The checksum of the parts' checksums is none: S3 names
 * it COMPOSITE, and every server ends it with the number of parts.
 */
export function wholeCrc32(output: {
  readonly ChecksumCRC32?: string | undefined
  readonly ChecksumType?: string | undefined
}): number | undefined {
  const { ChecksumCRC32: text, ChecksumType } = output
  if (text === undefined || ChecksumType === 'COMPOSITE') return undefined
  return decodeCrc32(text)
}
