import type { Archive } from '../../agent/archive/archive'
import {
  joinFrameTable,
  placeFrames,
  planReads,
  planWholeReads,
  READ_BYTES,
  splitFrameTable,
} from '../../agent/archive/frame-reads'

const MIB = 1024 * 1024

/** Five frames of 2 MiB, the last one half full: three in the first segment, two in the second, 1 MiB stored each. */
const archive: Archive = {
  compression: 'zstd',
  frameBytes: 2 * MIB,
  segments: [
    { key: 'a.tar.zst', sizeBytes: 3 * MIB + 33, crc32: '00000000', rawOffset: 0, rawBytes: 6 * MIB },
    { key: 'a.tar.zst.001', sizeBytes: 2 * MIB + 25, crc32: '00000000', rawOffset: 6 * MIB, rawBytes: 3 * MIB },
  ],
  catalog: { key: 'a.jsonl.zst', sizeBytes: 1, crc32: '00000000' },
  rawBytes: 9 * MIB,
  storedBytes: 5 * MIB + 58,
  sha256: '',
  entries: 1,
  frames: 5,
}
const lines = [
  { segment: 0, firstFrame: 0, storedBytes: [MIB, MIB, MIB] },
  { segment: 1, firstFrame: 3, storedBytes: [MIB, MIB] },
]
const table = joinFrameTable(archive, lines)

test('a table is split into the lines that it was joined from, none of them very long', () => {
  expect([...splitFrameTable(archive, table)]).toEqual(lines)
  const long: Archive = {
    ...archive,
    segments: [{ ...archive.segments[0]!, sizeBytes: 2500, rawBytes: 2500 * 2 * MIB }],
    frames: 2500,
    rawBytes: 2500 * 2 * MIB,
  }
  const longLines = [...splitFrameTable(long, placeFrames(long, Array<number>(2500).fill(1)))]
  expect(longLines.map(({ firstFrame, storedBytes }) => [firstFrame, storedBytes.length])).toEqual([
    [0, 1024],
    [1024, 1024],
    [2048, 452],
  ])
})

test('1 MiB out of an archive of 2 GiB costs one request and two frames at most, wherever it lies', () => {
  const frames = 1024
  const big: Archive = {
    ...archive,
    segments: [{ ...archive.segments[0]!, sizeBytes: frames * 2 * MIB, rawBytes: frames * 2 * MIB }],
    frames,
    rawBytes: frames * 2 * MIB,
  }
  const places = placeFrames(big, Array<number>(frames).fill(2 * MIB)) // that do not compress
  for (const offset of [0, MIB, 1.5 * MIB, 777 * MIB + 512, 2047 * MIB]) {
    const reads = [...planReads(big, places, [{ offset, bytes: MIB }])]
    expect(reads).toHaveLength(1)
    expect(reads[0]!.bytes).toBeLessThanOrEqual(4 * MIB)
  }
})

function planned(...ranges: [offset: number, bytes: number][]): string[] {
  const reads = planReads(
    archive,
    table,
    ranges.map(([offset, bytes]) => ({ offset, bytes })),
  )
  return Array.from(reads, ({ segment, offset, bytes, frames }) => {
    return `${segment}: ${offset / MIB}+${bytes / MIB} = ${frames.map((frame) => frame.index).join(' ')}`
  })
}

test.each([
  ['one byte', [[0, 1]], ['0: 0+1 = 0']],
  ['one byte at a boundary', [[2 * MIB, 1]], ['0: 1+1 = 1']],
  ['two bytes across a boundary', [[2 * MIB - 1, 2]], ['0: 0+2 = 0 1']],
  ['across segments', [[5 * MIB, 2 * MIB]], ['0: 2+1 = 2', '1: 0+1 = 3']],
  ['everything', [[0, 9 * MIB]], ['0: 0+3 = 0 1 2', '1: 0+2 = 3 4']],
  [
    'two files in one frame, which is fetched once',
    [
      [0, 512],
      [1024, 512],
    ],
    ['0: 0+1 = 0'],
  ],
  [
    'two files far apart',
    [
      [0, 512],
      [8 * MIB, 512],
    ],
    ['0: 0+1 = 0', '1: 1+1 = 4'],
  ],
  ['nothing', [], []],
] as [string, [number, number][], string[]][])('reads %s', (_, ranges, reads) => {
  expect(planned(...ranges)).toEqual(reads)
})

test('the last frame holds what is left of the tar stream', () => {
  const [read] = planReads(archive, table, [{ offset: 8 * MIB, bytes: 1 }])
  expect(read?.frames).toEqual([{ index: 4, rawOffset: 8 * MIB, rawBytes: MIB, storedOffset: MIB, storedBytes: MIB }])
})

test('a read brings no more than READ_BYTES', () => {
  const long: Archive = {
    ...archive,
    segments: [{ ...archive.segments[0]!, sizeBytes: 100 * MIB, rawBytes: 20 * MIB }],
    frames: 10,
    rawBytes: 20 * MIB,
  }
  const longTable = joinFrameTable(long, [
    { segment: 0, firstFrame: 0, storedBytes: Array<number>(10).fill(1.5 * MIB) },
  ])
  const reads = [...planReads(long, longTable, [{ offset: 0, bytes: 20 * MIB }])]
  expect(reads).toHaveLength(5)
  expect(Math.max(...reads.map((read) => read.bytes))).toBeLessThanOrEqual(READ_BYTES)
})

test('whole reads bring every stored byte, seek tables included', () => {
  const covered = [...planWholeReads(archive, table)].map(({ segment, offset, bytes }) => [segment, offset, bytes])
  expect(covered).toEqual([
    [0, 0, 3 * MIB],
    [0, 3 * MIB, 33],
    [1, 0, 2 * MIB],
    [1, 2 * MIB, 25],
  ])
})

test.each([
  ['a line is missing', [lines[0]!], 'it lists 3 frames, the archive has 5'],
  ['a line is repeated', [lines[0]!, lines[0]!], 'frame 3 is followed by frame 0'],
  [
    'frames do not fit into their segment',
    [lines[0]!, { segment: 1, firstFrame: 3, storedBytes: [MIB, 2 * MIB] }],
    `the frames of a.tar.zst.001 take ${3 * MIB} bytes, the object has ${2 * MIB + 25}`,
  ],
])('a frame table is refused where %s', (_, wrong, message) => {
  expect(() => joinFrameTable(archive, wrong)).toThrow(message)
})

test('an uncompressed archive needs a checksum for every frame', () => {
  expect(() => joinFrameTable({ ...archive, compression: 'none' }, lines)).toThrow('it has checksums for 0 of 5 frames')
})
