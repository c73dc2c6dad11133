/** A host on LVM as its installer leaves it: the EFI system partition and /boot are partitions beside it. */
import type { Guest } from './guest'

/** `vg0` lies on the first; the second has partitions, the third a filesystem that is too large once it is filled. */
export const DISKS_MIB = [160, 320, 1600]

export const MOUNT_POINTS = ['/boot', '/boot/efi', '/srv', '/srv/large']

export async function makeQuietDisks(guest: Guest): Promise<void> {
  await guest.run(['sh', '-euc', MAKE, 'sh', ...guest.disks])
}

/** What a kernel's package, its boot loader and an administrator leave in there. */
const MAKE = `
exec >/dev/null
modprobe -a vfat nls_cp437 nls_iso8859-1 nls_utf8
vgcreate vg0 "$1"
lvcreate --size 64M --name srv vg0
mkfs.ext4 -q /dev/vg0/srv
sfdisk --quiet "$2" <<LAYOUT
label: gpt
size=64MiB, type=uefi, name=EFI
size=200MiB, type=linux, name=boot
LAYOUT
mkfs.vfat -n EFI "$2"1
mkfs.ext4 -q -L boot "$2"2
mkfs.xfs -q "$3"
mount --mkdir /dev/vg0/srv /srv
mount --mkdir "$3" /srv/large
mount --mkdir "$2"2 /boot
mkdir -m 0711 /boot/efi
chown 7:8 /boot/efi
mount "$2"1 /boot/efi

mkdir -p /boot/grub2 /boot/efi/EFI/BOOT
head -c 9000000 /dev/urandom >/boot/vmlinuz-6.1.0
ln /boot/vmlinuz-6.1.0 /boot/vmlinuz.old
ln -s vmlinuz-6.1.0 /boot/vmlinuz
truncate --size 40M /boot/initramfs-6.1.0.img
head -c 100000 /dev/urandom | dd of=/boot/initramfs-6.1.0.img bs=1M seek=20 conv=notrunc status=none
setfattr -n user.origin -v installer /boot/vmlinuz-6.1.0
setfacl -m u:9:r /boot/grub2
chmod 0600 /boot/initramfs-6.1.0.img
head -c 900000 /dev/urandom >/boot/efi/EFI/BOOT/BOOTX64.EFI
echo 'set prefix' >/boot/efi/EFI/BOOT/grub.cfg
for mount_point in ${MOUNT_POINTS.join(' ')}; do echo before >$mount_point/moment; done
sync
`
