import { execFileSync } from 'node:child_process'
import { FIND_BOOT_FILES, parseBootFiles } from '../../agent/run/boot-record'

const NOTHING = { firmware: 'bios', hasBiosImage: false, hasEfiFallback: false, hasSystemdBoot: false } // prettier-ignore

test.each<[string, string[], object]>([
  ['nothing at all', [], {}],
  [
    'Debian, for a BIOS and for UEFI',
    [
      ...['/boot/grub/grub.cfg', '/boot/grub/i386-pc/core.img', '/boot/efi/EFI/BOOT/BOOTX64.EFI'],
      ...['/usr/lib/grub/i386-pc/grub-bios-setup', '/usr/sbin/grub-install'],
    ],
    {
      ...{ grubDirectory: '/boot/grub', grubBiosSetup: '/usr/lib/grub/i386-pc/grub-bios-setup' },
      ...{ grubInstall: '/usr/sbin/grub-install', hasBiosImage: true, hasEfiFallback: true },
    },
  ],
  [
    'Red Hat, started by UEFI',
    ['/sys/firmware/efi', '/boot/grub2/grub.cfg', '/usr/sbin/grub2-install'],
    {
      ...{ firmware: 'uefi', grubDirectory: '/boot/grub2', grubInstall: '/usr/sbin/grub2-install' },
    },
  ],
  [
    'systemd-boot, on an ESP of /efi',
    ['/sys/firmware/efi', '/efi/EFI/systemd/systemd-bootx64.efi', '/efi/EFI/BOOT/BOOTAA64.EFI'],
    { firmware: 'uefi', hasSystemdBoot: true, hasEfiFallback: true },
  ],
  ['a loader of the system alone', ['/boot/efi/EFI/debian/grubx64.efi', '/boot/grub/fonts/core.img'], {}],
])('a host that has %s', (_, found, expected) => {
  expect(parseBootFiles(found.join('\n'))).toEqual({ ...NOTHING, ...expected })
})

test('this machine can be asked', () => {
  const [find, ...options] = FIND_BOOT_FILES
  // Status 1 where one of the places is missing: what it prints counts.
  const script = `${find} "$@" 2>/dev/null || [ $? = 1 ]`
  const found = execFileSync('sh', ['-c', script, 'sh', ...options], { encoding: 'utf8' })
  for (const path of found.trim().split('\n').filter(Boolean)) expect(path).toMatch(/^\/(sys|boot|efi|usr)\//)
})
