/** CRC-32 as S3 and zlib compute it (reflected polynomial 0xedb88320), of data whose pieces were checksummed apart. */

const POLYNOMIAL = 0xedb88320
/** In this representation the highest bit is x^0, so this is the polynomial 1. */
const ONE = 0x80000000
/** The polynomial x^8: one byte further. */
const ONE_BYTE = 0x00800000

/**
 * The CRC-32 of two pieces of data in a row, from the checksums of each: so each byte is read once, however many
 * checksums it is part of.
 *
 * @param secondBytes - length of the second piece
 */
export function combineCrc32(first: number, second: number, secondBytes: number): number {
  return (multiply(powerOf(ONE_BYTE, secondBytes), first) ^ second) >>> 0
}

/** Square and multiply. Lengths exceed 32 bits, hence no bit operations on the exponent. */
function powerOf(base: number, exponent: number): number {
  let power = ONE
  for (let square = base, rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(square, power)
    square = multiply(square, square)
  }
  return power
}

/** Product of two polynomials over GF(2), modulo the CRC's. */
function multiply(a: number, b: number): number {
  let product = 0
  let shifted = b
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= shifted
    shifted = (shifted & 1) !== 0 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1
  }
  return product
}

/** A CRC32 as manifests record it. */
export function formatCrc32(crc32: number): string {
  return crc32.toString(16).padStart(8, '0')
}

/** A CRC32 as S3 writes it: the base64 of its four bytes, the highest first. */
export function encodeCrc32(crc32: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32)
  return bytes.toString('base64')
}

/** Undefined where it is not the base64 of four bytes. */
export function decodeCrc32(text: string): number | undefined {
  return /^[A-Za-z0-9+/]{6}==$/.test(text) ? Buffer.from(text, 'base64').readUInt32BE() : undefined
}
