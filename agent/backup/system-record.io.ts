import { readFile } from 'node:fs/promises'
import { arch, hostname, release, setPriority } from 'node:os'
import type { InstanceRecord } from '../bucket/instance-record'
import { AgentError, hasCode } from '../errors'
import { readLayouts } from '../source/sources.io'
import { readBoot, readPartitionTables, readSignatures } from './disk-record.io'
import type { Manifest, SystemRecord } from '../run/manifest'
import type { Volume } from '../source/source'
import { parseOutput } from '../host/tool-output'
import { findTarDefect, parseTarVersion, TAR_FEATURES, TAR_VERSION } from '../tar/commands'
import type { HostDeps, Argv } from '../context'

/** Some filesystems and swap are not worth more of a backup's time (design limit). */
const SIGNATURES_SECONDS_MAX = 30

/** Filled in by the build. */
export const agentVersion = process.env['SNAPSTREAM_VERSION'] ?? 'unreleased'

const BLOCK_DEVICES: Argv = [
  'lsblk',
  '--json',
  '--bytes',
  '--output',
  'NAME,KNAME,PKNAME,TYPE,SIZE,FSTYPE,UUID,LABEL,PARTUUID,PARTTYPE,MOUNTPOINT',
]

const BLOCK_DEVICES_UNREAD: Argv = [
  ...['lsblk', '--json', '--bytes'],
  ...['--output', 'NAME,KNAME,PKNAME,TYPE,SIZE,MOUNTPOINT'],
] as const

/**
 * Which programs make the archives.
 *
 * @throws AgentError TOOL_MISSING, TOOL_TOO_OLD where this tar would lose something
 */
export async function readTools({ host, signal }: HostDeps): Promise<Manifest['agent']> {
  const tar = parseTarVersion(await host.run(TAR_VERSION, signal))
  const { stderr } = await host.attempt(TAR_FEATURES, signal)
  const defect = findTarDefect(tar, stderr)
  if (defect !== undefined) {
    throw new AgentError('TOOL_TOO_OLD', defect, {
      hint: 'Install GNU tar 1.29 or later with xattr, ACL and SELinux support.',
    })
  }
  return { version: agentVersion, node: process.version, tar }
}

/** What a record of the host takes besides. */
export interface SystemDeps extends HostDeps {
  /** Undefined where this is no instance of EC2. Absent where nothing is to be asked. */
  readonly readInstance?: () => Promise<InstanceRecord | undefined>
}

/** Reads what a rebuild of this host on empty disks needs. To be read before snapshots clutter the reports. */
export async function readSystem(deps: SystemDeps, volumes: readonly Volume[]): Promise<SystemRecord> {
  const { layouts, devices } = await readLayouts(deps, volumes)
  const blockDevices = await readBlockDevices(deps)
  const partitionTables = await readPartitionTables(deps, blockDevices)
  const boot = await readBoot(deps)
  const instance = await deps.readInstance?.()
  return {
    hostname: hostname(),
    kernel: release(),
    architecture: arch(),
    osRelease: await textOf('/etc/os-release'),
    fstab: await textOf('/etc/fstab'),
    ...layouts,
    ...(Object.keys(partitionTables).length > 0 && { partitionTables }),
    ...(boot && { boot }),
    ...(instance && { instance }),
    blockDevices,
    signatures: await readSignatures(deps, devices, blockDevices),
    filesystems: await readFilesystems(deps, volumes),
  }
}

/** Where a device does not answer, without what would have to be read from devices. */
async function readBlockDevices(deps: HostDeps): Promise<unknown> {
  const options = { timeoutSeconds: SIGNATURES_SECONDS_MAX }
  const { status, stdout } = await deps.host.attempt(BLOCK_DEVICES, deps.signal, options)
  return status === 0
    ? parseOutput('lsblk', stdout)
    : parseOutput('lsblk', await deps.host.run(BLOCK_DEVICES_UNREAD, deps.signal, options))
}

/** Prints what a filesystem is made of. Reads the superblock only. */
function describeFilesystem({ filesystem, device, mountPoint }: Volume): Argv {
  if (filesystem === 'vfat') return ['blkid', '-p', '-o', 'export', device]
  return filesystem === 'xfs' ? ['xfs_info', mountPoint] : ['dumpe2fs', '-h', device]
}

/** The tools of a filesystem need not be there for it to be backed up. */
async function readFilesystems(
  { host, signal }: HostDeps,
  volumes: readonly Volume[],
): Promise<Record<string, string>> {
  const texts: Record<string, string> = {}
  for (const volume of volumes) {
    const text = await optional(
      host.run(describeFilesystem(volume), signal, { timeoutSeconds: SIGNATURES_SECONDS_MAX }),
    )
    if (text !== undefined) texts[volume.volume] = text
  }
  return texts
}

/** Undefined where a command failed or is not there. */
async function optional<T>(answer: Promise<T>): Promise<T | undefined> {
  return answer.catch((error: unknown) => {
    if (hasCode(error, 'INTERRUPTED')) throw error
    return undefined
  })
}

/** A host without the file is a host all the same: the record says so by an empty text. */
async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

/** Sizes in bytes of those of the disks that this host has. */
export async function readDiskSizes(
  { host, signal }: HostDeps,
  disks: readonly string[],
): Promise<Map<string, number>> {
  const sizes = new Map<string, number>()
  for (const disk of disks) {
    const argv: Argv = ['lsblk', '--nodeps', '--noheadings', '--bytes', '--output', 'SIZE', disk]
    const sizeBytes = await optional(host.run(argv, signal))
    // A size that is not understood is not known, as of a disk that is not there.
    if (sizeBytes !== undefined && /^\d+$/.test(sizeBytes.trim())) sizes.set(disk, Number(sizeBytes))
  }
  return sizes
}

/** Lowers the priority of this process and all that it starts from now on. @param niceness - 0 to 19 */
export function lowerPriority(niceness: number): void {
  setPriority(niceness)
}
