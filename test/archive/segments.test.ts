/** Frames on their way into objects, which are kept as what was written into them. */
import fc from 'fast-check'
import { crc32 } from 'node:zlib'
import { FRAME_BYTES, SEGMENT_FRAMES_MAX } from '../../agent/archive/archive'
import { FRAMES_PER_LINE, type CatalogFrames } from '../../agent/archive/catalog'
import { parseSeekTable, seekTableBytes } from '../../agent/archive/seek-table'
import { writeSegments, type SegmentsOptions } from '../../agent/archive/segments'
import type { ObjectWriter } from '../../agent/bucket/upload.io'

interface WrittenObject {
  readonly segment: number
  readonly pieces: Buffer[]
  isFinished: boolean
}

/** @param keepsBytes - where false, only their number is */
function setting(options: Pick<SegmentsOptions, 'compressed' | 'segmentBytes'>, keepsBytes = true) {
  const objects: WrittenObject[] = []
  const lines: CatalogFrames[] = []
  const open = (segment: number): ObjectWriter => {
    const object: WrittenObject = { segment, pieces: [], isFinished: false }
    objects.push(object)
    let sizeBytes = 0
    const room = Buffer.alloc(4 * FRAME_BYTES)
    const add = (data: Uint8Array) => {
      sizeBytes += data.length
      if (keepsBytes) object.pieces.push(Buffer.from(data))
    }
    return {
      key: `data/x.${segment}`,
      sizeBytes: () => sizeBytes,
      reserve: async () => room,
      commit: (bytes) => add(room.subarray(0, bytes)),
      append: async (data) => add(data),
      finish: async () => void (object.isFinished = true),
      complete: () => Promise.reject(new Error('not before all are finished')),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }
  const writer = writeSegments({ ...options, open, onFrames: (frames) => lines.push(frames) })
  const bodyOf = (segment: number) => Buffer.concat(objects[segment]!.pieces)
  return { writer, objects, lines, bodyOf }
}

const frameOf = (bytes: number, fill: number) => [Buffer.alloc(bytes, fill)]

test('a frame that does not fit with its line in the seek table begins the next object', async () => {
  const segmentBytes = 200 + seekTableBytes(2)
  const { writer, objects, bodyOf } = setting({ compressed: true, segmentBytes })
  await writer.append(frameOf(100, 1), FRAME_BYTES)
  await writer.append(frameOf(100, 2), FRAME_BYTES)
  await writer.append(frameOf(1, 3), 7)
  const { segments, frames } = await writer.finish()
  expect(objects.map(({ segment, isFinished }) => [segment, isFinished])).toEqual([[0, true], [1, true]]) // prettier-ignore
  expect(bodyOf(0).length).toBe(segmentBytes)
  expect(segments.map(({ object, rawOffset, rawBytes }) => [object.key, rawOffset, rawBytes])).toEqual([
    ['data/x.0', 0, 2 * FRAME_BYTES],
    ['data/x.1', 2 * FRAME_BYTES, 7],
  ])
  expect(frames).toBe(3)
})

test('a frame that is larger than an object may be is stored all the same, alone', async () => {
  const { writer, bodyOf } = setting({ compressed: true, segmentBytes: 10 })
  await writer.append(frameOf(50, 1), 30)
  await writer.append(frameOf(50, 2), 30)
  const { segments } = await writer.finish()
  expect(segments.map(({ rawBytes }) => rawBytes)).toEqual([30, 30])
  expect(bodyOf(1)[0]).toBe(2)
})

test('frames that are stored as they are have checksums, and no seek table behind them', async () => {
  const { writer, lines, bodyOf } = setting({ compressed: false, segmentBytes: 2 * FRAME_BYTES })
  const sizes = [FRAME_BYTES, FRAME_BYTES, 1000]
  const checksums: number[] = []
  for (const [index, bytes] of sizes.entries()) {
    const room = await writer.reserve()
    expect(room.length).toBe(FRAME_BYTES) // though the part has more
    room.fill(index + 1)
    checksums.push(crc32(room.subarray(0, bytes)))
    writer.commit(bytes, checksums[index]!, Promise.resolve())
  }
  await writer.finish()
  expect([bodyOf(0).length, bodyOf(1).length]).toEqual([2 * FRAME_BYTES, 1000])
  expect(lines).toEqual([
    { segment: 0, firstFrame: 0, storedBytes: sizes.slice(0, 2), crc32: checksums.slice(0, 2) },
    { segment: 1, firstFrame: 2, storedBytes: [1000], crc32: [checksums[2]] },
  ])
})

test('of an archive of nothing, no object is written', async () => {
  const { writer, objects, lines } = setting({ compressed: true, segmentBytes: 1000 })
  expect(await writer.finish()).toEqual({ segments: [], frames: 0 })
  expect([objects[0]?.isFinished, lines]).toEqual([false, []])
})

test('the catalog is told of many frames in several lines, each as soon as it is full', async () => {
  const { writer, lines } = setting({ compressed: true, segmentBytes: 1e9 }, false)
  for (let frame = 0; frame < FRAMES_PER_LINE; frame++) await writer.append(frameOf(10, 1), FRAME_BYTES)
  expect(lines.map(({ firstFrame, storedBytes }) => [firstFrame, storedBytes.length])).toEqual([[0, FRAMES_PER_LINE]])
  await writer.append(frameOf(10, 1), 5)
  await writer.finish()
  expect(lines.map(({ firstFrame, storedBytes }) => [firstFrame, storedBytes.length])).toEqual([
    [0, FRAMES_PER_LINE],
    [FRAMES_PER_LINE, 1],
  ])
})

test('each of these lines has the checksums of its own frames', async () => {
  const { writer, lines } = setting({ compressed: false, segmentBytes: 1e12 }, false)
  for (let frame = 0; frame <= FRAMES_PER_LINE; frame++) {
    await writer.reserve()
    writer.commit(100, frame, Promise.resolve())
  }
  await writer.finish()
  expect(lines.map(({ crc32: checksums }) => checksums?.at(-1))).toEqual([FRAMES_PER_LINE - 1, FRAMES_PER_LINE])
  expect(lines.map(({ crc32: checksums }) => checksums?.length)).toEqual([FRAMES_PER_LINE, 1])
})

test('a disk of zeros, whose frames take nothing, does not make a seek table without end', async () => {
  const { writer, objects } = setting({ compressed: true, segmentBytes: 64 * 1024 ** 3 }, false)
  const frame = [Buffer.alloc(1)]
  for (let count = 0; count <= SEGMENT_FRAMES_MAX; count++) await writer.append(frame, FRAME_BYTES)
  const { segments } = await writer.finish()
  expect(objects.length).toBe(2)
  expect(segments.map(({ rawBytes }) => rawBytes / FRAME_BYTES)).toEqual([SEGMENT_FRAMES_MAX, 1])
})

test('whatever sizes frames have, objects are cut between them, and catalog and seek tables lead to each', async () => {
  const size = fc.integer({ min: 1, max: 300 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(size, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 2000 }),
      fc.integer({ min: 1, max: FRAME_BYTES }),
      async (sizes, segmentBytes, lastBytes) => {
        const { writer, objects, lines, bodyOf } = setting({ compressed: true, segmentBytes })
        const rawSizes = sizes.map((_, index) => (index === sizes.length - 1 ? lastBytes : FRAME_BYTES))
        for (const [index, bytes] of sizes.entries()) await writer.append(frameOf(bytes, index + 1), rawSizes[index]!)
        const { segments, frames } = await writer.finish()
        expect(frames).toBe(sizes.length)
        let frame = 0
        for (const [segment, { rawOffset, rawBytes, object }] of segments.entries()) {
          expect(rawOffset).toBe(frame * FRAME_BYTES)
          const body = bodyOf(segment)
          const line = lines[segment]!
          expect([line.segment, line.firstFrame]).toEqual([segment, frame])
          const tableAt = line.storedBytes.reduce((sum, bytes) => sum + bytes, 0)
          const place = { key: object.key, sizeBytes: body.length, rawBytes }
          expect(parseSeekTable(body.subarray(tableAt), place, FRAME_BYTES)).toEqual(line.storedBytes)
          expect(body.length <= segmentBytes || line.storedBytes.length === 1).toBe(true)
          let at = 0
          for (const bytes of line.storedBytes) {
            expect(body.subarray(at, at + bytes).equals(Buffer.alloc(sizes[frame]!, frame + 1))).toBe(true)
            at += bytes
            frame++
          }
        }
        expect([frame, lines.length, objects.length]).toEqual([sizes.length, segments.length, segments.length])
      },
    ),
    { numRuns: 200 },
  )
})
