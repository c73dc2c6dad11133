/** What LVM and the mount table say about a host: the commands that ask, and strict parsers of what they answer. */
import { z } from 'zod'
import { AgentError } from '../errors'
import type { Argv } from './command'

export interface LogicalVolume {
  readonly group: string
  readonly name: string
  /** `/dev/mapper/vg0-home`: hyphens in names are doubled. */
  readonly device: string
  /** `254:3`; absent where the volume is not active. */
  readonly deviceNumber?: string
  readonly sizeBytes: number
  readonly tags: readonly string[]
  /** What it is a snapshot of. */
  readonly origin?: string
  /** The thin pool it takes its space from. */
  readonly thinPool?: string
  /** How full a thick snapshot or a thin pool is. */
  readonly dataPercent?: number
  readonly metadataPercent?: number
  /** A thick snapshot that overflowed: what is read from it is not what it was. */
  readonly invalid: boolean
  /** Empty where all is well; otherwise LVM's word for it: `out_of_data`, `failed`, … */
  readonly health: string
}

export interface VolumeGroup {
  readonly name: string
  readonly sizeBytes: number
  readonly freeBytes: number
  readonly extentBytes: number
}

export interface Mount {
  readonly target: string
  /** The device, without the subdirectory of a bind mount. */
  readonly source: string
  readonly filesystem: string
  readonly options: string
  readonly deviceNumber: string
  /** What of the filesystem is mounted: `/`, or a directory of it. */
  readonly root: string
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

/** Everything that selecting volumes and planning snapshots go by. */
export interface HostStorage {
  readonly logicalVolumes: readonly LogicalVolume[]
  readonly groups: readonly VolumeGroup[]
  /** In the order of the mount table: where two have one target, the later one covers the earlier. */
  readonly mounts: readonly Mount[]
  readonly devices: readonly BlockDevice[]
  /** By source: how much of a filesystem is used. */
  readonly usedBytes: ReadonlyMap<string, number>
}

/** What the health of snapshots shows in. */
export type Vitals = Pick<HostStorage, 'logicalVolumes' | 'groups' | 'mounts'>

function report(command: string, columns: readonly string[]): Argv {
  return [command, '--reportformat', 'json', '--units', 'b', '--nosuffix', '--options', columns.join(',')]
}

const bytes = z.string().regex(/^\d+$/).transform(Number)
const words = z.string().transform((text) => (text === '' ? [] : text.split(',')))
const percent = z
  .string()
  .regex(/^(\d+(\.\d+)?)?$/)
  .transform((text) => (text === '' ? undefined : Number(text)))

/** In brackets stand the parts that a cached volume is made of: it is no snapshot of them, and takes its space from no pool. */
export const visibleVolume = z.string().transform((name) => (name.startsWith('[') ? '' : name))

const lvColumns = {
  vg_name: z.string(),
  lv_name: z.string(),
  lv_dm_path: z.string(),
  lv_kernel_major: z.string().regex(/^-?\d+$/),
  lv_kernel_minor: z.string().regex(/^-?\d+$/),
  lv_size: bytes,
  lv_tags: words,
  origin: visibleVolume,
  pool_lv: visibleVolume,
  data_percent: percent,
  metadata_percent: percent,
  lv_snapshot_invalid: z.enum(['', 'snapshot invalid', 'unknown']),
  lv_health_status: z.string(),
}

/**
 * Hidden volumes, the parts of pools and mirrors, are not listed. The last columns are for the manifest, which keeps
 * the report for whoever has to build the host anew.
 */
export const LVS = report('lvs', [...Object.keys(lvColumns), 'lv_uuid', 'lv_layout'])

/** @throws AgentError OUTPUT_UNREADABLE */
export function parseLvs(json: string): LogicalVolume[] {
  return parseReport('lvs', json, 'lv', z.object(lvColumns)).map((row) => ({
    group: row.vg_name,
    name: row.lv_name,
    device: row.lv_dm_path,
    ...(row.lv_kernel_major !== '-1' && { deviceNumber: `${row.lv_kernel_major}:${row.lv_kernel_minor}` }),
    sizeBytes: row.lv_size,
    tags: row.lv_tags,
    ...(row.origin !== '' && { origin: row.origin }),
    ...(row.pool_lv !== '' && { thinPool: row.pool_lv }),
    ...(row.data_percent !== undefined && { dataPercent: row.data_percent }),
    ...(row.metadata_percent !== undefined && { metadataPercent: row.metadata_percent }),
    invalid: row.lv_snapshot_invalid === 'snapshot invalid',
    health: row.lv_health_status,
  }))
}

const vgColumns = { vg_name: z.string(), vg_size: bytes, vg_free: bytes, vg_extent_size: bytes }

export const VGS = report('vgs', [...Object.keys(vgColumns), 'vg_uuid'])

/** @throws AgentError OUTPUT_UNREADABLE */
export function parseVgs(json: string): VolumeGroup[] {
  return parseReport('vgs', json, 'vg', z.object(vgColumns)).map((row) => ({
    name: row.vg_name,
    sizeBytes: row.vg_size,
    freeBytes: row.vg_free,
    extentBytes: row.vg_extent_size,
  }))
}

/** For the manifest only, by the segment type's own columns: one row for each pool. */
export const THIN_POOLS: Argv = [
  ...report('lvs', ['vg_name', 'lv_name', 'lv_metadata_size', 'chunk_size', 'zero', 'discards']),
  ...['--select', 'segtype=thin-pool'],
]

/** For the manifest only. */
export const PVS = report('pvs', ['pv_name', 'pv_uuid', 'vg_name', 'pv_size', 'pv_free'])

/** No column that asks a filesystem anything: one dead network mount would stop the agent. */
export const FINDMNT: Argv = [
  ...['findmnt', '--json', '--list', '--nofsroot'],
  ...['--output', 'TARGET,SOURCE,FSTYPE,OPTIONS,MAJ:MIN,FSROOT,UUID,LABEL'],
] as const

const mountRow = z.object({
  target: z.string(),
  source: z.string().nullable(),
  fstype: z.string(),
  options: z.string(),
  'maj:min': z.string().regex(/^\d+:\d+$/),
  fsroot: z.string(),
  uuid: z.string().nullable(),
  label: z.string().nullable(),
})

/** @throws AgentError OUTPUT_UNREADABLE */
export function parseFindmnt(json: string): Mount[] {
  return parseJson('findmnt', json, z.object({ filesystems: z.array(mountRow) })).filesystems.map((row) => ({
    target: row.target,
    source: row.source ?? '',
    filesystem: row.fstype,
    options: row.options,
    deviceNumber: row['maj:min'],
    root: row.fsroot,
    ...(row.uuid && { uuid: row.uuid }),
    ...(row.label && { label: row.label }),
  }))
}

/** With NAME, it prints a tree: what lies on what. */
export const LSBLK: Argv = ['lsblk', '--json', '--output', 'NAME,MAJ:MIN,TYPE']

interface DeviceNode {
  readonly 'maj:min': string
  readonly type: string
  readonly children?: readonly DeviceNode[] | undefined
}

const deviceNode: z.ZodType<DeviceNode> = z.lazy(() =>
  z.object({
    'maj:min': z.string().transform((text) => text.trim()),
    type: z.string(),
    children: z.array(deviceNode).optional(),
  }),
)

/** @throws AgentError OUTPUT_UNREADABLE */
export function parseLsblk(json: string): BlockDevice[] {
  const devices = new Map<string, BlockDevice>()
  // A volume on several disks is listed below each of them.
  const visit = (node: DeviceNode, below: readonly string[]) => {
    const known = devices.get(node['maj:min'])?.below ?? []
    devices.set(node['maj:min'], {
      deviceNumber: node['maj:min'],
      type: node.type,
      below: [...new Set([...known, ...below])],
    })
    for (const child of node.children ?? []) visit(child, [...below, node.type])
  }
  const { blockdevices } = parseJson('lsblk', json, z.object({ blockdevices: z.array(deviceNode) }))
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
export const DF: Argv = [
  ...['df', '--block-size=1', '--output=used,source'],
  ...['ext2', 'ext3', 'ext4', 'xfs'].map((filesystem) => `--type=${filesystem}`),
] as const

/** A line that is not understood counts for nothing: use is only told to people. */
export function parseDf(text: string): Map<string, number> {
  const rows = text.matchAll(/^ *(\d+) (\S+)$/gm)
  return new Map(Array.from(rows, ([, used, source]) => [source ?? '', Number(used)]))
}

function parseReport<Row>(command: string, json: string, kind: 'lv' | 'vg', row: z.ZodType<Row>): Row[] {
  const shape = z.object({ report: z.tuple([z.looseObject({ [kind]: z.array(row) })]) })
  return parseJson(command, json, shape).report[0][kind] as Row[]
}

function parseJson<Value>(command: string, json: string, shape: z.ZodType<Value>): Value {
  try {
    return shape.parse(JSON.parse(json))
  } catch (cause) {
    const where = cause instanceof z.ZodError ? `at ${cause.issues[0]?.path.join('.') ?? ''} ` : ''
    throw new AgentError(
      'OUTPUT_UNREADABLE',
      `the answer of ${command} is not understood ${where}: ${json.slice(0, 200)}`,
      {
        hint: `This version of ${command} may be newer or older than the agent knows: please report it, with its --version.`,
        cause,
      },
    )
  }
}
