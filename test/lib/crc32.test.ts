import fc from 'fast-check'
import { crc32 } from 'node:zlib'
import { combineCrc32, decodeCrc32, encodeCrc32 } from '../../agent/lib/crc32'

const bytes = fc.uint8Array({ maxLength: 500 }).map((array) => Buffer.from(array))
const data = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 2654435761) >>> 24))

test.each([0, 1, 2, 511, 65_536, 99_999, 100_000])(
  'the checksums of two pieces, cut at %d, give that of the whole',
  (cut) => {
    const [first, second] = [data.subarray(0, cut), data.subarray(cut)]
    expect(combineCrc32(crc32(first), crc32(second), second.length)).toBe(crc32(data))
  },
)

test('many pieces in a row give that of the whole', () => {
  let checksum = 0
  for (let at = 0; at < data.length; at += 777) {
    const piece = data.subarray(at, at + 777)
    checksum = combineCrc32(checksum, crc32(piece), piece.length)
  }
  expect(checksum).toBe(crc32(data))
})

test('a piece of 64 GiB, longer than 32 bits can count, is taken at its length', () => {
  const piece = Buffer.alloc(1024 ** 2)
  // 65,536 pieces of 1 MiB, by doubling the piece 16 times.
  const one = crc32(piece)
  let zeros = one
  for (let bytes = piece.length; bytes < 64 * 1024 ** 3; bytes *= 2) zeros = combineCrc32(zeros, zeros, bytes)
  let step = crc32(data)
  for (let index = 0; index < 65_536; index++) step = combineCrc32(step, one, piece.length)
  expect(combineCrc32(crc32(data), zeros, 64 * 1024 ** 3)).toBe(step)
})

test.each([0, 1, 0xedb88320, 0xffffffff])('S3 is told, and tells, CRC32 %i in base64', (crc32) => {
  expect(decodeCrc32(encodeCrc32(crc32))).toBe(crc32)
})

test.each(['', 'AAAA', 'AAAAAA==-2', 'AAAAAAAA', 'not base64'])(
  'what is no CRC32 of one object is none: %p',
  (text) => {
    expect(decodeCrc32(text)).toBeUndefined()
  },
)

test('the checksum of two pieces is that of the whole', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      expect(combineCrc32(crc32(a), crc32(b), b.length)).toBe(crc32(Buffer.concat([a, b])))
    }),
    { numRuns: 1000 },
  )
})
