import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { digestStored } from '../../agent/archive/stored-digest.io'
import { formatCrc32 } from '../../agent/lib/crc32'

const BODY = Buffer.from('what was written, and is read in pieces')
const RIGHT = {
  ...{ key: 'data/x', sizeBytes: BODY.length },
  ...{ crc32: formatCrc32(crc32(BODY)), sha256: createHash('sha256').update(BODY).digest('hex') },
}

function differenceOf(manifest: Parameters<typeof digestStored>[0], pieceBytes: number, body = BODY) {
  const digest = digestStored(manifest)
  for (let at = 0; at < body.length; at += pieceBytes) digest.update(body.subarray(at, at + pieceBytes))
  return digest.difference()
}

test.each([1, 7, 1000])('what is as it was written has no difference, in pieces of %d bytes', (pieceBytes) => {
  expect(differenceOf(RIGHT, pieceBytes)).toBeUndefined()
})

test('an object of whose SHA-256 the manifest says nothing is judged by its CRC32', () => {
  const { key, sizeBytes, crc32: checksum } = RIGHT
  const bare = { key, sizeBytes, crc32: checksum }
  expect(differenceOf(bare, 7)).toBeUndefined()
  expect(differenceOf({ ...bare, crc32: '00c0ffee' }, 7)).toBe(`CRC32 ${RIGHT.crc32}, the manifest says 00c0ffee`)
})

test('a CRC32 with zeros in front is written as the manifest has it', () => {
  expect(differenceOf({ ...RIGHT, crc32: '00c0ffee' }, 7, Buffer.alloc(0))).toBe(
    'CRC32 00000000, the manifest says 00c0ffee',
  )
})

test('what somebody changed so that its CRC32 is the same is told by its SHA-256', () => {
  const sha256 = 'a'.repeat(64)
  expect(differenceOf({ ...RIGHT, sha256 }, 7)).toBe(`SHA-256 ${RIGHT.sha256}, the manifest says ${sha256}`)
})

test('pieces in another order are another object', () => {
  const digest = digestStored(RIGHT)
  digest.update(BODY.subarray(7))
  digest.update(BODY.subarray(0, 7))
  expect(digest.difference()).toMatch(/^CRC32 /)
})
