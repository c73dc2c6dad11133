/** A host with every kind of volume, nested, and with neighbours that are not ours to touch. */
import type { Guest } from './guest'

/** `vg0` lies on the first two, `vg1` on the third; the fourth has a filesystem and no LVM. */
export const DISKS_MIB = [320, 320, 512, 64]

/** Of what `makeVolumes` makes, the volumes of LVM that are backed up, with a file `moment` in each. */
export const MOUNT_POINTS = ['/srv', '/srv/home', '/srv/home/mail', '/srv/plain/db']
/** As small as that, and not on LVM: it is read in place. */
export const PLAIN = '/srv/plain'

/**
 * Makes thick and thin volumes with ext4 and xfs, one of them over two disks, one encrypted, one to be skipped, a
 * snapshot of somebody else's, swap, and bind mounts.
 */
export async function makeVolumes(guest: Guest): Promise<void> {
  await guest.run(['sh', '-euc', MAKE, 'sh', ...guest.disks])
}

/** Mounts them again after a boot. */
export async function mountVolumes(guest: Guest): Promise<void> {
  await guest.run(['sh', '-euc', MOUNT, 'sh', ...guest.disks])
}

const MOUNT = `
mount --mkdir /dev/vg0/srv /srv
mount --mkdir /dev/vg0/home /srv/home
mount --mkdir /dev/vg1/mail /srv/home/mail
mount --mkdir "$4" /srv/plain
mount --mkdir /dev/vg1/db-1 /srv/plain/db
`

const MAKE = `
exec >/dev/null
vgcreate vg0 "$1" "$2"
vgcreate vg1 "$3"
lvcreate --size 64M --stripes 2 --name srv vg0
lvcreate --size 300M --name home vg0
lvcreate --size 16M --name swap vg0
lvcreate --size 8M --addtag snapstream.skip --name scratch vg0
lvcreate --size 24M --name secret vg0
lvcreate --type thin-pool --size 160M --name pool vg1
lvcreate --virtualsize 96M --thinpool pool --name mail vg1
lvcreate --virtualsize 300M --thinpool pool --name db-1 vg1
mkfs.ext4 -q -L service /dev/vg0/srv
mkfs.xfs -q /dev/vg0/home
mkfs.ext4 -q /dev/vg1/mail
mkfs.xfs -q /dev/vg1/db-1
mkfs.ext4 -q "$4"
mkswap /dev/vg0/swap
swapon /dev/vg0/swap
${MOUNT}
for mount_point in ${[...MOUNT_POINTS, PLAIN].join(' ')}; do echo before >$mount_point/moment; done

# An encrypted volume, as cryptsetup makes it, but without its tool.
key=000102030405060708090a0b0c0d0e0f
sectors=$(blockdev --getsz /dev/vg0/secret)
dmsetup create secret --uuid CRYPT-PLAIN-secret --table "0 $sectors crypt aes-cbc-plain $key 0 /dev/vg0/secret 0"
dmsetup mknodes secret
mkfs.ext4 -q /dev/mapper/secret
mount --mkdir /dev/mapper/secret /secret
mkfs.ext4 -q /dev/vg0/scratch
mount --mkdir /dev/vg0/scratch /scratch

# Somebody else's: a snapshot, a mount of the whole elsewhere, and of a part.
lvcreate --snapshot --size 68M --name foreign vg0/srv
mount --mkdir -o ro /dev/vg0/foreign /mnt/foreign
mount --mkdir /dev/vg0/srv /mnt/second-mount
mkdir /srv/home/part
mkdir -p /mnt/part
mount --bind /srv/home/part /mnt/part
sync
`
