import { findFilesystems, reasonAgainst, type MountedFilesystem } from '../../agent/source/filesystems'
import type { Mount } from '../../agent/host/mounts'
import { storage } from '../support/storage'

const EXT4 = ['ext4']

/** What is found where this is mounted, as its mount points: the one that stands for it first. */
function foundAt(...mounts: NonNullable<Parameters<typeof storage>[0]>['mounts'] & object) {
  return findFilesystems(storage({ mounts })).map(({ mount }) => mount.target)
}

const mounted = (mount: Partial<Mount> = {}, hidden = false): MountedFilesystem => {
  const [found] = findFilesystems(storage({ mounts: [{ of: 0, ...mount }] }))
  return { ...found!, hidden }
}

test.each<[string, Partial<Mount> & { of: number | string }]>([
  ['memory', { of: 'tmpfs', filesystem: 'tmpfs' }],
  ['another server', { of: 'server:/export', filesystem: 'nfs4' }],
  ['a program', { of: '/dev/fuse', filesystem: 'fuse.portal' }],
  ['an image', { of: '/dev/loop0', filesystem: 'squashfs', deviceNumber: '7:0' }],
  ['a disk that was burnt', { of: '/dev/sr0', filesystem: 'iso9660', deviceNumber: '11:0' }],
  ['a snapshot that a killed run left', { of: 0, target: '/run/snapstream/run/vg-lv0' }],
])('there is nothing to lose in %s', (_, mount) => {
  expect(foundAt(mount)).toEqual([])
})

test('a file that is mounted is part of the filesystem that it lies in', () => {
  const devices = [{ deviceNumber: '7:1', type: 'loop', below: [] }]
  const mounts = [{ of: '/dev/loop1', deviceNumber: '7:1' }]
  expect(findFilesystems(storage({ mounts, devices }))).toEqual([])
})

test.each(['btrfs', 'zfs', 'bcachefs'])(
  '%s is on disks, though the kernel gives it a number of its own',
  (filesystem) => {
    expect(foundAt({ of: 'pool/data', filesystem })).toEqual(['/srv'])
  },
)

test('a directory whose name begins as ours does is an operator’s', () => {
  expect(foundAt({ of: 0, target: '/run/snapstream-data' })).toEqual(['/run/snapstream-data'])
})

describe('of several mount points, a filesystem is known by', () => {
  test.each<[string, string[], string]>([
    ['the shortest', ['/mnt/somewhere', '/data', '/mnt/x/y'], '/data'],
    ['the first by name, of those as short', ['/b', '/a'], '/a'],
  ])('%s', (_, targets, expected) => {
    const [found, ...others] = findFilesystems(storage({ mounts: targets.map((target) => ({ of: 0, target })) }))
    expect(others).toEqual([])
    expect(found).toMatchObject({ mount: { target: expected }, targets, hidden: false })
  })

  test('one where all of it is mounted, however long that is', () => {
    expect(foundAt({ of: 0, target: '/b', root: '/part' }, { of: 0, target: '/mnt/whole' })).toEqual(['/mnt/whole'])
  })

  test('one that can be seen, however long that is', () => {
    const mounts = [
      { of: 0, target: '/a' },
      { of: 0, target: '/mnt/visible' },
      { of: 1, target: '/a' },
    ]
    expect(findFilesystems(storage({ mounts })).map(({ mount, hidden }) => [mount.target, hidden])).toEqual([
      ['/mnt/visible', false],
      ['/a', false],
    ])
  })
})

test('a filesystem that another covers is hidden', () => {
  const mounts = [{ of: 0 }, { of: 1 }]
  expect(findFilesystems(storage({ mounts })).map(({ hidden }) => hidden)).toEqual([true, false])
})

test.each<[string, MountedFilesystem, RegExp | undefined]>([
  ['nothing', mounted(), undefined],
  [
    'btrfs, which has one id for itself and its snapshot',
    mounted({ filesystem: 'btrfs' }),
    /^btrfs cannot tell a snapshot/,
  ],
  ['what the source does not know', mounted({ filesystem: 'xfs' }), /^xfs is not supported, only ext4$/],
  ['what lies over it', mounted({}, true), /^something else is mounted over it$/],
  ['a mount point that speaks to a terminal', mounted({ target: '/a\u001b[2K' }), /control characters/],
  ['a label of two lines', mounted({ label: 'a\nb' }), /control characters/],
  ['options that speak to a terminal', mounted({ options: 'rw\u001b[2K' }), /control characters/],
  ['a label in German', mounted({ label: 'größe' }), undefined],
  ['that only a part of it can be seen', mounted({ root: '/part' }), /^only its directory \/part is mounted$/],
])('in the way of a backup is %s', (_, found, reason) => {
  const told = reasonAgainst(found, EXT4)
  if (reason) expect(told).toMatch(reason)
  else expect(told).toBeUndefined()
})
