/** What a manifest keeps of a host's disks below its filesystems, and of how it starts. None of it may hold a backup up. */
import { flattenBlockDevices } from '../host/block-devices'
import { blkid } from '../host/mounts'
import { FIND_BOOT_FILES, parseBootFiles, type BootRecord } from '../run/boot-record'
import type { Argv, CommandResult, HostDeps } from '../context'
import { describeError, hasCode } from '../errors'
import { parsePartitionTable } from '../source/disks/table'

/** Tables and signatures of all disks are not worth more of a backup's time (design limit). */
const DISKS_SECONDS_MAX = 30
/** A disk answers within a second, or there is something wrong with it. */
const DISK_SECONDS_MAX = 10

/** By the disk's device. A disk that does not answer ends the reading; so do many that answer late. */
export async function readPartitionTables(deps: HostDeps, blockDevices: unknown): Promise<Record<string, string>> {
  const deadline = deps.now().getTime() + DISKS_SECONDS_MAX * 1000
  const tables: Record<string, string> = {}
  for (const { name, type, children } of flattenBlockDevices(blockDevices)) {
    if (type !== 'disk' || !children.some((child) => child.type === 'part')) continue
    const disk = deviceOf(name)
    const result = await ask(deps, ['sfdisk', '--dump', disk], DISK_SECONDS_MAX)
    const reason = result ? reasonAgainst(disk, result) : 'sfdisk cannot be run'
    if (reason === undefined) tables[disk] = result?.stdout ?? ''
    else deps.log.warn(`the partition table of ${disk} is not in the manifest: ${reason}`)
    if (!result || result.hangs || result.killedBy || deps.now().getTime() > deadline) break
  }
  return tables
}

/** What no rebuild could use is told now, while somebody can do something about it. */
function reasonAgainst(disk: string, { status, stdout, stderr }: CommandResult): string | undefined {
  if (status !== 0) return stderr.trim()
  try {
    parsePartitionTable(disk, stdout)
    return undefined
  } catch (error) {
    return describeError(error)[0]
  }
}

/**
 * What blkid found on disks and partitions: on those of the sources it is asked first, and apart.
 *
 * @param devices - of the sources
 */
export async function readSignatures(
  deps: HostDeps,
  devices: readonly string[],
  blockDevices: unknown,
): Promise<string> {
  const others = flattenBlockDevices(blockDevices)
    .filter(({ type, children }) => type === 'part' || (type === 'disk' && children.length === 0))
    .map(({ name }) => deviceOf(name))
    .filter((device) => !devices.includes(device))
  const texts = []
  for (const list of [devices, others]) {
    const found = list.length === 0 ? undefined : await ask(deps, blkid([...new Set(list)]), DISKS_SECONDS_MAX)
    if (found && found.stdout !== '') texts.push(found.stdout)
  }
  return texts.join('\n')
}

/** Undefined where it cannot be told. */
export async function readBoot(deps: HostDeps): Promise<BootRecord | undefined> {
  // Its status tells only whether all of the places are there.
  const found = await ask(deps, FIND_BOOT_FILES, DISK_SECONDS_MAX)
  return found === undefined || found.hangs || found.killedBy ? undefined : parseBootFiles(found.stdout)
}

/** Undefined where it cannot be run. */
async function ask(deps: HostDeps, argv: Argv, timeoutSeconds: number): Promise<CommandResult | undefined> {
  return deps.host.attempt(argv, deps.signal, { timeoutSeconds }).catch((error: unknown) => {
    if (hasCode(error, 'INTERRUPTED')) throw error
    return undefined
  })
}

function deviceOf(name: string): string {
  return `/dev/${name}`
}
