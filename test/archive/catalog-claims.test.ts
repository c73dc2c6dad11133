import { findImpossible } from '../../agent/archive/catalog-claims'
import { undescribedEntry, type CatalogEntry } from '../../agent/tar/entry'

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

test.each<[string, Partial<CatalogEntry>]>([
  ['path', { path: '' }],
  ['path', { path: '/etc/passwd' }],
  ['path', { path: '../passwd' }],
  ['path', { path: 'a/../b' }],
  ['path', { path: 'a/./b' }],
  ['path', { path: 'a//b' }],
  ['path', { path: 'a/' }],
  ['path', { path: 'a\0b' }],
  ['path', { path: '.' }],
  ['path', { path: 'a/'.repeat(40_000) + 'a' }],
  ['path64', { path64: Buffer.from('etc/shadow').toString('base64') }],
  ['path64', { path64: Buffer.from('etc/hosts').toString('base64') }],
  ['path64', { path: 'caf\ufffd', path64: 'Y2Fm6R==' }],
  ['mode', { mode: 0o100644 }],
  ['offset', { offset: 100 }],
  ['bytes', { bytes: 0 }],
  ['bytes', { bytes: 2000 }],
  ['bytes', { offset: Number.MAX_SAFE_INTEGER - 511, bytes: 2048 }],
  ['size', { size: 2000 }],
  ['size', { type: 'directory' }],
  ['sparseBytes', { sparseBytes: 2000 }],
  ['sparseBytes', { type: 'fifo', size: 0, sparseBytes: 0 }],
  ['device', { device: [1, 3] }],
  ['device', { type: 'block', size: 0 }],
  ['link', { link: 'etc/shadow' }],
  ['link', { type: 'symlink', size: 0 }],
  ['link', { type: 'symlink', size: 0, link: '' }],
  ['link', { type: 'hardlink', size: 0, link: '../shadow' }],
  ['link', { type: 'hardlink', size: 0, link: '/etc/shadow' }],
  ['link64', { link64: 'ZXRj' }],
  ['link64', { type: 'symlink', size: 0, link: 'a', link64: 'Yg==' }],
])('%s: what no archive has is refused by its field: %.200j', (field, changes) => {
  expect(findImpossible({ ...FILE, ...changes })).toBe(field)
})

test.each<[string, Partial<CatalogEntry>]>([
  ['a file', {}],
  ['the root', { path: '.', type: 'directory', size: 0 }],
  ['a file that fills its blocks', { size: 1536 }],
  ['a sparse file that is larger than its archive', { size: 2 ** 50, sparseBytes: 512 }],
  ['a name of dots that is none of the two', { path: '.../..a/b..' }],
  ['a path of 64 KiB', { path: 'a'.repeat(65_536) }],
  ['a link that leads anywhere', { type: 'symlink', size: 0, link: '../../etc//passwd' }],
  ['a name that is not UTF-8', { path: 'caf\ufffd', path64: 'Y2Fm6Q==' }],
  ['a device', { type: 'block', size: 0, device: [8, 1] }],
])('%s can be', (_, changes) => {
  expect(findImpossible({ ...FILE, ...changes })).toBeUndefined()
})

test('of what is not described, only its place counts', () => {
  expect(findImpossible(undescribedEntry('../odd', 512, 1024, 'its type is unknown'))).toBeUndefined()
  expect(findImpossible(undescribedEntry('../odd', 500, 1024, 'its type is unknown'))).toBe('offset')
})
