/** What the volumes hold: parts of this machine's own files, dressed as on a host with SELinux, and the hostile tree. */
import { lstatSync, readdirSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import type { Guest } from '../test/guest/guest'
import type { GuestTrees } from '../test/support/tree/guest-trees'
import type { GuestPrograms } from './guest-programs'
import { VOLUMES, type Volume } from './machine'

interface Limits {
  readonly bytes: number
  readonly files: number
}

const MIB = 1024 * 1024

/** What is copied into which volume, and how much of it at most, so that the demo takes its time on any machine. */
const SOURCES: Readonly<Record<string, Limits & { readonly from: readonly string[] }>> = {
  host: { from: ['/etc', '/usr/bin', '/usr/sbin', '/usr/lib/python3'], bytes: 110 * MIB, files: 3500 },
  'app-data': { from: ['/usr/lib/git-core', '/usr/share', '/usr/lib'], bytes: 60 * MIB, files: 3000 },
  home: { from: ['/usr/share/zoneinfo', '/usr/share/doc', '/usr/share/perl'], bytes: 30 * MIB, files: 2500 },
}
/** Random bytes, which do not compress. */
const TABLES = { count: 4, mebibytes: 12 } as const

/** Fills all volumes. */
export async function fillVolumes(guest: Guest, trees: GuestTrees, programs: GuestPrograms): Promise<void> {
  for (const volume of VOLUMES) {
    await copyFiles(guest, volume)
    await guest.run(['node', programs.applyMetadata, volume.mountPoint])
    await guest.run(['mkdir', `${volume.mountPoint}/hostile`])
    await trees.build(guest, 'hostile', `${volume.mountPoint}/hostile`)
  }
  const db = VOLUMES.find(({ name }) => name === 'db')!
  const table = `${db.mountPoint}/table`
  const write = `dd if=/dev/urandom of=${table}.$i bs=1M count=${TABLES.mebibytes} status=none`
  await guest.run(['sh', '-ec', `for i in $(seq ${TABLES.count}); do ${write}; done`])
  await guest.run(['sync'])
}

async function copyFiles(guest: Guest, { name, mountPoint }: Volume): Promise<void> {
  const source = SOURCES[name]
  if (!source) return
  const paths = chooseFiles(source.from, source)
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
