import { NO_TAGS } from '../../agent/tar/tags'
import { findObstacle, type VolumeNow } from '../../agent/changes/choose-level'
import type { IndexHeader } from '../../agent/changes/index.io'
import { volumeBackupOf } from '../support/manifest'

const base: IndexHeader = {
  ...{
    host: 'db-1',
    class: 'daily',
    run: '20260101T020000Z-k3xw7a',
    volume: 'vg-srv',
    uuid: 'u-1',
    filesystem: 'ext4',
  },
  ...{ mountPoint: '/srv', excludes: ['/cache/*', '*.tmp'], tags: NO_TAGS, takenAt: '2026-01-01T02:00:00.000Z' },
  archive: { ...volumeBackupOf().archive, compression: 'zstd' },
}
const tonight: VolumeNow = {
  ...{
    host: 'db-1',
    class: 'daily',
    run: '20260102T020000Z-aaaaaa',
    volume: 'vg-srv',
    uuid: 'u-1',
    filesystem: 'ext4',
  },
  ...{ mountPoint: '/srv', excludes: ['/cache/*', '*.tmp'], tags: NO_TAGS, compression: 'zstd' },
  ...{ takenAt: new Date('2026-01-02T02:00:00Z'), fullEverySeconds: 7 * 86_400 },
}

test('where all is as it was, nothing is in the way', () => {
  expect(findObstacle(base, tonight)).toBeUndefined()
})

test.each<[string, Partial<VolumeNow>]>([
  ['another host', { host: 'db-2' }],
  ['another class', { class: 'weekly' }],
  ['another volume', { volume: 'vg-home' }],
  ['no UUID', { uuid: '' }],
  ['another filesystem', { uuid: 'u-2' }],
  ['another filesystem', { filesystem: 'xfs' }],
  ['it was mounted at /srv', { mountPoint: '/data' }],
  ['other paths are excluded', { excludes: ['/cache/*'] }],
  ['other paths are excluded', { excludes: ['*.tmp', '/cache/*'] }],
  ['made without --exclude-caches', { tags: { caches: true, names: [] } }],
  ['other names for --exclude-if-present', { tags: { caches: false, names: ['.nobackup'] } }],
  ["the compression 'zstd'", { compression: 'none' }],
  ['of the future', { takenAt: new Date(base.takenAt) }],
  ['of the future', { takenAt: new Date('2025-12-31T02:00:00Z') }],
  ['of the future', { run: '20251231T020000Z-aaaaaa' }],
  ['24 hours old', { fullEverySeconds: 86_400 }],
])('a full archive is made: %s', (why, now) => {
  expect(findObstacle(base, { ...tonight, ...now })).toContain(why)
})

test('a week is over on the seventh night, some hours early too, and not on the sixth', () => {
  const at = (time: string) => findObstacle(base, { ...tonight, takenAt: new Date(time) })
  expect(at('2026-01-07T03:00:00Z')).toBeUndefined()
  expect(at('2026-01-08T01:30:00Z')).toContain('7 days old')
})

test('a tag of that name and the signature of a cache are not the same option', () => {
  const byName = { caches: false, names: ['CACHEDIR.TAG'] }
  const bySignature = { caches: true, names: [] }
  expect(findObstacle({ ...base, tags: byName }, { ...tonight, tags: bySignature })).toBe(
    'its last full archive was made without --exclude-caches',
  )
  expect(findObstacle({ ...base, tags: bySignature }, { ...tonight, tags: byName })).toBe(
    'its last full archive was made with --exclude-caches',
  )
})
