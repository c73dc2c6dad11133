import { claimFilesystem, findPlace, freeSlots } from '../../../agent/source/ebs/claim'
import { findFilesystems } from '../../../agent/source/filesystems'
import { DATA, ebsState, mounted, ROOT } from './state'
import type { Mount } from '../../../agent/host/mounts'

function claimOf(deviceNumber: string, changes: Partial<Mount> = {}, state = ebsState()) {
  const filesystems = mounted(deviceNumber, changes)
  return claimFilesystem(state, filesystems, findFilesystems(filesystems)[0]!)
}

test('a partition is a volume, by the device that it really is', () => {
  expect(claimOf('259:3', { target: '/', filesystem: 'xfs', options: 'rw,noatime', label: 'root' })).toEqual({
    volume: {
      ...{ kind: 'ebs', volumeId: ROOT, partition: 3, volume: 'root', device: '/dev/nvme0n1p3' },
      ...{ mountPoint: '/', filesystem: 'xfs', sizeBytes: 2 ** 30, usedBytes: 4096 },
      ...{ uuid: 'u-1', label: 'root', mountOptions: 'rw,noatime' },
    },
  })
})

test('so is a whole disk, which has no partition', () => {
  const claim = claimOf('259:10')
  expect(claim).toMatchObject({ volume: { volumeId: DATA, volume: 'srv', device: '/dev/nvme1n1' } })
  expect(claim).not.toHaveProperty(['volume', 'partition'])
})

test.each<[string, string, string]>([
  [
    'encrypted by the host',
    '253:0',
    'a crypt layer lies between it and its disk, without which a copy could not be read',
  ],
  ['RAID over two disks', '9:0', 'a raid1 layer lies between it and 2 disks, without which a copy could not be read'],
  ['instance store', '259:50', 'nvme5n1 is no volume of EBS, as instance store is none'],
  [
    'a disk that LVM has a part of',
    '259:61',
    'nvme6n1 also holds a physical volume of LVM, and LVM takes no two of the same',
  ],
  ['a Xen disk', '202:80', 'xvdf has no serial, by which its copy would be known (disks of Xen instances have none)'],
  ['no disk of ours', '259:99', 'on no disk of this instance'],
])('%s is left to others, and said why', (_, deviceNumber, absence) => {
  expect(claimOf(deviceNumber)).toBeUndefined()
  const [found] = findFilesystems(mounted(deviceNumber))
  expect(findPlace(ebsState(), found!)).toEqual({ absence })
})

test('a disk that is not attached by EC2’s account is not believed by its serial', () => {
  const facts = { ...ebsState().facts, volumes: [] }
  expect(claimOf('259:3', {}, ebsState({ facts }))).toBeUndefined()
})

test.each<[Partial<Mount>, RegExp]>([
  [{ filesystem: 'btrfs', source: '/dev/nvme1n1', deviceNumber: '0:42' }, /^btrfs cannot tell a snapshot/],
  [{ filesystem: 'ntfs' }, /^ntfs is not supported, only ext2, ext3, ext4, xfs, vfat$/],
  [{ root: '/sub' }, /only its directory/],
])('what cannot be backed up whatever its disk is, is skipped: %j', (changes, reason) => {
  expect(claimOf('259:10', changes)).toEqual({ skipped: expect.stringMatching(reason) as string })
})

describe('places to attach a copy to', () => {
  const copy = {
    ...{ volumeId: DATA, state: 'in-use', createdAt: new Date(0), tags: {} },
    attachment: { instanceId: 'i-0abc1234def567890', deviceName: '/dev/sdp', state: 'attached' },
  }

  test.each<[number | undefined, boolean, number | undefined]>([
    [27, false, 21],
    // With its network interface and its instance store.
    [27, true, 19],
    [6, false, 0],
    [2, false, 0],
    [undefined, false, undefined],
  ])('of %s, shared %s: %s', (attachmentsMax, shared, free) => {
    const limit = attachmentsMax === undefined ? undefined : { attachmentsMax, shared }
    expect(freeSlots(ebsState({ limit }))).toBe(free)
  })

  test('are what an earlier run left, too, since that goes first', () => {
    expect(freeSlots(ebsState({ limit: { attachmentsMax: 6, shared: false }, ownVolumes: [copy] }))).toBe(1)
  })

  test('where there is none, the filesystem is in no state to be backed up', () => {
    const limit = { attachmentsMax: 6, shared: false }
    expect(claimOf('259:10', {}, ebsState({ limit }))).toEqual({
      unfit: '6 volumes are attached to this instance, and no more can be',
      remedy: 'Detach a volume, or use a larger instance type',
    })
  })
})
