import { formatCatalogEntry, formatCatalogLine } from '../../agent/archive/catalog'
import { searchCatalog } from '../../agent/find/search'
import { parseGlob } from '../../agent/lib/glob'
import type { CatalogEntry } from '../../agent/tar/entry'

const NAMES = [
  '.',
  'etc',
  'etc/hosts',
  'etc/a "quoted" name',
  'etc/back\\slash',
  'etc/new\nline',
  'etc/größe',
  'hosts',
  'to-hosts',
]
const entries = NAMES.map((path, index): CatalogEntry => {
  const type = path === '.' ? 'directory' : path === 'to-hosts' ? 'symlink' : 'file'
  return {
    path,
    type,
    ...(type === 'symlink' && { link: 'etc/hosts' }),
    size: 0,
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: '0',
    offset: index * 512,
    bytes: 512,
  }
})
const text = Buffer.from(
  [
    formatCatalogLine({ catalog: 1, run: 'r', host: 'hosts', volume: 'v', mountPoint: '/srv', frameBytes: 2097152 }),
    ...entries.map(formatCatalogEntry),
    formatCatalogLine({ segment: 0, firstFrame: 0, storedBytes: [1] }),
    formatCatalogLine({ end: true, entries: entries.length, frames: 1, rawBytes: 10240, sha256: 'a'.repeat(64) }),
  ].join(''),
)

const KEY = 'catalogs/daily/hosts/r/v.jsonl.zst'

function searchFor(pattern: string, mountPoint = '/srv', pieceBytes = text.length): string[] {
  const search = searchCatalog(mountPoint, parseGlob(pattern), KEY)
  const found: string[] = []
  for (let at = 0; at < text.length; at += pieceBytes) {
    for (const { path, entry } of search.push(text.subarray(at, at + pieceBytes))) {
      expect(entries).toContainEqual(entry())
      found.push(path)
    }
  }
  return found
}

test.each([
  ['hosts', ['/srv/etc/hosts', '/srv/hosts']],
  ['/srv/hosts', ['/srv/hosts']],
  ['/srv', ['/srv']],
  ['srv', ['/srv']],
  ['*"quoted"*', ['/srv/etc/a "quoted" name']],
  ['*slash', ['/srv/etc/back\\slash']],
  ['new\nline', ['/srv/etc/new\nline']],
  ['größe', ['/srv/etc/größe']],
  ['/srv**hosts', ['/srv/etc/hosts', '/srv/hosts', '/srv/to-hosts']],
  ['/srv**', NAMES.map((name) => (name === '.' ? '/srv' : `/srv/${name}`))],
  ['*', NAMES.map((name) => (name === '.' ? '/srv' : `/srv/${name}`))],
  ['nothing', []],
])('%j finds %j, in whatever pieces the catalog comes', (pattern, expected) => {
  expect(searchFor(pattern)).toEqual(expected)
  expect(searchFor(pattern, '/srv', 7)).toEqual(expected)
  expect(searchFor(pattern, '/srv', 1)).toEqual(expected)
})

test('paths of the root volume have one slash', () => {
  expect(searchFor('hosts', '/')).toEqual(['/etc/hosts', '/hosts'])
  expect(searchFor('/', '/')).toEqual(['/'])
})

test('a catalog without a line end is refused before it fills the memory, in the time that it takes to read it', () => {
  const search = searchCatalog('/srv', parseGlob('hosts'), KEY)
  const piece = Buffer.alloc(64 * 1024, 'x')
  const pushAll = () => {
    for (let pushed = 0; pushed < 64; pushed++) search.push(piece)
  }
  expect(pushAll).toThrow('the catalog has a line of more than 1048576 bytes')
})

test("another volume's catalog is not searched for this one", () => {
  const search = searchCatalog('/srv', parseGlob('hosts'), 'catalogs/daily/hosts/r/w.jsonl.zst')
  expect(() => search.push(text)).toThrow(expect.objectContaining({ code: 'ARCHIVE_DAMAGED' }))
})
