/** What a manifest says of how its host starts. */
import { z } from 'zod'

/** Words of commands: only what is known is passed on. */
const GRUB_DIRECTORIES = ['/boot/grub', '/boot/grub2'] as const
const GRUB_BIOS_SETUPS = [
  '/usr/lib/grub/i386-pc/grub-bios-setup',
  '/usr/sbin/grub-bios-setup',
  '/usr/sbin/grub2-bios-setup',
] as const
const GRUB_INSTALLS = ['/usr/sbin/grub-install', '/usr/sbin/grub2-install'] as const
const EFI = '/sys/firmware/efi'

export const bootSchema = z.object({
  firmware: z.enum(['bios', 'uefi']).describe('What started the host.'),
  grubDirectory: z.enum(GRUB_DIRECTORIES).optional().describe("GRUB's own, where it has one."),
  grubBiosSetup: z
    .enum(GRUB_BIOS_SETUPS)
    .optional()
    .describe("The program that puts GRUB's code on a disk for a BIOS."),
  grubInstall: z.enum(GRUB_INSTALLS).optional().describe('The program that installs GRUB anew.'),
  hasBiosImage: z.boolean().describe("Whether that code lies among GRUB's files."),
  hasEfiFallback: z
    .boolean()
    .describe('Whether there is an `EFI/BOOT/BOOT….EFI`, which a UEFI starts that has no entry for the system.'),
  hasSystemdBoot: z.boolean().describe('Whether systemd-boot is installed.'),
})
export type BootRecord = Readonly<z.infer<typeof bootSchema>>

/** Finds the files that tell it; what is not there, it complains about. */
export const FIND_BOOT_FILES = [
  ...(['find', EFI, '/boot', '/efi', ...GRUB_BIOS_SETUPS, ...GRUB_INSTALLS] as const),
  ...['-maxdepth', '5', '(', '-path', EFI, '-prune', '-o', '-ipath', '*/efi/boot/boot*.efi', '-o'],
  ...['-ipath', '*/efi/systemd/systemd-boot*.efi', '-o', '-name', 'core.img', '-o', '-name', 'grub.cfg', '-o'],
  ...['-path', '/usr/*', ')', '-print'],
] as const

/** @param found - what {@link FIND_BOOT_FILES} prints */
export function parseBootFiles(found: string): BootRecord {
  const paths = new Set(found.split('\n'))
  const first = <Path extends string>(known: readonly Path[]) => known.find((path) => paths.has(path))
  const some = (pattern: RegExp) => [...paths].some((path) => pattern.test(path))
  const grubDirectory = GRUB_DIRECTORIES.find((directory) =>
    [`${directory}/grub.cfg`, `${directory}/i386-pc/core.img`].some((path) => paths.has(path)),
  )
  const grubBiosSetup = first(GRUB_BIOS_SETUPS)
  const grubInstall = first(GRUB_INSTALLS)
  return {
    firmware: paths.has(EFI) ? 'uefi' : 'bios',
    ...(grubDirectory && { grubDirectory }),
    ...(grubBiosSetup && { grubBiosSetup }),
    ...(grubInstall && { grubInstall }),
    hasBiosImage: grubDirectory !== undefined && paths.has(`${grubDirectory}/i386-pc/core.img`),
    hasEfiFallback: some(/\/efi\/boot\/boot[a-z0-9]+\.efi$/i),
    hasSystemdBoot: some(/\/efi\/systemd\/systemd-boot\w+\.efi$/i),
  }
}
