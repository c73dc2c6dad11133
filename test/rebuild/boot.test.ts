/** A host whose files are all back does not start yet: the boot loader's code lies beside them. */
import { formatArgv } from '../../agent/host/argv'
import { planBoot } from '../../agent/rebuild/boot'
import type { BootRecord } from '../../agent/run/boot-record'
import { planDevices } from '../../agent/source/rebuild'
import { gptTable } from '../support/partition-tables'
import { manifestOf } from '../support/manifest'
import { volume } from './fixture'

const partitionTables = { '/dev/nvme0n1': gptTable('/dev/nvme0n1') }
const root = { ...volume('root', '/', 'xfs'), device: '/dev/nvme0n1p4' }
const esp = { ...volume('boot.efi', '/boot/efi', 'vfat'), device: '/dev/nvme0n1p2' }
const layout = planDevices(
  { partitionTables },
  [{ device: '/dev/nvme0n1p4', mountPoint: '/', sizeBytes: 1 }],
  [['/dev/nvme0n1', '/dev/xvdf']],
)
const DEBIAN: BootRecord = {
  ...{ firmware: 'bios', grubDirectory: '/boot/grub', grubBiosSetup: '/usr/lib/grub/i386-pc/grub-bios-setup' },
  ...{ grubInstall: '/usr/sbin/grub-install', hasBiosImage: true, hasEfiFallback: true },
  hasSystemdBoot: false,
}

function planOf(changes: Partial<BootRecord>, volumes = [root, esp], architecture = 'x64') {
  const { system } = manifestOf()
  const boot: BootRecord = { ...DEBIAN, ...changes }
  const { steps, notes } = planBoot(manifestOf({ volumes, system: { ...system, architecture, boot } }), layout, '/mnt')
  const commands = steps.map(({ argv }) => formatArgv(argv))
  return { commands, inside: commands.filter((command) => command.startsWith('chroot')), notes: notes.join('\n') }
}

test('GRUB’s code is put where a BIOS finds it, and no file of the host is changed', () => {
  expect(planOf({}).commands).toEqual([
    'mount --bind /dev /mnt/dev',
    'mount --bind /proc /mnt/proc',
    'mount --bind /sys /mnt/sys',
    'chroot /mnt /usr/lib/grub/i386-pc/grub-bios-setup --directory=/boot/grub/i386-pc /dev/xvdf',
    'umount /mnt/dev',
    'umount /mnt/proc',
    'umount /mnt/sys',
  ])
})

test('an operator is told that programs of the lost host will be run, and only where they will', () => {
  const warning = 'run programs of the restored system as root'
  expect(planOf({}).notes).toContain(warning)
  expect(planOf({ grubDirectory: undefined }).notes).not.toContain(warning)
})

test('a host that either starts has both again', () => {
  expect(planOf({ firmware: 'uefi' }).inside).toHaveLength(1)
})

test('without that code among its files, GRUB is installed anew', () => {
  expect(planOf({ hasBiosImage: false }).inside).toEqual([
    'chroot /mnt /usr/sbin/grub-install --target=i386-pc /dev/xvdf',
  ])
})

test.each<[string, Partial<BootRecord>]>([
  ['without GRUB', { grubDirectory: undefined }],
  ['without a program of GRUB', { hasBiosImage: false, grubInstall: undefined }],
])('a host %s is left to its operator', (_, changes) => {
  const { commands, notes } = planOf(changes)
  expect(commands).toEqual([])
  expect(notes).toContain('The boot loader is not on a volume')
})

describe('with UEFI', () => {
  const efi = { firmware: 'uefi', hasBiosImage: false } as const

  test('the files of the ESP are all that it takes', () => {
    expect(planOf(efi)).toMatchObject({ commands: [], notes: expect.not.stringContaining('ESP') as string })
  })

  test.each([
    ['x64', 'x86_64-efi'],
    ['arm64', 'arm64-efi'],
  ])('a loader of the system alone is put where a new machine looks for it: %s', (architecture, target) => {
    const options = `--target=${target} --efi-directory=/boot/efi --no-nvram --removable`
    expect(planOf({ ...efi, hasEfiFallback: false }, [root, esp], architecture).inside).toEqual([
      `chroot /mnt /usr/sbin/grub-install ${options}`,
    ])
  })

  test('one that is signed is to be copied there by hand', () => {
    const { commands, notes } = planOf({ ...efi, hasEfiFallback: false, grubInstall: '/usr/sbin/grub2-install' })
    expect(commands).toEqual([])
    expect(notes).toContain('copy the loader of the system to there, below /mnt/boot/efi')
  })

  test('an ESP that was not backed up is said to be missing', () => {
    expect(planOf(efi, [root]).notes).toContain('its EFI system partition was not backed up')
  })
})

test('nothing is done to a host whose root is not restored', () => {
  expect(planOf({}, [esp])).toEqual({ commands: [], inside: [], notes: '' })
})

test('a manifest that does not tell how its host starts leaves the way by hand', () => {
  const { steps, notes } = planBoot(manifestOf({ volumes: [root] }), layout, '/mnt')
  expect([steps, notes]).toEqual([[], [expect.stringContaining('The boot loader is not on a volume')]])
})
