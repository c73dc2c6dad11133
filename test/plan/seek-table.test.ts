import { execFileSync } from 'node:child_process'
import { zstdCompressSync } from 'node:zlib'
import { formatSeekTable, seekTableBytes } from '../../agent/plan/seek-table'

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
