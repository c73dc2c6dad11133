/** What the volumes hold: parts of this machine's own files, dressed as on a host with SELinux, and the hostile tree. */
import { lstatSync, readdirSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import type { Guest } from '../test/guest/guest'
import type { GuestTrees } from '../test/support/tree/guest-trees'
import type { GuestPrograms } from './guest-programs'
import type { DemoHost, DemoVolume, Fill } from './host'

type Limits = Pick<Fill, 'bytes' | 'files'>

/** Random bytes, which do not compress. */
const TABLES = { count: 4, mebibytes: 12 } as const

/** Fills all volumes. */
export async function fillVolumes(
  { guest, volumes }: DemoHost,
  trees: GuestTrees,
  programs: GuestPrograms,
): Promise<void> {
  for (const volume of volumes) {
    if (volume.filesystem === 'vfat') {
      await fillBootPartition(guest, volume)
      continue
    }
    await copyFiles(guest, volume)
    await guest.run(['node', programs.applyMetadata, volume.mountPoint])
    await guest.run(['mkdir', `${volume.mountPoint}/hostile`])
    await trees.build(guest, 'hostile', `${volume.mountPoint}/hostile`)
  }
  const db = volumes.find(({ name }) => name === 'db')!
  const table = `${db.mountPoint}/table`
  const write = `dd if=/dev/urandom of=${table}.$i bs=1M count=${TABLES.mebibytes} status=none`
  await guest.run(['sh', '-ec', `for i in $(seq ${TABLES.count}); do ${write}; done`])
  await guest.run(['sync'])
}

/** FAT has no owners, links or attributes: plain files, with long names and short ones. */
async function fillBootPartition(guest: Guest, { mountPoint }: DemoVolume): Promise<void> {
  const make =
    'mkdir -p "$1"/EFI/BOOT "$1"/EFI/debian; cp /bin/bash "$1"/EFI/BOOT/BOOTX64.EFI; cp /etc/os-release "$1"/EFI/debian/grub.cfg'
  await guest.run(['sh', '-ec', make, 'sh', mountPoint])
}

async function copyFiles(guest: Guest, { filled, mountPoint }: DemoVolume): Promise<void> {
  if (!filled) return
  const paths = chooseFiles(filled.from, filled)
  await guest.run(['xargs', '-0', 'cp', '--archive', '--parents', '--target-directory', mountPoint, '--'], {
    input: paths.map((path) => `${path}\0`).join(''),
  })
}

/** As many of the directories' children, whole, as fit; what is in them counts. */
function chooseFiles(directories: readonly string[], limits: Limits): string[] {
  let { bytes, files } = limits
  const present = directories.filter((directory) => lstatSync(directory, { throwIfNoEntry: false })?.isDirectory())
  return present.flatMap((directory) =>
    readdirSync(directory)
      .map((name) => join(directory, name))
      .filter((path) => {
        const size = measure(path, { bytes, files })
        if (!size) return false
        bytes -= size.bytes
        files -= size.files
        return true
      }),
  )
}

/** Undefined as soon as it is more than the limits. */
function measure(path: string, limits: Limits): Limits | undefined {
  const stats: Stats = lstatSync(path)
  let { bytes, files } = { bytes: stats.isFile() ? stats.size : 0, files: 1 }
  if (bytes > limits.bytes || files > limits.files) return undefined
  if (!stats.isDirectory()) return { bytes, files }
  for (const name of readdirSync(path)) {
    const size = measure(join(path, name), { bytes: limits.bytes - bytes, files: limits.files - files })
    if (!size) return undefined
    bytes += size.bytes
    files += size.files
  }
  return { bytes, files }
}
