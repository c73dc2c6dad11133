import fc from 'fast-check'
import { compareFacts, factsOf, formatFacts, parseFacts } from '../../../fleet/command/entry-facts'
import type { CatalogEntry } from '../../../agent/tar/entry'

const file: CatalogEntry = {
  ...{ path: 'etc/fstab', type: 'file', size: 10, mode: 0o644, uid: 0, gid: 0, mtime: '1767000000.5', offset: 0 },
  bytes: 1024,
}
const compare = (before: Partial<CatalogEntry>, after: Partial<CatalogEntry>) =>
  compareFacts(factsOf({ ...file, ...before }), factsOf({ ...file, ...after }))

test('where it lies in the archive, and how its time is written, is no change', () => {
  expect(compare({}, { offset: 5120, bytes: 2048, mtime: '1767000000.500000000' })).toEqual([])
  expect(compare({ mtime: '1767000000' }, { mtime: '1767000000.000' })).toEqual([])
})

test.each<[string, Partial<CatalogEntry>, string[]]>([
  ['its size', { size: 11 }, ['content']],
  ['its time', { mtime: '1767000001.5' }, ['time']],
  ['its mode', { mode: 0o4755 }, ['mode']],
  ['its owner', { uid: 1000 }, ['owner']],
  ['its group', { gid: 1000 }, ['owner']],
  ['that it has attributes', { xattrs: true }, ['attributes']],
  ['what it is', { type: 'symlink', size: 0, link: '/etc/passwd' }, ['type']],
  ['several of these', { size: 11, mtime: '1', mode: 0 }, ['content', 'time', 'mode']],
])('%s is a change', (_, after, what) => {
  expect(compare({}, after)).toEqual(what)
})

test('where a symbolic link leads to, and which device it is', () => {
  expect(compare({ type: 'symlink', size: 0, link: 'a' }, { type: 'symlink', size: 0, link: 'b' })).toEqual(['target'])
  expect(compare({ type: 'block', size: 0, device: [8, 0] }, { type: 'block', size: 0, device: [8, 1] })).toEqual([
    'target',
  ])
})

test("a directory's time is that of its names, which are told of themselves", () => {
  expect(compare({ type: 'directory', size: 0 }, { type: 'directory', size: 0, mtime: '1' })).toEqual([])
})

test('which name of a file tar met first is no change', () => {
  const link = { type: 'hardlink' as const, size: 0, link: 'etc/other' }
  expect(compare({}, link)).toEqual([])
  expect(compare(link, { ...link, link: 'etc/another' })).toEqual([])
  expect(compare({}, { ...link, mtime: '1' })).toEqual(['time'])
})

test('whatever an entry is, it comes back from a file as it was', () => {
  const entry = fc.record({
    path: fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    type: fc.constantFrom('file', 'symlink', 'hardlink', 'directory'),
    ...{ size: fc.nat(), mode: fc.nat(4095), uid: fc.nat(), gid: fc.nat(), mtime: fc.nat().map(String) },
    ...{ leadsTo: fc.string({ unit: 'binary' }), hasXattrs: fc.boolean(), isUndescribed: fc.boolean() },
  })
  fc.assert(fc.property(entry, (facts) => expect(parseFacts(facts.path, formatFacts(facts as never))).toEqual(facts)))
})
