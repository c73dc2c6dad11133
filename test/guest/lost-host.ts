/** A host to be lost, and what of it must be the same again after a rebuild. */
import type { Guest } from './guest'

/** `vg0` lies on the first two, `tank-1` on the third. */
export const DISKS_MIB = [320, 320, 512]

/** Where a hostile tree is built: thick and thin, ext and xfs, one within another. */
export const TREES = ['/srv', '/srv/mail', '/var/lib/db', '/var/lib/old']

/** Everything that a walk of these reaches has to come back. */
export const ROOTS = ['/srv', '/var/lib/db', '/var/lib/old']

/**
 * Makes a host with volumes of every kind, and an fstab that mounts all of them by UUID. None of its groups, pools and
 * filesystems is as the tools make them unless told.
 */
export async function makeHost(guest: Guest): Promise<void> {
  await guest.run(['sh', '-euc', MAKE, 'sh', ...guest.disks])
}

const MAKE = `
exec >/dev/null
vgcreate --physicalextentsize 8m vg0 "$1" "$2"
vgcreate tank-1 "$3"
lvcreate --size 160M --addtag purpose=web --name srv vg0
lvcreate --size 320M --name mail vg0
lvcreate --size 32M --name swap vg0
lvcreate --size 16M --addtag snapstream.skip --name cache vg0
lvcreate --type thin-pool --size 320M --chunksize 128k --poolmetadatasize 8M --zero n --discards nopassdown --name pool tank-1
lvcreate --virtualsize 512M --thinpool pool --name db-1 tank-1
lvcreate --virtualsize 128M --thinpool pool --name old tank-1

mkfs.ext4 -q -L service -b 4096 -I 512 -N 20000 -m 1 -O ^metadata_csum,^64bit /dev/vg0/srv
mkfs.xfs -q -L mail -m reflink=0,bigtime=0 -i size=1024 /dev/vg0/mail
mkfs.xfs -q /dev/tank-1/db-1
mkfs.ext3 -q -L 'old things' -b 4096 -I 256 /dev/tank-1/old
mkfs.ext4 -q -L cache /dev/vg0/cache
mkswap -L 'old swap' /dev/vg0/swap

uuid() { echo "UUID=$(blkid -c /dev/null -o value -s UUID "$1")"; }
cat >/etc/fstab <<FSTAB
# what        where          type  options           dump pass
$(uuid /dev/vg0/srv)       /srv          ext4  noatime           0 2
$(uuid /dev/vg0/mail)      /srv/mail     xfs   defaults,nodev    0 2
$(uuid /dev/tank-1/db-1)   /var/lib/db   xfs   defaults          0 2
$(uuid /dev/tank-1/old)    /var/lib/old  ext3  defaults          0 2
$(uuid /dev/vg0/cache)     /var/cache/x  ext4  defaults          0 2
$(uuid /dev/vg0/swap)      none          swap  sw                0 0
FSTAB
mkdir -p /srv /var/lib/db /var/lib/old /var/cache/x
mount /srv
# What is mounted there hides it: nothing of it must show on the volume's own root.
mkdir --mode=0700 /srv/mail
chown 1001:1001 /srv/mail
setfacl --modify user:1002:rwx /srv/mail
setfattr --name user.hidden --value '' /srv/mail
mount --all
swapon --all
`

/** Boots with this fstab: everything by UUID. */
export async function mountAll(guest: Guest, fstab: string): Promise<void> {
  await guest.run(['sh', '-euc', 'cat >/etc/fstab; mkdir -p /srv /var/lib/db /var/lib/old /var/cache/x'], {
    input: fstab,
  })
  for (const argv of [['mount', '--all'] as const, ['swapon', '--all'] as const]) await guest.run(argv)
}

/** The layout of the disks, what lies on them, and what is mounted where: to be compared line by line. */
export async function describeHost(guest: Guest): Promise<string[]> {
  const reports = [
    'vgs --noheadings --units b -o vg_name,vg_extent_size',
    'lvs --noheadings --units b -o lv_full_name,lv_size,lv_layout,lv_tags,pool_lv,lv_metadata_size,chunk_size,zero,discards',
    'for volume in /dev/mapper/*-*; do blkid -c /dev/null -s TYPE -s UUID -s LABEL "$volume"; done',
    'for volume in vg0-srv tank--1-old; do dumpe2fs -h /dev/mapper/$volume 2>&1 | grep -E "features|(Inode|Block|Reserved block) (count|size):" | sed "s/^/$volume /"; done',
    'for volume in vg0-mail tank--1-db--1; do xfs_info /dev/mapper/$volume; done',
    'findmnt --list --noheadings --output TARGET,SOURCE,FSTYPE,OPTIONS | grep mapper',
    'swapon --noheadings --raw --show=LABEL,UUID,SIZE',
  ]
  const lines = await Promise.all(reports.map((report) => guest.exec(['sh', '-c', report])))
  // A volume has a line for each of its segments: how many it takes is up to the disks.
  const words = lines.flatMap(({ stdout }) => stdout.split('\n').map((line) => line.trim().replace(/\s+/g, ' ')))
  return [...new Set(words)].sort()
}
