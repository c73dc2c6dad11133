import { catalogReader } from '../../agent/plan/catalog-reader'

const header = { catalog: 1, run: 'r', host: 'h', volume: 'vg0-srv', mountPoint: '/srv', frameBytes: 2097152 }
const entry = { path: '.', type: 'directory', size: 0, mode: 493, uid: 0, gid: 0, mtime: '0', offset: 0, bytes: 512 }
const second = { ...entry, path: 'a', offset: 512 }
const frames = { segment: 0, firstFrame: 0, storedBytes: [700] }
const end = { end: true, entries: 2, frames: 1, rawBytes: 10240, sha256: 'a'.repeat(64) }

function read(lines: readonly object[]): number {
  const reader = catalogReader('catalogs/x.jsonl.zst')
  for (const line of lines) reader.take(JSON.stringify(line))
  reader.finish()
  return lines.length
}

test('a whole catalog is read', () => {
  expect(read([header, entry, second, frames, end])).toBe(5)
})

test.each([
  ['it has no end', [header, entry, second, frames], 'line 4 is the last one, and is not an end'],
  ['it is empty', [], 'cut short'],
  [
    'the header is missing',
    [entry, second, frames, end],
    'line 1 is a header in the wrong place, or none in its place',
  ],
  ['a second one follows', [header, entry, header], 'line 3 is a header in the wrong place'],
  ['an entry is missing', [header, second, frames, end], 'line 2 has an entry at 512, the one before it ends at 0'],
  [
    'an entry is repeated',
    [header, entry, entry, frames, end],
    'line 3 has an entry at 0, the one before it ends at 512',
  ],
  ['the last entry is missing', [header, entry, frames, end], 'line 4 counts 2 entries, there are 1'],
  ['frames are missing', [header, entry, second, end], 'line 4 counts 1 frames, there are 0'],
  ['an entry follows the frames', [header, entry, frames, second, end], 'line 4 is an entry after the frames'],
  ['something follows the end', [header, entry, second, frames, end, end], 'line 6 comes after the end'],
])('a catalog is refused where %s', (_, lines, message) => {
  expect(() => read(lines)).toThrow(message)
})
