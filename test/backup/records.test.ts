import { describeBackup, describeFailure, type Attempt } from '../../agent/backup/records'
import { AgentError } from '../../agent/errors'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import { planAll, storage } from '../support/storage'
import { formatManifest } from '../../agent/run/manifest'
import { parseManifest } from '../../agent/run/parse-manifest'

const [plan] = planAll(storage({ logicalVolumes: [{}], mounts: [{ of: 0, uuid: 'u-1', label: 'data' }] }))
const { archive } = volumeBackupOf({ volume: 'vg-lv0' })
const TAKEN = new Date('2026-01-31T04:05:07.000Z')

const attempt = (outcome: Attempt['outcome']): Attempt => ({ plan: plan!, outcome, seconds: 3.25, livedSeconds: 12.5 })
const full = new AgentError('SNAPSHOT_INVALID', 'the snapshot is full', { hint: 'Give it more.' })

test('an archive is told with where its snapshot came from, and how long it lived', () => {
  expect(describeBackup(attempt({ source: plan!.source, archive, verified: 'checksum' }), TAKEN)).toEqual([
    {
      ...{ volume: 'vg-lv0', level: 'full', mountPoint: '/srv', filesystem: 'ext4', uuid: 'u-1', label: 'data' },
      ...{ device: '/dev/mapper/vg-lv0' },
      ...{ source: plan!.source, mountOptions: 'rw', sizeBytes: 1024 ** 3, usedBytes: 0 },
      snapshot: { takenAt: '2026-01-31T04:05:07.000Z', livedSeconds: 12.5 },
      tarCommand: plan!.tar,
      ...{ archive, archiveSeconds: 3.25 },
    },
  ])
})

test('what was not as it should be is told beside it', () => {
  const warnings = { count: 1, first: ['file changed as we read it'] }
  const odd = { unconfirmed: true as const, warnings: warnings as never, longPaths: 0 }
  expect(describeBackup(attempt({ source: plan!.source, archive, verified: 'stream', ...odd }), TAKEN)).toMatchObject([
    odd,
  ])
})

test('what a backup writes of its volumes, a restore reads', () => {
  const volumes = describeBackup(attempt({ source: plan!.source, archive, verified: 'checksum' }), TAKEN)
  const manifest = manifestOf({ volumes })
  const at = { class: manifest.class, host: manifest.host, run: manifest.run }
  expect(parseManifest(formatManifest(manifest), at).volumes).toEqual(volumes)
})

test('a volume is in the manifest as an archive or as a failure, never as both', () => {
  expect(describeFailure(attempt({ source: plan!.source, archive, verified: 'none' }))).toEqual([])
  expect(describeBackup(attempt({ failure: full }), TAKEN)).toEqual([])
})

test.each<[string, unknown, object]>([
  ['known', full, { code: 'SNAPSHOT_INVALID', message: 'the snapshot is full', hint: 'Give it more.' }],
  [
    'known, though its clean-up failed too',
    new SuppressedError(new Error('umount: busy'), full),
    { code: 'SNAPSHOT_INVALID', message: 'the snapshot is full' },
  ],
  [
    'nobody’s',
    new TypeError('x is not a function'),
    { code: 'ARCHIVE_FAILED', message: 'TypeError: x is not a function' },
  ],
  ['no error at all', 'thrown', { code: 'ARCHIVE_FAILED', message: 'thrown' }],
])('a failure that is %s is told with what to do', (_, failure, expected) => {
  expect(describeFailure(attempt({ failure }))).toEqual([
    {
      ...{ volume: 'vg-lv0', mountPoint: '/srv', hint: expect.stringMatching(/\.$/) as string },
      ...expected,
    },
  ])
})
