import { formatManifest, MANIFEST_FORMAT, parseManifest, type VolumeBackup } from '../../agent/plan/manifest'
import { manifestOf, volumeBackupOf } from '../support/manifest'

const key = 'manifests/daily/host/20260131T040506Z-abz277.json'

test('a manifest reads back as it was written', () => {
  const manifest = manifestOf()
  expect(parseManifest(formatManifest(manifest), key)).toEqual(manifest)
})

test('so does one with a sample, which older agents leave out of account', () => {
  const sampled = { depth: 'source' as const, part: 7, count: 2, parts: 7, entries: 3 }
  const manifest = manifestOf({ volumes: [volumeBackupOf({ sampled })] })
  expect(parseManifest(formatManifest(manifest), key)).toEqual(manifest)
  expect(manifest.verified).toBe('checksum')
})

test('a manifest of a newer agent is refused with the remedy, not misread', () => {
  const newer = { ...manifestOf(), format: MANIFEST_FORMAT + 1 }
  expect(() => parseManifest(JSON.stringify(newer), key)).toThrow(
    expect.objectContaining({ code: 'FORMAT_UNSUPPORTED', hint: expect.stringContaining('Install') }),
  )
})

test.each([
  ['half a manifest', formatManifest(manifestOf()).slice(0, -40), /is not JSON/],
  ['an archive without segments', JSON.stringify(withoutSegments()), /volumes\[0\]\.archive\.segments/],
  ['a mount point that leads upwards', formatManifest(at({ mountPoint: '/srv/../../etc' })), /mountPoint/],
  ['a volume of another place', formatManifest(at({ volume: '../sda' })), /volumes\[0\]\.volume/],
  ['another document', '{"hello": 1}', /format/],
])('%s is refused by the name of what is wrong', (_, json, message) => {
  expect(() => parseManifest(json, key)).toThrow(
    expect.objectContaining({ code: 'ARCHIVE_DAMAGED', message: expect.stringMatching(message) }),
  )
})

function at(changes: Partial<VolumeBackup>) {
  return manifestOf({ volumes: [volumeBackupOf(changes)] })
}

function withoutSegments() {
  const manifest = manifestOf()
  const [volume] = manifest.volumes
  return { ...manifest, volumes: [{ ...volume!, archive: { ...volume!.archive, segments: [] } }] }
}
