/** What the mount table and the kernel say about a host's filesystems: the commands that ask, and parsers of the answers. */
import { z } from 'zod'
import { parseOutput } from './tool-output'
import type { Argv } from '../context'

export interface Mount {
  readonly target: string
  /** The device, without the subdirectory of a bind mount. */
  readonly source: string
  readonly filesystem: string
  readonly options: string
  readonly deviceNumber: string
  /** What of the filesystem is mounted: `/`, or a directory of it. */
  readonly root: string
  /** Present where it was asked for, and the filesystem has one. */
  readonly uuid?: string
  readonly label?: string
}

export interface BlockDevice {
  readonly deviceNumber: string
  /** `disk`, `part`, `lvm`, `crypt`, `loop`, … */
  readonly type: string
  /** Types of the devices that it lies on. */
  readonly below: readonly string[]
}

/** What the kernel and the mount table say about a host's filesystems. */
export interface HostFilesystems {
  /** In the order of the mount table: where two have one target, the later one covers the earlier. */
  readonly mounts: readonly Mount[]
  readonly devices: readonly BlockDevice[]
  /** By source: how much of a filesystem is used. */
  readonly usedBytes: ReadonlyMap<string, number>
}

const MOUNT_COLUMNS = 'TARGET,SOURCE,FSTYPE,OPTIONS,MAJ:MIN,FSROOT'

/**
 * No column that asks a filesystem anything, nor one that reads a device: one dead network mount, or one disk that does
 * not answer, would stop the agent.
 */
export const FINDMNT: Argv = ['findmnt', '--json', '--list', '--nofsroot', '--output', MOUNT_COLUMNS]

/**
 * With the filesystems' ids, for which every mounted device is read where udev does not know them.
 *
 * @param source - only what is mounted from this device
 */
export function findmntWithIds(source?: string): Argv {
  const columns = ['--output', `${MOUNT_COLUMNS},UUID,LABEL`]
  return [
    'findmnt',
    '--json',
    '--list',
    '--nofsroot',
    ...columns,
    ...(source === undefined ? [] : ['--source', source]),
  ]
}

/** What findmnt does not know is null: of device 0:0 even the number (misc-utils/findmnt.c, `if (!devno) break`). */
const known = z.string().nullish()
const mountRow = z.object({
  target: z.string(),
  source: known,
  fstype: known,
  options: known,
  'maj:min': known,
  fsroot: known,
  uuid: known,
  label: known,
})

/**
 * A row without a mount point is dropped: there is nothing to call it by. What else is missing in a row costs that alone.
 *
 * @throws AgentError OUTPUT_UNREADABLE
 */
export function parseFindmnt(json: string): Mount[] {
  const row = mountRow.or(z.unknown().transform(() => undefined))
  const { filesystems } = parseOutput('findmnt', json, z.object({ filesystems: z.array(row) }))
  return filesystems.flatMap((found) => (found ? [toMount(found)] : []))
}

function toMount(row: z.infer<typeof mountRow>): Mount {
  return {
    target: row.target,
    source: row.source ?? '',
    filesystem: row.fstype ?? '',
    options: row.options ?? '',
    deviceNumber: row['maj:min'] ?? '0:0',
    root: row.fsroot ?? '/',
    ...(row.uuid && { uuid: row.uuid }),
    ...(row.label && { label: row.label }),
  }
}

/** With NAME, it prints a tree: what lies on what. */
export const LSBLK: Argv = ['lsblk', '--json', '--output', 'NAME,MAJ:MIN,TYPE']

interface DeviceNode {
  readonly 'maj:min'?: string | null | undefined
  readonly type?: string | null | undefined
  readonly children?: readonly DeviceNode[] | undefined
}

const deviceNode: z.ZodType<DeviceNode> = z.lazy(() =>
  z.object({ 'maj:min': known, type: known, children: z.array(deviceNode).optional() }),
)

/** @throws AgentError OUTPUT_UNREADABLE */
export function parseLsblk(json: string): BlockDevice[] {
  const devices = new Map<string, BlockDevice>()
  // A volume on several disks is listed below each of them.
  const visit = (node: DeviceNode, below: readonly string[]) => {
    const deviceNumber = node['maj:min']?.trim() ?? ''
    const type = node.type ?? ''
    const already = devices.get(deviceNumber)?.below ?? []
    devices.set(deviceNumber, { deviceNumber, type, below: [...new Set([...already, ...below])] })
    for (const child of node.children ?? []) visit(child, [...below, type])
  }
  const { blockdevices } = parseOutput('lsblk', json, z.object({ blockdevices: z.array(deviceNode) }))
  for (const node of blockdevices) visit(node, [])
  return [...devices.values()]
}

/** What lies on devices. Without its cache, which may be of another time; exits with 2 where there is nothing. */
export function blkid(devices: readonly string[]): Argv {
  return ['blkid', '-c', '/dev/null', '-o', 'export', ...devices]
}

/**
 * Only local filesystems are asked, so that no dead network mount can stop the agent. Not a column of lsblk: that of
 * RHEL 8 has none. Exits with 1 where there is no such filesystem.
 */
export const DF: Argv = dfOf('--block-size=1', '--output=used,source')

/** As `DF`, with inodes. */
export const DF_INODES: Argv = dfOf('--output=iused,source')

function dfOf(...options: readonly string[]): Argv {
  return ['df', ...options, ...['ext2', 'ext3', 'ext4', 'xfs', 'vfat'].map((filesystem) => `--type=${filesystem}`)]
}

/** What `df` counts, by source. A line that is not understood counts for nothing: use is only told to people. */
export function parseDf(text: string): Map<string, number> {
  const rows = text.matchAll(/^ *(\d+) (\S+)$/gm)
  return new Map(Array.from(rows, ([, used, source]) => [source ?? '', Number(used)]))
}
