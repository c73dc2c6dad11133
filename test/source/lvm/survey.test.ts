import type { MountedFilesystem } from '../../../agent/source/filesystems'
import { surveyLvm } from '../../../agent/source/lvm/survey'
import { selectVolumes } from '../../../agent/source/select'
import { refusal } from '../../support/refusal'
import { capturedStorage, storage, surveyOf, type HostStorage } from '../../support/storage'
import { snapshotRequestOf } from '../../support/snapshot-request'

const request = snapshotRequestOf()

/** What is said of the space of all snapshots, by volume group. */
function spacesOf(host: HostStorage) {
  const { volumes } = selectVolumes(surveyOf(host))
  return surveyLvm(host, host)
    .spaces(volumes)
    .map((space): [string, () => string] => [space.name, () => space.describe(request)])
}

test('the space of snapshots is told by volume group', () => {
  expect(spacesOf(capturedStorage()).map(([name, describe]) => [name, describe()])).toEqual([
    ['vg0', expect.stringMatching(/^2 thick, taking \d+ MiB of \d+ MiB free$/)],
    ['vg1', '2 thin'],
  ])
})

test('where one group has no room, the others still have theirs', () => {
  const host = storage({
    freeMiB: 0,
    logicalVolumes: [
      { name: 'a' },
      { group: 'other', name: 'b', device: '/dev/mapper/other-b', thinPool: 'pool' },
      { group: 'other', name: 'pool', dataPercent: 10 },
    ],
    mounts: [
      { of: 0, target: '/a' },
      { of: 1, target: '/b' },
    ],
  })
  const [full, roomy] = spacesOf(host)
  expect(refusal(full![1])).toMatchObject({ code: 'SNAPSHOT_SPACE' })
  expect(roomy).toEqual(['other', expect.any(Function)])
  expect(roomy![1]()).toBe('1 thin')
})

test('an operator without any volume is told what one would be', () => {
  const survey = surveyLvm(storage(), storage())
  const found = { mount: { target: '/boot' }, targets: ['/boot'], hidden: false } as unknown as MountedFilesystem
  expect(`${survey.absence(found)}; ${survey.volumes}`).toBe(
    'not on LVM; a logical volume of LVM with a mounted ext2, ext3, ext4 or xfs filesystem',
  )
})
