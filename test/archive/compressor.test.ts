import { randomBytes } from 'node:crypto'
import { zstdDecompressSync } from 'node:zlib'
import { createCompressor } from '../../agent/archive/compressor.io'

const FRAME_BYTES = 2 * 1024 ** 2
const noise = Buffer.from(Array.from({ length: FRAME_BYTES }, (_, index) => Math.imul(index, 2654435761) >>> 24))

test('one compressor makes frame after frame, each whole and independent', async () => {
  const compress = createCompressor(3, FRAME_BYTES)
  const inputs = [1, 1000, FRAME_BYTES, 65_536, 5].map((bytes) => noise.subarray(0, bytes))
  const frames: Buffer[] = []
  for (const raw of [...inputs, Buffer.alloc(FRAME_BYTES), ...inputs]) {
    const frame = Buffer.concat(await compress(raw))
    expect(zstdDecompressSync(frame).equals(raw)).toBe(true)
    expect(frame[4]! & 0x04).toBe(0x04) // it carries a checksum of its content
    frames.push(frame)
  }
  expect(frames[6]).toEqual(frames[0]) // what came before makes no difference
})

test('frames come whole wherever they are cut into pieces', async () => {
  const compress = createCompressor(3, FRAME_BYTES)
  const random = randomBytes(FRAME_BYTES)
  // 12 MiB of output in chunks of 2 MiB: some end within a frame's last bytes.
  const raws = Array.from({ length: 300 }, (_, index) => random.subarray(index, index + 40_000 + 7 * index))
  for (const raw of raws) expect(zstdDecompressSync(Buffer.concat(await compress(raw))).equals(raw)).toBe(true)
})

test('compressors side by side do not disturb each other', async () => {
  const results = await Promise.all(
    Array.from({ length: 6 }, async (_, offset) => {
      const compress = createCompressor(3, FRAME_BYTES)
      const raws = [0, 1, 2].map((index) => noise.subarray(offset * 1000 + index, FRAME_BYTES - offset * index))
      const frames: Buffer[] = []
      for (const raw of raws) frames.push(Buffer.concat(await compress(raw)))
      return frames.every((frame, index) => zstdDecompressSync(frame).equals(raws[index]!))
    }),
  )
  expect(results).toEqual(Array(6).fill(true))
})
