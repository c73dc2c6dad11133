/** A manifest is written by a host, and by whoever has become one: what cannot be true of a run that lies there. */
import { FRAME_BYTES, SEGMENT_BYTES, SEGMENT_FRAMES_MAX } from '../../agent/archive/archive'
import { findContradiction } from '../../agent/run/manifest-claims'
import type { Manifest, VolumeBackup } from '../../agent/run/manifest'
import { differentialOf, manifestOf, volumeBackupOf } from '../support/manifest'

const sourceOf = (group: string, name: string) => ({ ...volumeBackupOf().source, group, name })
const place = { class: 'daily', host: 'host', run: '20260131T040506Z-abz277' }

test('a good run contradicts nothing', () => {
  expect(findContradiction(manifestOf(), place)).toBeUndefined()
})

describe('a manifest that names what is not its own', () => {
  const other = { ...place, host: 'db-2' }
  const [segment] = volumeBackupOf({}, other).archive.segments
  test.each<[string, Manifest, string]>([
    ['the run of another host', manifestOf(other), "its host is 'db-2'"],
    ['another run', manifestOf({ ...place, run: '20260131T040506Z-other1' }), "its run is '20260131T040506Z-other1'"],
    ['another class', manifestOf({ ...place, class: 'monthly' }), "its class is 'monthly'"],
    ["another host's archive", inArchive({ segments: [segment!] }), 'a segment that lies elsewhere: data/daily/db-2/'],
    [
      "another host's catalog",
      inArchive({ catalog: volumeBackupOf({}, other).archive.catalog }),
      'a catalog that lies elsewhere: catalogs/daily/db-2/',
    ],
    [
      'the archive of another volume',
      manifestOf({ volumes: [volumeBackupOf({ archive: volumeBackupOf({ volume: 'vg0-root' }).archive })] }),
      'a catalog that lies elsewhere',
    ],
    ['an archive under another compression', inArchive({ compression: 'none' }), 'a segment that lies elsewhere'],
    ['another logical volume', at({ source: sourceOf('vg1', 'home') }), "is 'vg1-home' by its source"],
    ['one volume twice', manifestOf({ volumes: [volumeBackupOf(), volumeBackupOf()] }), "two volumes 'vg0-home'"],
    [
      'one mount point twice',
      manifestOf({ volumes: [volumeBackupOf(), volumeBackupOf({ volume: 'vg0-root' })] }),
      "two volumes '/home'",
    ],
  ])('is refused: %s', (_, manifest, message) => expectContradiction(manifest, message))

  test('hyphens in the names of groups and volumes are doubled, as the device mapper does it', () => {
    const volume = { ...volumeBackupOf({ volume: 'my--vg-my--home' }), source: sourceOf('my-vg', 'my-home') }
    expect(findContradiction(manifestOf({ volumes: [volume] }), place)).toBeUndefined()
  })
})

describe('directories that were left out', () => {
  const named = { path: 'cache', tag: '.nobackup' }
  const odd = { path: 'b\ufffdd', path64: Buffer.from('b\xffd', 'latin1').toString('base64'), tag: 'CACHEDIR.TAG' }

  test('may be more than are named, and have names that are not UTF-8', () => {
    expect(findContradiction(at({ leftOut: { count: 9, first: [named, odd] } }), place)).toBeUndefined()
  })

  test.each<[string, VolumeBackup['leftOut'], string]>([
    ['fewer than are named', { count: 1, first: [named, odd] }, 'names 2 of 1 directories left out'],
    ['two names that differ', { count: 1, first: [{ ...odd, path: 'etc' }] }, 'of which the two names differ'],
  ])('are refused: %s', (_, leftOut, message) => expectContradiction(at({ leftOut }), message))
})

describe('a differential archive', () => {
  const good = differentialOf()
  const base = good.base!
  const differential = (changes: Partial<VolumeBackup>): Manifest =>
    manifestOf({ format: 3, volumes: [{ ...good, ...changes }] })
  const elsewhere = volumeBackupOf({}, { ...place, host: 'db-2', run: base.run }).archive

  test('with an earlier base of the same host, class and volume contradicts nothing', () => {
    expect(findContradiction(differential({}), place)).toBeUndefined()
  })

  test.each<[string, Manifest, string]>([
    ['is in a manifest of format 2, which older agents read', manifestOf({ volumes: [good] }), 'its format is 2'],
    ['is a full one after all', differential({ level: 'full' }), 'its format is 3'],
    ['has a base beside a full archive', at({ base }), 'is full, and names a base'],
    ['has no base', differential({ base: undefined }), 'does not say to what'],
    ['has no list of what is removed', differential({ removed: undefined }), 'does not say to what'],
    [
      "has another host's base",
      differential({ base: { ...base, archive: elsewhere } }),
      'a base that has a catalog that lies elsewhere',
    ],
    [
      'has a base of another run than it says',
      differential({ base: { ...base, run: '20260125T040506Z-other1' } }),
      'lies elsewhere',
    ],
    [
      'is its own base',
      differential({ base: { ...base, run: place.run, archive: good.archive } }),
      'a base that is not earlier',
    ],
    [
      'has a base of the same moment',
      differential({ base: { ...base, takenAt: good.snapshot.takenAt } }),
      'a base that is not earlier',
    ],
    [
      'has a list that lies elsewhere',
      differential({ removed: { ...good.removed!, key: base.archive.catalog.key } }),
      'removed that lies elsewhere',
    ],
    [
      'has a base of another compression',
      differential({ base: { ...base, archive: { ...base.archive, compression: 'none' } } }),
      'a base of another compression',
    ],
  ])('is refused where it %s', (_, manifest, message) => expectContradiction(manifest, message))
})

describe('a run that is good whatever is done with it', () => {
  const failure = { volume: 'vg0-a', mountPoint: '/a', code: 'ARCHIVE_FAILED' as const, message: '', hint: '' }
  test('has no volume: it is refused', () => expectContradiction(manifestOf({ volumes: [] }), 'it has no volume'))
  test('is complete, and has failures: it is refused', () =>
    expectContradiction(manifestOf({ failures: [failure] }), 'it says that it is complete'))
  test('is complete, and has warnings: it is refused', () =>
    expectContradiction(at({ warnings: { count: 1, lines: [] } }), 'it says that it is complete'))
})

describe('an archive that cannot be', () => {
  const [segment] = volumeBackupOf().archive.segments
  const second = { ...segment!, key: `${segment!.key}.001` }
  test.each<[string, Partial<VolumeBackup['archive']>, string]>([
    ['frames that take gigabytes of memory', { frameBytes: 3_900_000_000 }, 'has frames of 3900000000 bytes'],
    ['segments that do not add up', { rawBytes: 20481 }, 'has 20481 bytes, and segments of 20480'],
    ['segments stored that do not add up', { storedBytes: 1001 }, 'has 1001 bytes stored, and segments of 1000'],
    ['segments that overlap', { segments: [segment!, second] }, 'has a segment that ends amid a frame'],
    [
      'segments out of order',
      { segments: [{ ...segment!, rawOffset: 4096 }] },
      'has a segment that does not follow the one before it',
    ],
    ['a segment larger than any', { segments: [{ ...segment!, sizeBytes: 2 ** 37 }] }, 'bytes in 137438953472'],
    ['a bomb', { segments: [{ ...segment!, rawBytes: 2 ** 40 }], rawBytes: 2 ** 40, frames: 2 ** 19 }, 'in 1000'],
    ['more frames than it has data for', { frames: 2 }, 'has 2 frames of 20480 bytes'],
    ['more entries than it has headers for', { entries: 41 }, 'has 41 entries in 20480 bytes'],
  ])('is refused: %s', (_, changes, message) => expectContradiction(inArchive(changes), message))
})

/** An archive whose one segment is as large as the format lets it be. */
function largest(compression: 'zstd' | 'none') {
  const frames = compression === 'none' ? SEGMENT_BYTES / FRAME_BYTES : SEGMENT_FRAMES_MAX
  const rawBytes = frames * FRAME_BYTES
  const sizeBytes = compression === 'none' ? rawBytes : frames * 22
  const [segment] = volumeBackupOf().archive.segments
  const key = compression === 'none' ? segment!.key.replace(/\.zst$/, '') : segment!.key
  return {
    compression,
    segments: [{ ...segment!, key, sizeBytes, rawBytes }],
    rawBytes,
    storedBytes: sizeBytes,
    frames,
  }
}

test.each(['zstd', 'none'] as const)('the largest segment of %s that the format has may be', (compression) => {
  expect(findContradiction(inArchive(largest(compression)), place)).toBeUndefined()
})

test('a byte less than its frames take is too little', () => {
  const { segments, storedBytes, ...rest } = largest('zstd')
  const sizeBytes = storedBytes - 1
  expectContradiction(
    inArchive({ ...rest, segments: [{ ...segments[0]!, sizeBytes }], storedBytes: sizeBytes }),
    `bytes in ${sizeBytes}: data/`,
  )
})

function expectContradiction(manifest: Manifest, message: string): void {
  expect(findContradiction(manifest, place)).toContain(message)
}

function at(changes: Partial<VolumeBackup>) {
  return manifestOf({ volumes: [{ ...volumeBackupOf(), ...changes }] })
}

function inArchive(changes: Partial<VolumeBackup['archive']>) {
  const { archive } = volumeBackupOf()
  return at({ archive: { ...archive, ...changes } })
}
