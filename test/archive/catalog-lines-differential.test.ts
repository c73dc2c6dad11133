/** The catalog of a differential archive: the archive's own entries, those of the base, and what is gone. */
import { catalogReader } from '../../agent/archive/catalog-lines'

const KEY = 'catalogs/daily/host/20260131T040506Z-abz277/vg0-home.jsonl.zst'
const HEADER = {
  ...{ catalog: 3, run: '20260131T040506Z-abz277', host: 'host', volume: 'vg0-home', mountPoint: '/home' },
  ...{ frameBytes: 2_097_152, base: '20260125T040506Z-base77' },
}
const entry = (path: string, offset: number, more: object = {}) => ({
  ...{ path, type: 'file', size: 1, mode: 420, uid: 0, gid: 0, mtime: '1', offset, bytes: 1024 },
  ...more,
})
const ROOT = { ...entry('.', 0), type: 'directory', size: 0 }
const KEPT = entry('kept', 4096, { base: true })
const GONE = { removed: 'gone' }
const FRAMES = { segment: 0, firstFrame: 0, storedBytes: [100] }
const END = { end: true, entries: 2, frames: 1, rawBytes: 4096, baseEntries: 1, removed: 1 }
const GOOD = [HEADER, ROOT, entry('new', 1024), KEPT, GONE, FRAMES, END]

function read(lines: readonly object[]): void {
  const reader = catalogReader(KEY)
  for (const line of lines) reader.take(JSON.stringify(line))
  reader.finish()
}

test('all of it is read', () => expect(() => read(GOOD)).not.toThrow())

test.each<[string, readonly object[], string]>([
  [
    'is of the base, and the catalog of a full archive',
    [{ ...HEADER, catalog: 2, base: undefined }, ROOT, KEPT],
    'in a full archive',
  ],
  ['names no base', [{ ...HEADER, base: undefined }], 'names a base, or none, against its format'],
  ['names a base in a full archive', [{ ...HEADER, catalog: 2 }], 'names a base, or none, against its format'],
  [
    'comes after the entries of the base',
    [HEADER, ROOT, KEPT, entry('new', 1024)],
    'is an entry after those of the base',
  ],
  ['is of the base, after what is removed', [HEADER, ROOT, GONE, KEPT], 'after what is removed'],
  ['goes back in the base', [HEADER, ROOT, KEPT, entry('other', 4096, { base: true })], 'before the end of another'],
  ['is a directory of the base', [HEADER, { ...ROOT, base: true }], 'is no entry that can be in the base alone'],
  [
    'counts the base wrong',
    [...GOOD.slice(0, -1), { ...END, baseEntries: 2 }],
    'counts 2 entries of the base, there are 1',
  ],
  [
    'counts nothing removed',
    [...GOOD.slice(0, -1), { ...END, removed: undefined }],
    'counts no names removed, there are 1',
  ],
])('a line is refused that %s', (_, lines, message) => expect(() => read(lines)).toThrow(message))
