import { resolveSelection } from '../../agent/restore/select-volumes'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import { type CatalogEntry, ancestorsOf, isWithin } from '../../agent/tar/entry'
import { collectPieces } from '../../agent/archive/frame-reads'

const manifest = manifestOf({
  volumes: ['/', '/srv', '/srv/data'].map((mountPoint) => volumeBackupOf({ volume: `vg0${mountPoint}`, mountPoint })),
})

test.each([
  [[], ['/: all', '/srv: all', '/srv/data: all']],
  [['/'], ['/: all', '/srv: all', '/srv/data: all']],
  [['/etc'], ['/: etc']],
  [['/srv'], ['/srv: all', '/srv/data: all']],
  [['/srv/app'], ['/srv: app']],
  [['/srv/data/x'], ['/srv/data: x']],
  [['/srvother'], ['/: srvother']],
  [
    ['/etc', '/srv/data/x', '/var/log'],
    ['/: etc var/log', '/srv/data: x'],
  ],
])('the paths %j are on %j', (paths, expected) => {
  const { volumes } = resolveSelection(manifest, [], paths)
  expect(volumes.map(({ volume, paths: own }) => `${volume.mountPoint}: ${own.join(' ') || 'all'}`)).toEqual(expected)
})

test('the directories of a volume on which others were mounted are known', () => {
  const boot = { mountPoint: '/boot', device: '/dev/sda1', filesystem: 'vfat', reason: 'not on LVM' }
  const { volumes } = resolveSelection({ ...manifest, notBackedUp: [boot] }, [], ['/'])
  expect(volumes.map(({ mountPoints }) => mountPoints)).toEqual([['srv', 'srv/data', 'boot'], ['data'], []])
})

test.each([
  ['a/b', 'a', true],
  ['a', 'a', true],
  ['ab', 'a', false],
  ['a', 'a/b', false],
  ['a', '.', true],
  ['/a', '/', true],
])('%s is within %s: %s', (path, directory, expected) => {
  expect(isWithin(path, directory)).toBe(expected)
})

test.each([
  ['.', []],
  ['a', ['.']],
  ['a/b/c', ['.', 'a', 'a/b']],
])('above %s are %j', (path, ancestors) => {
  expect(ancestorsOf(path)).toEqual(ancestors)
})

test('entries that follow each other are one piece, unless one is renamed', () => {
  const pieces = collectPieces()
  const entry = (offset: number) => ({ offset, bytes: 512 }) as CatalogEntry
  pieces.add(entry(0))
  pieces.add(entry(512))
  pieces.add(entry(2048))
  const renaming = { offset: 2560, path: Buffer.from('./x') }
  pieces.add(entry(2560), renaming)
  pieces.add(entry(3072))
  expect(pieces.list()).toEqual([
    { offset: 0, bytes: 1024 },
    { offset: 2048, bytes: 512 },
    { offset: 2560, bytes: 512, renaming },
    { offset: 3072, bytes: 512 },
  ])
})
