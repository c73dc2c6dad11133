/** What a verification says: each field that can differ, and what an operator reads of it. */
import type { TarEntry } from '../../agent/tar/node-tar'
import type { CatalogEntry } from '../../agent/tar/entry'
import {
  collectFindings,
  compareEntries,
  compareWithTar,
  formatVerification,
  type Verification,
} from '../../agent/verify/report'

const ENTRY: CatalogEntry = {
  ...{ path: 'etc/hosts', type: 'file', size: 9, mode: 0o644, uid: 0, gid: 0, mtime: '1700000000.5' },
  ...{ offset: 512, bytes: 1024 },
}
const READ: TarEntry = {
  ...{ type: 'File', path: './etc/hosts', size: 9, mode: 0o644, uid: 0, gid: 0, mtimeMs: 1_700_000_000_500 },
  ...{ link: '', device: [0, 0], pax: '' },
}
const pax = (...records: [key: string, value: string][]) =>
  records
    .map(([key, value]) => {
      const rest = ` ${key}=${value}\n`
      const bytes = Buffer.byteLength(rest)
      return `${bytes + String(bytes + 2).length}${rest}`
    })
    .join('')

describe('the catalog, and what node-tar reads', () => {
  test.each<[string, Partial<CatalogEntry>, Partial<TarEntry>]>([
    ['a file', {}, {}],
    ['a file of an old kind', {}, { type: 'OldFile' }],
    ['a directory', { path: 'etc', type: 'directory', size: 0 }, { type: 'Directory', path: './etc/', size: 0 }],
    ['a symbolic link', { type: 'symlink', size: 0, link: '/a/' }, { type: 'SymbolicLink', link: '/a/' }],
    ['a hard link', { type: 'hardlink', size: 0, link: 'a/b' }, { type: 'Link', link: './a/b' }],
    ['a device', { type: 'block', size: 0, device: [8, 1] }, { type: 'BlockDevice', device: [8, 1] }],
    ['a time to the nanosecond', { mtime: '1700000000.123456789' }, { pax: pax(['mtime', '1700000000.123456789']) }],
    ['a time with zeros behind', { mtime: '1700000000.5' }, { pax: pax(['mtime', '1700000000.500000000']) }],
    [
      'a sparse file',
      { size: 1 << 20, sparseBytes: 9 },
      {
        path: './GNUSparseFile.1/hosts',
        pax: pax(['GNU.sparse.name', './etc/hosts'], ['GNU.sparse.realsize', '1048576']),
      },
    ],
    [
      'a file larger than numbers are exact',
      { size: Number.MAX_SAFE_INTEGER, sparseBytes: 9 },
      { pax: pax(['GNU.sparse.realsize', '9223372036854775807']) },
    ],
    ['what nobody has described', { undescribed: 'it is odd' }, { type: 'File', mode: 0o777 }],
    [
      'a record that holds what looks like another',
      { path: 'a\n6 x=y' },
      { path: './a', pax: pax(['path', './a\n6 x=y']) },
    ],
    ['records that hold a line end, whose meaning is lost', { path: 'a\nb' }, { path: './a', pax: '14 path=./a\nb\n' }],
  ])('agree on %s', (_, catalog, read) => {
    expect(compareWithTar({ ...ENTRY, ...catalog }, { ...READ, ...read })).toEqual([])
  })

  test.each<[string, Partial<CatalogEntry>, Partial<TarEntry>]>([
    ['type file is fifo', {}, { type: 'FIFO' }],
    ['type file is Unheard', {}, { type: 'Unheard' }],
    ['mode 0644 is 4755', {}, { mode: 0o4755 }],
    ['path etc/hosts is etc/host', {}, { path: './etc/host' }],
    ['uid 0 is 1', {}, { uid: 1 }],
    ['gid 0 is 1', {}, { gid: 1 }],
    ['mtime 1700000000.5 is 1700000000.500000001', {}, { pax: pax(['mtime', '1700000000.500000001']) }],
    ['size 9 is 10', {}, { size: 10 }],
    ['link a is b', { type: 'symlink', link: 'a' }, { type: 'SymbolicLink', link: 'b' }],
    ['link a is b', { type: 'hardlink', link: 'a' }, { type: 'Link', link: './b' }],
    ['device 8:1 is 8:2', { type: 'block', device: [8, 1] }, { type: 'BlockDevice', device: [8, 2] }],
    // Records that mean nothing leave what stands in the header itself.
    ['mode 0644 is 0600', { path: 'a\nb' }, { path: './a', mode: 0o600, pax: '14 path=./a\nb\n' }],
  ])('differ: %s', (difference, catalog, read) => {
    expect(compareWithTar({ ...ENTRY, ...catalog }, { ...READ, ...read })).toEqual([`${difference} in the archive`])
  })
})

test.each<[Partial<CatalogEntry>, string]>([
  [{ path: 'etc/host' }, 'path "etc/hosts" is "etc/host" in the archive'],
  [{ mode: 0 }, 'mode 0644 is 0000 in the archive'],
  [{ bytes: 1536 }, 'bytes 1024 is 1536 in the archive'],
  [{ xattrs: true }, 'xattrs not set is true in the archive'],
  [{ device: [8, 1] }, 'device not set is [8,1] in the archive'],
  [{ mtime: '1700000000.500000001' }, 'mtime "1700000000.5" is "1700000000.500000001" in the archive'],
])('two readings of one entry are compared in every field: %j', (changes, difference) => {
  expect(compareEntries(ENTRY, { ...ENTRY, ...changes })).toEqual([difference])
  expect(compareEntries({ ...ENTRY, ...changes }, ENTRY)).toHaveLength(1)
})

test('what agrees in every field has no difference', () => expect(compareEntries(ENTRY, { ...ENTRY })).toEqual([]))

test.each([
  [50, 50, 'finding 49'],
  [51, 51, '1 more findings'],
  [1000, 51, '950 more findings'],
])('of %i findings, %i are told', (count, told, last) => {
  const { report, list } = collectFindings('vg0-srv')
  for (let index = 0; index < count; index++) report(`finding ${index}`, 'a hint')
  expect([list().length, list().at(-1)]).toMatchObject([told, { volume: 'vg0-srv', what: last }])
})

test('what several checks find is told once, with what to do that the first of them says', () => {
  const { report, list } = collectFindings('vg0-srv')
  for (const hint of ['the first', 'the second']) report('the catalog is missing', hint)
  expect(list()).toEqual([{ volume: 'vg0-srv', what: 'the catalog is missing', hint: 'the first' }])
})

describe('what an operator reads', () => {
  const volume: Verification['volumes'][number] = {
    ...{ volume: 'vg0-srv', mountPoint: '/srv', objects: 2, storedBytes: 2048, storageClasses: ['STANDARD'] },
    ...{ withoutChecksum: 0, frames: 1, rawBytes: 1 << 20, entries: 1, findings: [] },
  }
  const verification: Verification = {
    ...{ verification: 1, run: 'R', class: 'daily', host: 'db-1', depth: 'stream', ok: true },
    ...{ startedAt: '2026-02-01T03:04:05Z', finishedAt: '2026-02-01T03:04:06Z', volumes: [volume] },
  }
  const linesOf = (changes: Partial<Verification>) => formatVerification({ ...verification, ...changes }).split('\n')

  test('is the verdict, then what was looked at', () => {
    expect(linesOf({})).toEqual([
      'Verification of R of db-1, depth stream: OK',
      expect.stringMatching(/^ {2}\/srv +2 objects, 2 KiB in STANDARD +1 frame, 1 MiB, 1 entry read back$/),
    ])
  })

  test('is every finding with what to do, before the rest', () => {
    const findings = [{ volume: 'vg0-srv', what: 'it is damaged', hint: 'Back it up again.' }]
    expect(linesOf({ ok: false, volumes: [{ ...volume, findings }] }).slice(0, 3)).toEqual([
      'Verification of R of db-1, depth stream: 1 FINDINGS',
      '  vg0-srv: it is damaged',
      '    HINT: Back it up again.',
    ])
  })

  test('does not seem more than it was: nothing read back, no checksums, no object at all', () => {
    const bare = { ...volume, frames: 0, rawBytes: 0, entries: 0, withoutChecksum: 2 }
    expect(linesOf({ depth: 'checksum', sizesOnly: true, volumes: [bare] })).toEqual([
      'Verification of R of db-1, sizes only: OK',
      expect.stringMatching(/^ {2}\/srv +2 objects, 2 KiB in STANDARD$/),
      expect.stringContaining('/srv: the server keeps no checksum of 2 of 2 objects'),
    ])
    expect(linesOf({ volumes: [{ ...bare, storageClasses: [] }] })[1]).toContain('no storage class')
  })
})
