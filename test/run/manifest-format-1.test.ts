/** What agents up to version 0.2 wrote, which nobody will write again: every later one reads it. */
import type { Archive } from '../../agent/archive/archive'
import { manifestSchema1, upgrade } from '../../agent/run/manifest-format-1'
import { manifestOf, volumeBackupOf } from '../support/manifest'

const { source, level, snapshot, archive, ...volume } = volumeBackupOf()
const withoutHash = <T extends Archive['catalog']>(object: T) => ({ ...object, sha256: undefined })

function volume1(changes: object = {}) {
  return {
    ...volume,
    ...{ group: 'vg0', name: 'home' },
    snapshot: { kind: 'thick', sizeBytes: 1 << 28, ...snapshot },
    archive: {
      ...archive,
      segments: archive.segments.map(withoutHash),
      catalog: withoutHash(archive.catalog),
      sha256: 'c'.repeat(64),
    },
    ...changes,
  }
}

function manifest1(changes: object = {}) {
  const { lvm, ...system } = manifestOf().system
  return { ...manifestOf(), format: 1, volumes: [volume1()], system: { ...system, ...lvm }, ...changes }
}

test('a manifest of format 1 is read in the words of today', () => {
  const read = upgrade(manifestSchema1.parse(manifest1()))
  expect(read.volumes[0]).toMatchObject({ source, level, archive: { sha256: 'c'.repeat(64) } })
  expect(read.volumes[0]).not.toHaveProperty('group')
  expect(read.volumes[0]?.snapshot).toEqual(snapshot)
  expect(read.system).toEqual(manifestOf().system)
})

test('what it says of thin pools comes along', () => {
  const thinPools = { report: [{ lv: [{ lv_name: 'pool' }] }] }
  const { lvm, ...system } = manifestOf().system
  const read = upgrade(manifestSchema1.parse(manifest1({ system: { ...system, ...lvm, thinPools } })))
  expect(read.system.lvm).toEqual({ ...lvm, thinPools })
})

test.each([
  ['a group that is a way upwards', { volumes: [volume1({ group: '..' })] }, ['volumes', 0, 'group']],
  ['a volume that is a path', { volumes: [volume1({ name: 'a/b' })] }, ['volumes', 0, 'name']],
  [
    'a snapshot of a kind that it did not have',
    { volumes: [volume1({ snapshot: { ...snapshot, kind: 'ebs', sizeBytes: 1 } })] },
    ['volumes', 0, 'snapshot', 'kind'],
  ],
  [
    'an archive without a hash of its tar stream',
    { volumes: [volume1({ archive })] },
    ['volumes', 0, 'archive', 'sha256'],
  ],
  ['no LVM, which was the only source', { system: manifestOf().system }, ['system', 'lvs']],
])('is refused: %s', (_, changes, path) => {
  const { error } = manifestSchema1.safeParse(manifest1(changes))
  expect(error?.issues.map((issue) => issue.path)).toContainEqual(path)
})
