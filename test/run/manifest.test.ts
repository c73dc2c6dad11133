import { completenessOf, formatManifest, isSizesOnly, leastVerified, type VolumeBackup } from '../../agent/run/manifest'
import { parseManifest } from '../../agent/run/parse-manifest'
import { manifestOf, volumeBackupOf } from '../support/manifest'

const place = { class: 'daily', host: 'host', run: '20260131T040506Z-abz277' }

test('a manifest reads back as it was written', () => {
  const manifest = manifestOf()
  expect(parseManifest(formatManifest(manifest), place)).toEqual(manifest)
})

test('so does one with a sample, which older agents leave out of account', () => {
  const sampled = { depth: 'source' as const, part: 7, count: 2, parts: 7, entries: 3 }
  const manifest = manifestOf({ volumes: [volumeBackupOf({ sampled })] })
  expect(parseManifest(formatManifest(manifest), place)).toEqual(manifest)
  expect(manifest.verified).toBe('checksum')
})

test.each([
  [['stream', 'checksum', 'source'], 'checksum'],
  [['stream', 'none'], 'none'],
  [['source', 'source'], 'source'],
  [[], 'none'],
] as const)('a run whose archives are verified %j is verified %s', (depths, least) => {
  expect(leastVerified(depths)).toBe(least)
})

const good = volumeBackupOf()
const failure = { volume: 'vg0-a', mountPoint: '/a', code: 'ARCHIVE_FAILED' as const, message: '', hint: '' }

test.each([
  ['all of it is good', [good], [], 'complete'],
  ['a volume failed', [good], [failure], 'incomplete'],
  ['tar warned of the last of its volumes', [good, { ...good, warnings: { count: 1, lines: [] } }], [], 'incomplete'],
] as const)('a run is said to be what it is where %s', (_, volumes, failures, status) => {
  expect(completenessOf({ volumes, failures })).toBe(status)
})

const sampled = { depth: 'source' as const, part: 1, count: 1, parts: 7, entries: 3 }
test.each<[string, 'none' | 'checksum', Partial<VolumeBackup>, boolean]>([
  ['a sample was compared, and the server kept no checksums', 'none', { sampled, unconfirmed: true }, true],
  ['a sample was compared', 'checksum', { sampled }, false],
  ['the server kept no checksums, and nothing more was asked for', 'none', { unconfirmed: true }, false],
  ['nothing was asked for', 'none', {}, false],
])('that sizes alone were compared is told where more was wanted: %s', (_, verified, changes, sizesOnly) => {
  expect(isSizesOnly({ verified, volumes: [good, volumeBackupOf(changes)] })).toBe(sizesOnly)
})
