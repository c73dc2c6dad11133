/** The lost host: a guest in which the agent sees Debian's root as its own, and what it had to have again. */
import type { Argv } from '../../agent/context'
import { resolve } from 'node:path'
import type { Guest } from '../guest/guest'
import { ROOT } from './debian'

const PROJECT = resolve(__dirname, '../..')

/** Has a command run as if the root of the host were that of the guest: a mount namespace with another root. */
export function withinHost(...argv: readonly string[]): Argv {
  return ['unshare', '--mount', 'sh', '-euc', ENTER, 'sh', ...argv]
}

const ENTER = `
mount --make-rprivate /
for directory in dev proc sys; do mount --rbind /$directory ${ROOT}/$directory; done
mount -t tmpfs tmpfs ${ROOT}/run
mount --mkdir --bind ${PROJECT} ${ROOT}/run/project
# How LVM gets on without udev, which a guest has none of.
mount --bind /etc/lvm/lvmlocal.conf ${ROOT}/etc/lvm/lvmlocal.conf
cd ${ROOT}
pivot_root . mnt
umount -l /mnt
exec "$@"`

/** The agent, where {@link withinHost} sees it. */
export const AGENT_WITHIN: readonly string[] = ['/run/project/node_modules/.bin/node', '/run/project/dist/agent.cjs']

/** All ids of a disk and what is on it, and each file of its boot filesystems, a line each. */
export async function describeDisk(guest: Guest, disk: string, root: string): Promise<string[]> {
  const text = await guest.run(['sh', '-euc', DESCRIBE, 'sh', disk, root], { timeoutSeconds: 120 })
  return text
    .split('\n')
    .map((line) => line.replaceAll(disk, 'DISK'))
    .filter((line) => !/^(?:device|last-lba|DEVNAME|BLOCK_SIZE)\b/.test(line))
}

/** Of LVM's volumes, ids are not kept but for those of their filesystems. */
const DESCRIBE = `
sfdisk --dump "$1"
blkid -c /dev/null -o export "$1" "$1"1 "$1"2 "$1"3
for device in "$1"4 /dev/vg0/*; do
  [ ! -b "$device" ] || blkid -c /dev/null -o export -s LABEL -s TYPE -s PARTUUID -s PARTLABEL "$device"
done
cd "$2"
blkid -c /dev/null -o value -s UUID "$(findmnt --noheadings --output SOURCE --target .)"
find boot -type d -printf '%p %m %U:%G\\n' -o -printf '%p %y %m %U:%G %T@ %s %l\\n' | sort
find boot -type f -exec sha256sum {} + | sort
sha256sum etc/fstab
`
