import { formatArgv } from '../../agent/host/argv'
import { planRebuild } from '../../agent/rebuild/rebuild'
import { manifestOf } from '../support/manifest'
import { gptTable } from '../support/partition-tables'
import { refusal } from '../support/refusal'
import { options, volume } from './fixture'

const FAT = { mountOptions: 'rw,relatime,fmask=0077,dmask=0077,codepage=437,iocharset=ascii,errors=remount-ro' }
const root = { ...volume('root', '/', 'xfs'), device: '/dev/nvme0n1p4' }
const boot = { ...volume('boot', '/boot', 'ext4', 'boot'), device: '/dev/nvme0n1p3' }
const esp = { ...volume('boot.efi', '/boot/efi', 'vfat', 'EFI'), ...FAT, uuid: '2BFB-1699', device: '/dev/nvme0n1p2' }
const data = { ...volume('srv', '/srv', 'xfs'), device: '/dev/nvme1n1' }

const withoutLvm = { ...manifestOf().system, lvm: undefined }

type Volume = ReturnType<typeof volume>

function planOf(volumes: readonly Volume[], system: Partial<ReturnType<typeof manifestOf>['system']> = {}) {
  const partitionTables = { '/dev/nvme0n1': gptTable('/dev/nvme0n1') }
  const manifest = manifestOf({ volumes, system: { ...withoutLvm, partitionTables, ...system } })
  const disks = [['/dev/nvme0n1', '/dev/xvdf'] as const, ['/dev/nvme1n1', '/dev/xvdg'] as const]
  const had = disks.filter(
    ([disk]) => disk in manifest.system.partitionTables! || volumes.some(({ device }) => device === disk),
  )
  const plan = planRebuild(manifest, { ...options, disks: had })
  const commands = plan.steps.map(({ argv }) => formatArgv(argv))
  return { ...plan, commands, starting: (word: string) => commands.filter((command) => command.startsWith(word)) }
}

test('filesystems on partitions and on a whole disk have their ids again, on the disks that are there now', () => {
  const { starting } = planOf([esp, root, data, boot], { filesystems: { 'boot.efi': 'TYPE=vfat\nVERSION=FAT16\n' } })
  expect(starting('mkfs')).toEqual([
    'mkfs.xfs -q -m uuid=uuid-of-root /dev/xvdf4',
    'mkfs.ext4 -q -U uuid-of-boot -L boot /dev/xvdf3',
    'mkfs.vfat -F 16 -i 2BFB1699 -n EFI /dev/xvdf2',
    'mkfs.xfs -q -m uuid=uuid-of-srv /dev/xvdg',
  ])
})

test('each is mounted below the one that it was mounted in, FAT with the owners and modes that its files had', () => {
  const { starting } = planOf([esp, root, data, boot])
  expect(starting('mount')).toEqual([
    'mount /dev/xvdf4 /mnt',
    'mount /dev/xvdf3 /mnt/boot',
    'mount -o fmask=0077,dmask=0077 /dev/xvdf2 /mnt/boot/efi',
    'mount /dev/xvdg /mnt/srv',
  ])
})

test('swap on a partition is made again, and a partition that was not backed up is empty', () => {
  const signatures = 'DEVNAME=/dev/nvme0n1p2\nUUID=A-B\nTYPE=swap\n\nDEVNAME=/dev/nvme0n1p3\nTYPE=btrfs\n'
  const { starting, notes } = planOf([root], { signatures })
  expect(starting('mkswap')).toEqual(['mkswap -U A-B /dev/xvdf2'])
  expect(notes).toContain('/dev/xvdf3 was not backed up: here it is empty, without a filesystem.')
})

test('an fstab that names partitions by their own ids misses nothing', () => {
  const fstab =
    'PARTUUID=A6A7DE96-52a6-654a-aaef-97123fd8c541 /boot/efi vfat\nPARTLABEL="boot" /boot ext4\nPARTLABEL=x /x xfs\n'
  const { notes } = planOf([esp, root, boot], { fstab })
  expect(notes.filter((note) => note.startsWith('fstab'))).toEqual([
    'fstab has PARTLABEL=x for /x, which is not created here: without it, the boot may stop.',
  ])
})

test('a partition of a disk whose table is not known has to be there', () => {
  const { starting, notes } = planOf([root, data], {
    partitionTables: {},
    blockDevices: {
      blockdevices: [
        { name: 'nvme0n1p4', type: 'part' },
        { name: 'nvme1n1', type: 'disk' },
      ],
    },
  })
  expect(starting('sfdisk')).toEqual([])
  expect(notes.filter((note) => note.includes('was of type'))).toEqual([
    '/dev/nvme0n1p4 was of type part: create it first, or give a whole disk with --disk.',
  ])
})

describe('what no host can have had is refused', () => {
  test.each<[string, Partial<Volume>, string]>([
    ['a serial of FAT that is an option', { uuid: '-I' }, 'ARCHIVE_DAMAGED'],
    ['a device that is none', { device: 'tmpfs' }, 'OUTPUT_UNREADABLE'],
    ['a device that leads elsewhere', { device: '/dev/nvme0n1/../sda' }, 'OUTPUT_UNREADABLE'],
    ['a device of LVM that is not where those are', { device: '/dev/mapper/../sda' }, 'ARCHIVE_DAMAGED'],
  ])('%s', (_, changes, code) => {
    expect(refusal(() => planOf([root, { ...esp, ...changes }]))).toMatchObject({ code })
  })

  test('options of mount that are not those of owners and modes', () => {
    const { starting } = planOf([root, { ...esp, mountOptions: 'uid=0,umask=x,loop,fmask=0077;exec,gid=12,exec' }])
    expect(starting('mount -o')).toEqual(['mount -o uid=0,gid=12 /dev/xvdf2 /mnt/boot/efi'])
  })
})
