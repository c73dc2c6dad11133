/** What LVM says about a host: the commands that ask, and strict parsers of what they answer. */
import { z } from 'zod'
import type { Mount } from '../../host/mounts'
import { parseOutput } from '../../host/tool-output'
import type { Argv } from '../../context'

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
  /** Everything that uses it waits until it is resumed. */
  readonly suspended?: boolean
  /** Why its row in the report is not understood: then nothing else here may be relied upon but its name. */
  readonly unreadable?: string
}

export interface VolumeGroup {
  readonly name: string
  readonly sizeBytes: number
  readonly freeBytes: number
  readonly extentBytes: number
}

/** What LVM says of a host. */
export interface LvmState {
  readonly logicalVolumes: readonly LogicalVolume[]
  readonly groups: readonly VolumeGroup[]
}

/** What the health of snapshots shows in. */
export interface SnapshotState extends LvmState {
  /** In the order of the mount table: where two have one target, the later one covers the earlier. */
  readonly mounts: readonly Mount[]
}

/**
 * What lvm.conf could change of a report's meaning, by LVM's defaults (`lvmconfig --type default report`). What is given
 * on the command line goes before lvm.conf, lvmlocal.conf and profiles (man lvm.conf, "SYNTAX").
 */
const REPORT_CONFIG = `report { ${[
  'list_item_separator=","',
  'binary_values_as_numeric=0',
  'mark_hidden_devices=1',
  'compact_output=0',
  'compact_output_cols=""',
  'columns_as_rows=0',
  'prefixes=0',
  'quoted=1',
  'headings=1',
  'buffered=1',
].join(' ')} }`

function reportCommand(command: string, columns: readonly string[]): Argv {
  const units = ['--units', 'b', '--nosuffix']
  return [command, '--config', REPORT_CONFIG, '--reportformat', 'json', ...units, '--options', columns.join(',')]
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
  lv_suspended: z.enum(['', 'suspended']).optional(),
}

const lvRow = z.object(lvColumns)

/**
 * Hidden volumes, the parts of pools and mirrors, are not listed. The last columns are for the manifest, which keeps
 * the report for whoever has to build the host anew.
 */
export const LVS = reportCommand('lvs', [...Object.keys(lvColumns), 'lv_uuid', 'lv_layout'])

/**
 * A row that is not understood is that volume's affair: it is listed as `unreadable`.
 *
 * @throws AgentError OUTPUT_UNREADABLE where not even a volume's name is
 */
export function parseLvs(json: string): LogicalVolume[] {
  const named = z.looseObject({ vg_name: z.string(), lv_name: z.string() })
  return parseReport('lvs', json, 'lv', named).map((named) => {
    const row = lvRow.safeParse(named)
    return row.success ? toLogicalVolume(row.data) : unreadableVolume(named, row.error)
  })
}

function toLogicalVolume(row: z.infer<typeof lvRow>): LogicalVolume {
  return {
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
    ...(row.lv_suspended === 'suspended' && { suspended: true }),
  }
}

/** Whatever it is, it is not in order: no snapshot of it is believed in, and no pool is given snapshots. */
function unreadableVolume(
  { vg_name: group, lv_name: name, ...row }: Record<string, unknown> & { vg_name: string; lv_name: string },
  error: z.ZodError,
): LogicalVolume {
  const column = error.issues[0]?.path.join('.') ?? ''
  const mapped = `/dev/mapper/${group.replaceAll('-', '--')}-${name.replaceAll('-', '--')}`
  return {
    ...{ group, name, sizeBytes: 0, invalid: false },
    device: z.string().catch(mapped).parse(row['lv_dm_path']),
    tags: words.catch([]).parse(row['lv_tags']),
    health: 'a row that is not understood',
    unreadable: `${column} is ${JSON.stringify(row[column])}`,
  }
}

const vgColumns = { vg_name: z.string(), vg_size: bytes, vg_free: bytes, vg_extent_size: bytes }

export const VGS = reportCommand('vgs', [...Object.keys(vgColumns), 'vg_uuid'])

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
  ...reportCommand('lvs', ['vg_name', 'lv_name', 'lv_metadata_size', 'chunk_size', 'zero', 'discards']),
  ...['--select', 'segtype=thin-pool'],
]

/** For the manifest only. */
export const PVS = reportCommand('pvs', ['pv_name', 'pv_uuid', 'vg_name', 'pv_size', 'pv_free'])

function parseReport<Row>(command: string, json: string, kind: 'lv' | 'vg', row: z.ZodType<Row>): Row[] {
  const shape = z.object({ report: z.tuple([z.looseObject({ [kind]: z.array(row) })]) })
  return parseOutput(command, json, shape).report[0][kind] as Row[]
}
