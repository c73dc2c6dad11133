/** What makes a restored host start: the boot loader's code, which lies beside all filesystems. */
import type { BootRecord } from '../run/boot-record'
import type { Manifest } from '../run/manifest'
import type { HostLayout } from '../source/rebuild'
import { step, type RebuildStep } from '../source/rebuild-step'

/** Commands after the restore, and what they leave to do. */
export interface BootPlan {
  readonly steps: readonly RebuildStep[]
  readonly notes: readonly string[]
}

/** What the programs of the restored system need of the one that runs. */
const BOUND = ['/dev', '/proc', '/sys']
/** As GRUB calls platforms, by Node's names of architectures. */
const EFI_TARGETS: Readonly<Record<string, string>> = { x64: 'x86_64-efi', arm64: 'arm64-efi' }

/** Whoever had the host had these programs, and chroot keeps root from nothing. */
const RUNS_RESTORED =
  'The last commands run programs of the restored system as root: do it on a machine, and with credentials, that may be lost with ' +
  'the host, or leave them out if an intruder may have been on it.'

/** Nothing where the root of the host was not backed up: it starts from something else. */
export function planBoot({ system, volumes }: Manifest, layout: HostLayout, target: string): BootPlan {
  const { boot } = system
  if (!volumes.some(({ mountPoint }) => mountPoint === '/')) return { steps: [], notes: [] }
  if (!boot) return { steps: [], notes: [byHand(target)] }
  const espAt = volumes.find(({ filesystem }) => filesystem === 'vfat')?.mountPoint
  const bios = planBios(boot, layout, target)
  const efi = planEfi(boot, espAt, system.architecture, target)
  const steps = [...bios.steps, ...efi.steps]
  return {
    steps:
      steps.length === 0
        ? []
        : [...BOUND.map((name) => bind(name, target)), ...steps, ...BOUND.map((name) => release(name, target))],
    notes: [...(steps.length === 0 ? [] : [RUNS_RESTORED]), ...[...bios.notes, ...efi.notes, noteOnInitramfs(target)]],
  }
}

function planBios(boot: BootRecord, { biosDisks }: HostLayout, target: string): BootPlan {
  const { firmware, grubDirectory, grubBiosSetup, grubInstall, hasBiosImage } = boot
  const nothing: BootPlan = { steps: [], notes: firmware === 'bios' ? [byHand(target)] : [] }
  if (grubDirectory === undefined || biosDisks.length === 0) return nothing
  const images = `${grubDirectory}/i386-pc`
  const purpose = (disk: string) => `GRUB's code on ${disk}, from which a BIOS starts`
  if (hasBiosImage && grubBiosSetup !== undefined) {
    // Unlike grub-install it changes none of the files that were restored.
    const setUp = (disk: string) =>
      step(purpose(disk), ['chroot', target, grubBiosSetup, `--directory=${images}`, disk])
    return { steps: biosDisks.map(setUp), notes: [] }
  }
  if (grubInstall === undefined || firmware !== 'bios') return nothing
  const install = (disk: string) => step(purpose(disk), ['chroot', target, grubInstall, '--target=i386-pc', disk])
  return { steps: biosDisks.map(install), notes: [] }
}

/** A new machine has no entries in its firmware, which then starts `EFI/BOOT/BOOT….EFI` (UEFI specification, 3.5.1.1). */
function planEfi(boot: BootRecord, espAt: string | undefined, architecture: string, target: string): BootPlan {
  const { firmware, grubInstall, hasEfiFallback } = boot
  if (firmware !== 'uefi' || (hasEfiFallback && espAt !== undefined)) return { steps: [], notes: [] }
  if (espAt === undefined) {
    return {
      steps: [],
      notes: [
        'The host was started by UEFI, and its EFI system partition was not backed up: install a boot loader there.',
      ],
    }
  }
  const platform = EFI_TARGETS[architecture]
  // That of Red Hat's family refuses: their loaders are signed, and only copied.
  if (platform === undefined || grubInstall === undefined || grubInstall.endsWith('/grub2-install')) {
    const note = `The EFI system partition has no EFI/BOOT/BOOT….EFI, which is what a new machine starts: copy the loader of the system to there, below ${target}${espAt}.`
    return { steps: [], notes: [note] }
  }
  const options = [`--target=${platform}`, `--efi-directory=${espAt}`, '--no-nvram', '--removable']
  return {
    steps: [
      step('GRUB where a UEFI without entries of its own looks for it', ['chroot', target, grubInstall, ...options]),
    ],
    notes: [],
  }
}

function bind(directory: string, target: string): RebuildStep {
  return step("for the boot loader's programs", ['mount', '--bind', directory, `${target}${directory}`])
}

function release(directory: string, target: string): RebuildStep {
  return step('no longer needed', ['umount', `${target}${directory}`])
}

function noteOnInitramfs(target: string): string {
  return (
    `The initramfs is as it was. Where it holds drivers for the old machine alone (Xen, and now NVMe), mount /dev, /proc and /sys in ${target}, ` +
    'and rebuild it from a chroot (update-initramfs -u; dracut --force --regenerate-all).'
  )
}

function byHand(target: string): string {
  return (
    `The boot loader is not on a volume: mount /dev, /proc, /sys and /boot in ${target}, and from a chroot rebuild the ` +
    'initramfs and install the loader (update-initramfs -u, grub-install, update-grub; dracut -f, grub2-install, grub2-mkconfig).'
  )
}
