import type { Archive } from '../../agent/archive/archive'
import { catalogReader } from '../../agent/archive/catalog-lines'

const header = { catalog: 1, run: 'r', host: 'h', volume: 'vg0-srv', mountPoint: '/srv', frameBytes: 2097152 }
const entry = { path: '.', type: 'directory', size: 0, mode: 493, uid: 0, gid: 0, mtime: '0', offset: 0, bytes: 512 }
const second = { ...entry, path: 'a', offset: 512 }
const frames = { segment: 0, firstFrame: 0, storedBytes: [700] }
const end = { end: true, entries: 2, frames: 1, rawBytes: 10240, sha256: 'a'.repeat(64) }

function read(lines: readonly object[], archive?: Archive): number {
  const reader = catalogReader('catalogs/daily/h/r/vg0-srv.jsonl.zst', archive)
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

test.each([
  ['another host', { ...header, host: 'other' }, 'line 1 is of volume vg0-srv in run r of other'],
  ['another run', { ...header, run: 'other' }, 'line 1 is of volume vg0-srv in run other of h'],
  ['another volume', { ...header, volume: 'vg0-root' }, 'line 1 is of volume vg0-root in run r of h'],
])('the catalog of %s is refused, wherever it lies', (_, other, message) => {
  expect(() => read([other, entry, second, frames, end])).toThrow(message)
})

describe('beside its manifest', () => {
  const archive = { ...end, frameBytes: header.frameBytes } as unknown as Archive

  test('a catalog that says the same is read', () => {
    expect(read([header, entry, second, frames, end], archive)).toBe(5)
  })

  test.each([
    ['frames of another size', { frameBytes: 4_000_000_000 }, 'line 1 has frames of 2097152 bytes'],
    ['fewer entries', { entries: 1 }, 'line 3 is an entry more than the 1 of the manifest'],
    ['more entries', { entries: 3 }, 'line 5 has entries 2, the manifest 3'],
    ['fewer frames', { frames: 0 }, 'line 4 has a frame more than the 0 of the manifest'],
    ['more bytes', { rawBytes: 20480 }, 'line 5 has rawBytes 10240, the manifest 20480'],
    ['another checksum, as in format 1', { sha256: 'b'.repeat(64) }, 'line 5 has sha256'],
  ])('a catalog is refused where the manifest says %s', (_, other, message) => {
    expect(() => read([header, entry, second, frames, end], { ...archive, ...other })).toThrow(message)
  })
})
