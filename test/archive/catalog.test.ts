import { formatCatalogEntry, formatCatalogLine, parseCatalogLine } from '../../agent/archive/catalog'
import type { CatalogEntry } from '../../agent/tar/entry'

const FILE: CatalogEntry = {
  path: 'etc/hosts',
  type: 'file',
  size: 220,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: '1769824800.25',
  offset: 1536,
  bytes: 2048,
}

test.each<[string, CatalogEntry]>([
  ['a file', FILE],
  ['a sparse file with an ACL', { ...FILE, bytes: 6144, sparseBytes: 4096, xattrs: true }],
  ['a hard link', { ...FILE, type: 'hardlink', size: 0, link: 'etc/"hosts"' }],
  ['a link to what is not UTF-8', { ...FILE, type: 'symlink', size: 0, link: 'caf\ufffd', link64: 'Y2Fm6Q==' }],
  ['a device', { ...FILE, type: 'character', size: 0, device: [5, 1] }],
  ['a name with quote, backslash and newline', { ...FILE, path: 'a"b\\c\nd\u0001' }],
  ['a name beyond ASCII', { ...FILE, path: 'größe/日本/\u2028\ud83d\ude00' }],
  ['a name that is not UTF-8', { ...FILE, path: 'caf\ufffd', path64: 'Y2Fm6Q==' }],
])('%s is the line that JSON would make of it, and is read back', (_, entry) => {
  const line = formatCatalogEntry(entry)
  expect(line.split('\n')).toHaveLength(2)
  expect(JSON.parse(line)).toEqual(entry)
  expect(parseCatalogLine(line)).toEqual(entry)
})

test.each([
  { catalog: 1, run: 'r', host: 'db-1', volume: 'vg0-srv', mountPoint: '/srv', frameBytes: 2_097_152 } as const,
  { segment: 0, firstFrame: 0, storedBytes: [1, 2], crc32: [4294967295, 0] },
  { end: true, entries: 5, frames: 1, rawBytes: 10_240, sha256: 'ab'.repeat(32) } as const,
  { catalog: 2, run: 'r', host: 'db-1', volume: 'vg0-srv', mountPoint: '/srv', frameBytes: 2_097_152 } as const,
  { end: true, entries: 5, frames: 1, rawBytes: 10_240 } as const,
])('%j is read back', (line) => {
  expect(parseCatalogLine(formatCatalogLine(line))).toEqual(line)
})

test.each<[string, string]>([
  ['', 'its JSON'],
  ['{"path":', 'its JSON'],
  ['null', 'its JSON'],
  ['[]', 'its kind'],
  ['{"colour":"red"}', 'its kind'],
  [JSON.stringify({ ...FILE, type: 'door' }), "its 'type'"],
  [JSON.stringify({ ...FILE, size: -1 }), "its 'size'"],
  [JSON.stringify({ ...FILE, offset: '0' }), "its 'offset'"],
  [JSON.stringify({ ...FILE, mtime: 'today' }), "its 'mtime'"],
  [JSON.stringify({ ...FILE, bytes: undefined }), "its 'bytes'"],
  [JSON.stringify({ ...FILE, device: [1] }), "its 'device'"],
  ['{"segment":0,"firstFrame":0,"storedBytes":[1,null]}', "its 'storedBytes'"],
  ['{"end":false,"entries":0,"frames":0,"rawBytes":0,"sha256":""}', "its 'end'"],
  ['{"path":"a",' + JSON.stringify(FILE).slice(1), 'its JSON'],
  [JSON.stringify(FILE).replace('220', '220.0'), 'its JSON'],
  [JSON.stringify(FILE).replace('220', '2.2e2'), 'its JSON'],
  [JSON.stringify(FILE).replace(':220', ':9007199254740993'), "its 'size'"],
  [` ${JSON.stringify(FILE)}`, 'its JSON'],
  [JSON.stringify(FILE).replace('etc', '\\u0065tc'), 'its JSON'],
  [JSON.stringify({ ...FILE, mtime: '1'.repeat(100) }), "its 'mtime'"],
  [JSON.stringify({ ...FILE, mode: 0o100644 }), "its 'mode'"],
])('%.200s is refused', (text, what) => {
  expect(() => parseCatalogLine(text)).toThrow(what)
})

test('a catalog of a later format is left to a later agent', () => {
  expect(() => parseCatalogLine('{"catalog":4,"records":[]}')).toThrow(
    'the catalog has format 4, this agent reads up to 3',
  )
})

test('a field of a later version is let through', () => {
  const later = { ...FILE, birthTime: '1' }
  expect(parseCatalogLine(JSON.stringify(later))).toEqual(later)
})
