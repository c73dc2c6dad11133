import fc from 'fast-check'
import { randomBytes } from 'node:crypto'
import { constants, zstdCompressSync } from 'node:zlib'
import { frameEndFinder, isWholeFrame } from '../../agent/archive/zstd-frame'

const withChecksum = { params: { [constants.ZSTD_c_checksumFlag]: 1 } }
const frames: [string, Buffer][] = [
  ['of nothing', zstdCompressSync(Buffer.alloc(0))],
  ['of one byte', zstdCompressSync(Buffer.from('x'), withChecksum)],
  ['of one repeated byte', zstdCompressSync(Buffer.alloc(3_000_000), withChecksum)],
  ['that does not compress', zstdCompressSync(randomBytes(300_000), withChecksum)],
  ['without a checksum', zstdCompressSync(Buffer.from('to be or not to be '.repeat(20_000)))],
]

test.each(frames)('a frame %s is whole', (_, frame) => expect(isWholeFrame([frame])).toBe(true))

test.each(frames)('a frame %s is not whole, wherever it is cut', (_, frame) => {
  const step = Math.max(1, Math.floor(frame.length / 500))
  for (let end = 0; end < frame.length; end += step) expect(isWholeFrame([frame.subarray(0, end)])).toBe(false)
  expect(isWholeFrame([frame.subarray(0, -1)])).toBe(false)
})

test.each(frames)('a frame %s is whole in two pieces, wherever it is cut', (_, frame) => {
  const step = Math.max(1, Math.floor(frame.length / 500))
  for (let end = 0; end < frame.length; end += step) {
    expect(isWholeFrame([frame.subarray(0, end), frame.subarray(end)])).toBe(true)
  }
})

test.each(frames)('a frame %s with the beginning of the next one is not one frame', (_, frame) => {
  expect(isWholeFrame([frame, frame.subarray(0, 1)])).toBe(false)
})

describe('in a row of frames', () => {
  const row = Buffer.concat(frames.map(([, frame]) => frame))
  const ends = frames.map((_, index) => frames.slice(0, index + 1).reduce((sum, [, { length }]) => sum + length, 0))

  test.each([1, 7, 1000, 65536, row.length])('the ends are found, in pieces of %d bytes', (bytes) => {
    const findEnds = frameEndFinder()
    const found: number[] = []
    for (let at = 0; at < row.length; at += bytes) {
      found.push(...findEnds(row.subarray(at, at + bytes)).map((end) => at + end))
    }
    expect(found).toEqual(ends)
  })

  test('none is found behind what is no frame', () => {
    const [, first] = frames[3]!
    expect(frameEndFinder()(Buffer.concat([first, Buffer.from('no frame'), row]))).toEqual([first.length])
  })
})

test('something else is no frame', () => {
  expect(isWholeFrame([Buffer.from('a tar archive, perhaps')])).toBe(false)
  expect(isWholeFrame([])).toBe(false)
})

test('the ends of frames are found in pieces of any size', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 50 }),
      (parts, piece) => {
        const frames = parts.map((part) => zstdCompressSync(part))
        const all = Buffer.concat(frames)
        const find = frameEndFinder()
        const ends: number[] = []
        for (let at = 0; at < all.length; at += piece) {
          ends.push(...[...find(all.subarray(at, at + piece))].map((end) => at + end))
        }
        let sum = 0
        expect(ends).toEqual(frames.map(({ length }) => (sum += length)))
      },
    ),
    { numRuns: 1000 },
  )
})
