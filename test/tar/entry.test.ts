import {
  ancestorsOf,
  isWithin,
  linkBytes,
  pathBytes,
  pathOnHost,
  sizeOnDisk,
  undescribedEntry,
  type CatalogEntry,
} from '../../agent/tar/entry'
import { formatCatalogEntry, parseCatalogLine } from '../../agent/archive/catalog'

test.each([
  ['srv', 'srv', true],
  ['srv/a', 'srv', true],
  ['srv-old', 'srv', false],
  ['srvx/a', 'srv', false],
  ['sr', 'srv', false],
  ['srv', 'srv/a', false],
  ['anything/at all', '.', true],
  ['.', '.', true],
  ['/etc/hosts', '/', true],
  ['.hidden', '.hid', false],
])('that %s lies in %s is %s', (path, directory, expected) => {
  expect(isWithin(path, directory)).toBe(expected)
})

test.each([
  ['.', []],
  ['etc', ['.']],
  ['etc/ssl/certs', ['.', 'etc', 'etc/ssl']],
  ['..data/x', ['.', '..data']],
])('above %s are %j', (path, expected) => {
  expect(ancestorsOf(path)).toEqual(expected)
})

test.each([
  ['/', '.', '/'],
  ['/', 'etc/hosts', '/etc/hosts'],
  ['/srv', '.', '/srv'],
  ['/srv', 'a/b', '/srv/a/b'],
])('in the volume of %s, %s was %s', (mountPoint, path, expected) => {
  expect(pathOnHost(mountPoint, path)).toBe(expected)
})

test('names are bytes: those that are no text are told by them', () => {
  const name = Buffer.from('caf\xe9\n', 'latin1')
  expect(pathBytes({ path: 'größe' })).toEqual(Buffer.from('größe'))
  expect(pathBytes({ path: 'caf\ufffd\n', path64: name.toString('base64') })).toEqual(name)
  expect(linkBytes({ link: '../größe' })).toEqual(Buffer.from('../größe'))
  expect(linkBytes({ link: '\ufffd', link64: name.toString('base64') })).toEqual(name)
  expect(linkBytes({})).toEqual(Buffer.alloc(0))
})

test.each<[string, Partial<CatalogEntry>, number]>([
  ['an empty file', { size: 0 }, 0],
  ['one byte', { size: 1 }, 4096],
  ['a whole block', { size: 4096 }, 4096],
  ['one byte more', { size: 4097 }, 8192],
  ['a sparse file, whose holes take nothing', { size: 1024 ** 4, sparseBytes: 4096 }, 4096],
  ['a file of one hole', { size: 1024 ** 4, sparseBytes: 0 }, 0],
  ['a directory', { type: 'directory' }, 4096],
  ['a symlink', { type: 'symlink', link: 'x' }, 0],
  ['another name of a file', { type: 'hardlink', link: 'x' }, 0],
])('on a disk, %s takes its blocks', (_, changes, bytes) => {
  expect(sizeOnDisk({ ...undescribedEntry('x', 0, 512, ''), ...changes })).toBe(bytes)
})

describe('what cannot be described', () => {
  const nameOf = (path: string) => undescribedEntry(path, 1024, 512, 'its type is unknown').path

  test('is named as far as is needed to find it', () => {
    expect(nameOf('x'.repeat(256))).toBe('x'.repeat(256))
    expect(nameOf('x'.repeat(257))).toBe(`${'x'.repeat(256)}…`)
  })

  test('is named in text that every reader takes, though its name is cut within a character', () => {
    expect(nameOf(`${'x'.repeat(255)}💾${'x'.repeat(10)}`)).toBe(`${'x'.repeat(255)}\ufffd…`)
  })

  test('has a line that is read back as it was written', () => {
    const entry = undescribedEntry('a\n"b', 1024, 512, 'its type is unknown')
    expect(parseCatalogLine(formatCatalogEntry(entry))).toEqual(entry)
    expect(entry).toMatchObject({ offset: 1024, bytes: 512, undescribed: 'its type is unknown' })
  })
})
