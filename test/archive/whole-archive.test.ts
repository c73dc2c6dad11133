import type { Archive } from '../../agent/archive/archive'
import { placeFrames, planReads } from '../../agent/archive/frame-reads'
import { ownOffset, wholeArchive } from '../../agent/archive/whole-archive'

const archiveOf = (key: string, rawBytes: number): Archive => {
  const frames = Math.ceil(rawBytes / 10)
  const object = { sizeBytes: 5 * frames + 9, crc32: '00000000', sha256: '0'.repeat(64) }
  return {
    ...{ compression: 'zstd', frameBytes: 10, rawBytes, storedBytes: object.sizeBytes, entries: 1, frames },
    segments: [{ ...object, key, rawOffset: 0, rawBytes }],
    catalog: { ...object, key: `${key}.jsonl` },
  }
}

test('without a base, all of a volume is its archive', () => {
  const archive = archiveOf('own', 25)
  expect(wholeArchive({ archive })).toBe(archive)
  expect(ownOffset({ archive })).toBe(0)
})

test('reads of a differential archive with its base reach both, each frame at its own length', () => {
  const volume = { archive: archiveOf('own', 15), base: { archive: archiveOf('base', 25) } }
  const whole = wholeArchive(volume)
  const table = placeFrames(whole, [5, 5, 5, 5, 5])
  expect(ownOffset(volume)).toBe(30)
  expect([
    ...planReads(whole, table, [
      { offset: 22, bytes: 1 },
      { offset: 41, bytes: 4 },
    ]),
  ]).toMatchObject([
    { segment: 0, offset: 10, bytes: 5, frames: [{ index: 2, rawOffset: 20, rawBytes: 5 }] },
    { segment: 1, offset: 5, bytes: 5, frames: [{ index: 4, rawOffset: 40, rawBytes: 5 }] },
  ])
})
