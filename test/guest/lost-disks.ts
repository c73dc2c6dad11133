/** A host to be lost whose filesystems lie on partitions, a whole disk, and LVM in a partition; and what must be the same again. */
import type { Guest } from './guest'

/** The first has a table of GPT, the second one of DOS, the third none. */
export const DISKS_MIB = [576, 192, 320]

/** Where trees are built. */
export const TREES = ['/sysroot/boot', '/srv/dos']
/** Everything that a walk of these reaches has to come back. */
export const ROOTS = ['/sysroot', '/srv/dos', '/srv/whole']
export const MOUNT_POINTS = ['/sysroot', '/sysroot/boot', '/sysroot/boot/efi', '/srv/dos', '/srv/whole']

export async function makeHost(guest: Guest): Promise<void> {
  await guest.run(['sh', '-euc', MAKE, 'sh', ...guest.disks])
}

/** No id is one that a tool would choose by itself, and each line of the fstab finds its device another way. */
const MAKE = `
exec >/dev/null
modprobe -a vfat nls_cp437 nls_iso8859-1 nls_utf8
sfdisk --quiet "$1" <<LAYOUT
label: gpt
first-lba: 34
start=34, size=2014, type=21686148-6449-6E6F-744E-656564454649, name=bios, attrs="LegacyBIOSBootable GUID:48"
start=2048, size=40MiB, type=uefi, name="EFI system, and more"
size=128MiB, type=linux
size=16MiB, type=swap, name=swap
type=lvm
LAYOUT
sfdisk --quiet "$2" <<LAYOUT
label: dos
size=8MiB, type=83, bootable
type=5
size=24MiB, type=82
size=128MiB, type=83
LAYOUT
mkfs.vfat -F 32 -n ESP -i 1234ABCD "$1"2 2>&1
mkfs.ext4 -q -L boot -b 4096 -I 512 -N 20000 -m 1 "$1"3
mkswap -L 'gpt swap' "$1"4
vgcreate vg0 "$1"5
lvcreate --size 304M --name root vg0
lvcreate --size 32M --name spare vg0
mkfs.xfs -q -L root -m bigtime=0 -i size=1024 /dev/vg0/root
mkfs.ext2 -q "$2"1
mkswap "$2"5
mkfs.ext3 -q -b 4096 -N 20000 -L 'on dos' "$2"6
mkfs.xfs -q "$3"

id() { blkid -c /dev/null -o value -s "$1" "$2"; }
cat >/etc/fstab <<FSTAB
UUID=$(id UUID /dev/vg0/root)            /sysroot           xfs   defaults    0 1
LABEL=boot                               /sysroot/boot      ext4  noatime     0 2
UUID=$(id UUID "$1"2)                    /sysroot/boot/efi  vfat  umask=0027  0 2
PARTUUID=$(id PARTUUID "$2"6)            /srv/dos           ext3  defaults    0 2
UUID=$(id UUID "$3")                     /srv/whole         xfs   defaults    0 2
PARTLABEL=swap                           none               swap  sw          0 0
FSTAB
mkdir -p /sysroot /srv/dos /srv/whole
mount /sysroot
mkdir --mode=0700 /sysroot/boot
mount /sysroot/boot
mkdir --mode=0711 /sysroot/boot/efi
mount --all
mkdir -p /sysroot/boot/efi/EFI/BOOT /sysroot/boot/grub/i386-pc
head -c 300000 /dev/urandom >/sysroot/boot/efi/EFI/BOOT/BOOTX64.EFI
touch -d '2026-02-03 04:05:06' /sysroot/boot/efi/EFI/BOOT/BOOTX64.EFI
echo 'A name that FAT keeps only as a long one' >'/sysroot/boot/efi/A long näme.txt'
head -c 30000 /dev/urandom >/sysroot/boot/grub/i386-pc/core.img
for directory in /sysroot /srv/whole; do head -c 3000000 /dev/urandom >$directory/data; done
sync
`

/** Boots with this fstab. */
export async function mountAll(guest: Guest, fstab: string): Promise<void> {
  const prepare =
    'modprobe -a vfat nls_cp437 nls_iso8859-1 nls_utf8; cat >/etc/fstab; mkdir -p /sysroot /srv/dos /srv/whole'
  await guest.run(['sh', '-euc', prepare], { input: fstab })
  await guest.run(['mount', '--all'])
}

/** The tables, ids and filesystems of the disks, by what the host called them: to be compared line by line. */
export async function describeHost(guest: Guest, disks: readonly string[]): Promise<string[]> {
  const described = await guest.run(['sh', '-euc', DESCRIBE, 'sh', ...disks], { timeoutSeconds: 60 })
  const names = new Map(disks.map((disk, index) => [disk, `DISK-${index}-`]))
  return described
    .split('\n')
    .map((line) => line.replaceAll(/\/dev\/ubd[a-z]/g, (name) => names.get(name) ?? name))
    .filter((line) => !/^(?:device|last-lba)\b/.test(line))
}

/** Of LVM only names and sizes: its own ids are new. */
const DESCRIBE = `
for disk in "$1" "$2"; do sfdisk --dump "$disk"; done
for device in "$1"2 "$1"3 "$1"4 "$2"1 "$2"5 "$2"6 "$3" /dev/mapper/vg0-root; do
  blkid -p -o export "$device" | grep -vE '^(BLOCK_SIZE|FSLASTBLOCK|FSBLOCKSIZE|PART_ENTRY_DISK)='
done
pvs --noheadings --units b -o pv_name,vg_name
lvs --noheadings --units b -o lv_full_name,lv_size,lv_layout
dumpe2fs -h "$1"3 2>&1 | grep -E 'features|(Inode|Block|Reserved block) (count|size):'
xfs_info "$3"; xfs_info /dev/mapper/vg0-root
`
