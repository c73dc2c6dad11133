/** What holds of an object that is written in pieces of any size. */
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { openObject } from '../../agent/bucket/upload.io'
import { createPool } from '../../agent/lib/pool'
import { memoryStore } from '../support/memory-store'

jest.setTimeout(60_000)

const piece = fc.record({ bytes: fc.uint8Array({ minLength: 1, maxLength: 120 }), isPutInPlace: fc.boolean() })

test('an object is what was written into it, in order, and its checksum that of the whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 50 }),
      async (pieces, partBytes) => {
        const store = memoryStore()
        const signal = new AbortController().signal
        const fail = (error: unknown) => {
          throw error
        }
        const pool = createPool(3, () => Buffer.alloc(partBytes, 0xee), signal)
        await using object = openObject({ store, signal, fail, onUpload: async () => undefined }, pool, 'data/x')
        for (const { bytes, isPutInPlace } of pieces) {
          if (isPutInPlace) {
            for (let at = 0; at < bytes.length;) {
              const room = await object.reserve()
              const part = bytes.subarray(at, at + room.length)
              room.set(part)
              object.commit(part.length, crc32(part))
              at += part.length
            }
          } else await object.append(bytes)
        }
        await object.finish()
        const expected = Buffer.concat(pieces.map(({ bytes }) => bytes))
        expect(object.sizeBytes()).toBe(expected.length)
        expect(await object.complete()).toEqual({ crc32: crc32(expected), confirmed: true })
        expect(store.objects.get('data/x')?.body.equals(expected)).toBe(true)
      },
    ),
    { numRuns: 1000 },
  )
})
