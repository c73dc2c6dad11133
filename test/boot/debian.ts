/** A small Debian, as its installer leaves it on a disk, with GRUB for a BIOS and for UEFI. */
import { createHash } from 'node:crypto'
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Guest } from '../guest/guest'

const CACHE = resolve(__dirname, '../../.cache/boot')
const SUITE = 'bookworm'
/** What boots, what keeps its filesystems, and what the agent asks. */
const PACKAGES = [
  ...['linux-image-cloud-amd64', 'initramfs-tools', 'grub2-common', 'grub-pc-bin', 'grub-efi-amd64-bin'],
  ...['systemd-sysv', 'udev', 'lvm2', 'xfsprogs', 'e2fsprogs', 'dosfstools', 'fdisk'],
]

/** @returns the file of a tar archive, made once (half a minute) */
export async function makeDebian(): Promise<string> {
  const what = [SUITE, ...PACKAGES].join()
  const file = join(CACHE, `debian-${createHash('sha256').update(what).digest('hex').slice(0, 16)}.tar`)
  if (existsSync(file)) return file
  mkdirSync(CACHE, { recursive: true })
  const unfinished = `${file}.unfinished.tar`
  rmSync(unfinished, { force: true })
  const argv = ['--variant=minbase', `--include=${PACKAGES.join()}`, SUITE, unfinished]
  await promisify(execFile)('mmdebstrap', argv, { maxBuffer: Number.MAX_SAFE_INTEGER })
  renameSync(unfinished, file)
  return file
}

export interface Layout {
  /** Where the root will be; what it lies on is made by then. */
  readonly root: string
  /** `$1` is the disk, whose first three partitions are made. */
  readonly make: string
}

/** The root is the disk's last partition. */
export const PLAIN: Layout = { root: '"$1"4', make: '' }
/** The root, and swap, are on a physical volume in that partition. */
export const ON_LVM: Layout = {
  root: '/dev/vg0/root',
  make: `
vgcreate --quiet vg0 "$1"4
lvcreate --quiet --size 1200M --name root vg0
lvcreate --quiet --size 32M --name swap vg0
mkswap -L swap /dev/vg0/swap`,
}

/** Where the guest has the root of the host that it makes. */
export const ROOT = '/host'

/** Makes the disk, puts Debian on it, installs GRUB, and leaves all of it mounted at {@link ROOT}. */
export async function installDebian(
  guest: Guest,
  disk: string,
  { root, make }: Layout,
  archive: string,
): Promise<void> {
  const script = INSTALL.replaceAll('ROOT_DEVICE', root).replace('MAKE_ROOT', make)
  await guest.run(['sh', '-euc', script, 'sh', disk, archive], { timeoutSeconds: 300 })
}

/** There is no udev in a guest: GRUB finds no ids of filesystems without links to them, nor that a `ubd` has a table of GPT. */
const INSTALL = `
exec >/dev/null
modprobe -a vfat nls_cp437 nls_iso8859-1 nls_utf8
sfdisk --quiet "$1" <<LAYOUT
label: gpt
start=2048, size=1MiB, type=21686148-6449-6E6F-744E-656564454649, name=bios
size=64MiB, type=uefi, name=EFI
size=200MiB, type=linux, name=boot
type=linux, name="root, and all else"
LAYOUT
MAKE_ROOT
mkfs.vfat -n EFI "$1"2
mkfs.ext4 -q -L boot "$1"3
mkfs.xfs -q -L root ROOT_DEVICE
mount --mkdir ROOT_DEVICE ${ROOT}
tar --extract --file "$2" --directory ${ROOT} --xattrs --xattrs-include='*' --exclude './boot/*'
mount --mkdir "$1"3 ${ROOT}/boot
mount --mkdir -o umask=0077 "$1"2 ${ROOT}/boot/efi
tar --extract --file "$2" --directory ${ROOT} ./boot

mkdir -p /dev/disk/by-uuid
uuid() { blkid -c /dev/null -o value -s UUID "$1"; }
for device in "$1"2 "$1"3 ROOT_DEVICE; do ln -s "$device" "/dev/disk/by-uuid/$(uuid "$device")"; done
cat >${ROOT}/etc/fstab <<FSTAB
UUID=$(uuid ROOT_DEVICE) / xfs defaults 0 1
UUID=$(uuid "$1"3) /boot ext4 defaults 0 2
PARTUUID=$(blkid -c /dev/null -o value -s PARTUUID "$1"2) /boot/efi vfat umask=0077 0 2
FSTAB
echo lost >${ROOT}/etc/hostname
cat >${ROOT}/etc/default/grub <<GRUB
GRUB_TIMEOUT=0
GRUB_DISTRIBUTOR=Debian
GRUB_CMDLINE_LINUX="console=ttyS0"
GRUB_TERMINAL=console
GRUB
for directory in dev proc sys; do mount --bind /$directory ${ROOT}/$directory; done
chroot ${ROOT} grub-install --modules=part_gpt --target=i386-pc "$1" 2>&1
chroot ${ROOT} grub-install --modules=part_gpt --target=x86_64-efi --efi-directory=/boot/efi --no-nvram --removable 2>&1
chroot ${ROOT} update-grub 2>&1
umount ${ROOT}/dev ${ROOT}/proc ${ROOT}/sys
sync
`
