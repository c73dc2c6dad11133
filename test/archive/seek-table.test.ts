import { execFileSync } from 'node:child_process'
import { zstdCompressSync } from 'node:zlib'
import { formatSeekTable, parseSeekTable, seekTableBytes } from '../../agent/archive/seek-table'

test('two frames, written out byte by byte as the seekable format says', () => {
  expect(
    formatSeekTable([1000, 77], 3000, 2048)
      .toString('hex')
      .replace(/(.{8})/g, '$1 '),
  ).toBe(
    [
      '5e2a4d18 19000000', // a skippable frame of 25 bytes
      'e8030000 00080000', // 1000 compressed bytes hold 2048
      '4d000000 b8030000', // 77 hold the last 952
      '02000000 00b1ea92 8f', // two frames, no checksums, the format's mark
    ].join(' '),
  )
})

test('its size is known before its content', () => {
  for (const frames of [0, 1, 32_768]) {
    expect(formatSeekTable(Array<number>(frames).fill(5), frames * 2048, 2048).length).toBe(seekTableBytes(frames))
  }
})

test('zstd skips it', () => {
  const frames = ['hello ', 'world'].map((text) => zstdCompressSync(text))
  const table = formatSeekTable(frames.map(({ length }) => length), 11, 6) // prettier-ignore
  const input = Buffer.concat([...frames, table])
  expect(execFileSync('zstd', ['--decompress', '--stdout'], { input }).toString()).toBe('hello world')
})

describe('read back', () => {
  const segment = { key: 'a.tar.zst', sizeBytes: 1000 + 77 + seekTableBytes(2), rawBytes: 3000 }
  const table = () => formatSeekTable([1000, 77], 3000, 2048)

  test('it says how large each frame is', () => {
    expect(parseSeekTable(table(), segment, 2048)).toEqual([1000, 77])
  })

  test('a flip of any of its bits is found', () => {
    for (let bit = 0; bit < table().length * 8; bit++) {
      const damaged = table()
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => parseSeekTable(damaged, segment, 2048)).toThrow(/does not match its segment$/)
    }
  })

  test.each([
    ['cut short', table().subarray(1), segment],
    ['of a larger segment', table(), { ...segment, sizeBytes: 2000 }],
    ['of a segment with more frames', table(), { ...segment, rawBytes: 5000 }],
    ['of another last frame', table(), { ...segment, rawBytes: 3001 }],
  ])('one that is %s is refused', (_, bytes, expected) => {
    expect(() => parseSeekTable(bytes, expected, 2048)).toThrow(/the seek table at the end of a\.tar\.zst/)
  })
})
