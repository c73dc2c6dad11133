import { claimFilesystem } from '../../../agent/source/lvm/claim'
import type { LogicalVolume } from '../../../agent/source/lvm/reports'
import type { BlockDevice, Mount } from '../../../agent/host/mounts'
import { findFilesystems } from '../../../agent/source/filesystems'
import { storage } from '../../support/storage'

/** What LVM says to a filesystem that is mounted at /srv, where this is its logical volume. */
function claimOf(
  volume: Partial<LogicalVolume> = {},
  mount: Partial<Mount> & { readonly of?: number | string } = {},
  device?: BlockDevice,
) {
  const host = storage({ logicalVolumes: [volume], mounts: [{ of: 0, ...mount }], devices: device ? [device] : [] })
  const usedBytes = new Map([['/dev/mapper/vg-lv0', 4096]])
  return claimFilesystem(host.logicalVolumes, { ...host, usedBytes }, findFilesystems(host)[0]!)
}

test('a filesystem on a logical volume is a volume, with all that the manifest will say of it', () => {
  expect(claimOf({ thinPool: 'pool' }, { uuid: 'u-1', label: 'data', options: 'rw,noatime' })).toEqual({
    volume: {
      ...{ kind: 'lvm', group: 'vg', name: 'lv0', volume: 'vg-lv0', device: '/dev/mapper/vg-lv0', thinPool: 'pool' },
      ...{ mountPoint: '/srv', filesystem: 'ext4', sizeBytes: 1024 ** 3, usedBytes: 4096 },
      ...{ uuid: 'u-1', label: 'data', mountOptions: 'rw,noatime' },
    },
  })
})

test('what a filesystem does not say of itself is nothing', () => {
  expect(claimOf()).toMatchObject({ volume: { uuid: '', label: '' } })
  expect(claimOf()).not.toHaveProperty(['volume', 'thinPool'])
})

test('a filesystem that is not on LVM is left to others', () => {
  expect(claimOf({}, { of: '/dev/nvme0n1p1', deviceNumber: '259:1' })).toBeUndefined()
  const partition = { deviceNumber: '259:1', type: 'part', below: ['disk'] }
  expect(claimOf({}, { of: '/dev/nvme0n1p1', deviceNumber: '259:1' }, partition)).toBeUndefined()
})

test('btrfs is known by its device: its number is its own', () => {
  const btrfs = { of: '/dev/mapper/vg-lv0', deviceNumber: '0:42', filesystem: 'btrfs' }
  expect(claimOf({}, btrfs)).toEqual({ skipped: expect.stringMatching(/^btrfs cannot tell a snapshot/) as string })
})

test('encryption between a filesystem and its volume is told of', () => {
  const crypt = { deviceNumber: '254:7', type: 'crypt', below: ['lvm', 'disk'] }
  expect(claimOf({}, { of: '/dev/mapper/secret', deviceNumber: '254:7' }, crypt)).toEqual({
    skipped: 'a crypt layer lies between it and its logical volume, and a snapshot could not be read without that',
  })
})

test.each<[string, Partial<LogicalVolume>, string]>([
  ['that an operator wants left out', { tags: ['snapstream.skip'] }, 'its logical volume is tagged snapstream.skip'],
  ['that is a snapshot', { origin: 'home' }, 'it is itself a snapshot, of vg/home'],
])('a volume %s is skipped, whatever its state', (_, volume, skipped) => {
  expect(claimOf(volume)).toEqual({ skipped })
  expect(claimOf({ ...volume, suspended: true })).toEqual({ skipped })
})

describe('a volume in no state to be snapshotted', () => {
  test.each<[string, Partial<LogicalVolume>, string]>([
    ['that hangs', { suspended: true }, 'vg/lv0 is suspended, so that everything that uses it waits'],
    ['that lvs tells nonsense of', { unreadable: 'no size' }, 'what lvs reports of vg/lv0 is not understood: no size'],
  ])('%s: it is missed, with what to look at', (_, volume, unfit) => {
    const remedy = 'Look at "dmsetup info /dev/mapper/vg-lv0" and "lvs --all"'
    expect(claimOf(volume)).toEqual({ unfit, remedy })
  })

  test('since LVM does not know it any more: it is missed, too', () => {
    const orphan = { deviceNumber: '254:9', type: 'lvm', below: ['disk'] }
    expect(claimOf({}, { of: '/dev/mapper/vg-gone', deviceNumber: '254:9' }, orphan)).toEqual({
      unfit: 'lvs does not list its logical volume',
      remedy: 'Look at "dmsetup info /dev/mapper/vg-gone" and "lvs --all"',
    })
  })

  test('that would not be backed up in any state: it is not missed', () => {
    expect(claimOf({ suspended: true }, { filesystem: 'vfat' })).toEqual({
      skipped: 'vfat is not supported, only ext2, ext3, ext4, xfs',
    })
  })
})
