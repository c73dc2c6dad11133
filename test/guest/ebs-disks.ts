/** Disks as an EC2 host has them: partitions on the first, filesystems without partitions on the others, and no LVM. */
import type { Guest } from './guest'

/** For the stand-in for EC2 to launch a host with. */
export const VOLUMES = [{ sizeGiB: 1 }, { sizeGiB: 1 }, { sizeGiB: 1 }]

/** What `makeEbsDisks` mounts, with a file `moment` in each. The guest's own root stays what it is. */
export const MOUNT_POINTS = ['/sysroot', '/sysroot/boot', '/sysroot/boot/efi', '/srv/a', '/srv/b']

/** @param devices - of {@link VOLUMES} */
export async function makeEbsDisks(guest: Guest, devices: readonly string[]): Promise<void> {
  await guest.run(['sh', '-euc', MAKE, 'sh', ...devices])
}

/** A device node is there as soon as the partition is: the kernel makes it. */
const MAKE = `
exec >/dev/null
modprobe -a vfat nls_cp437 nls_iso8859-1 nls_utf8
sfdisk --quiet "$1" <<LAYOUT
label: gpt
size=64MiB, type=uefi, name=EFI
size=200MiB, type=linux, name=boot
type=linux, name=root
LAYOUT
mkfs.vfat -n EFI "$1"1
mkfs.ext4 -q -L boot "$1"2
mkfs.xfs -q -L root "$1"3
mkfs.ext4 -q "$2"
mkfs.xfs -q "$3"
mount --mkdir "$1"3 /sysroot
mount --mkdir "$1"2 /sysroot/boot
mount --mkdir "$1"1 /sysroot/boot/efi
mount --mkdir "$2" /srv/a
mount --mkdir "$3" /srv/b
for mount_point in ${MOUNT_POINTS.join(' ')}; do echo before >$mount_point/moment; done
# Something to copy.
for filesystem in a b; do dd if=/dev/urandom of=/srv/$filesystem/random bs=1M count=48 status=none; done
sync
`

/** The device whose serial is a volume's id without its hyphen. */
export async function findDisk(guest: Guest, volumeId: string): Promise<string> {
  const list = 'cd /sys/block; for disk in ubd*; do echo "$disk $(cat $disk/serial)"; done'
  const lines = (await guest.run(['sh', '-c', list])).split('\n')
  const line = lines.find((each) => each.endsWith(volumeId.replace('-', '')))
  if (line === undefined) throw new Error(`the guest has no disk of ${volumeId}`)
  return `/dev/${line.split(' ')[0] ?? ''}`
}
