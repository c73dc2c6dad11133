/** What a manifest says about the LVM of its host, as far as a rebuild needs it. */
import { z } from 'zod'
import { SKIP_TAG, SNAPSHOT_TAG } from '../../contract'
import { AgentError } from '../../errors'
import { visibleVolume } from './reports'
import { listOf } from '../../lib/untrusted'
import type { LvmLayout } from './record'

/** Names become words of commands that somebody runs as root: what LVM would not take is not passed on (lvm(8), "VALID NAMES"). */
const name = z.string().regex(/^(?!\.{1,2}$)[\w+.][\w+.-]*$/)
const device = z.string().regex(/^\/dev(?:\/(?!\.{1,2}(?:\/|$))[\w+.:-]+)+$/)
const bytes = z.string().regex(/^\d+$/).transform(Number).pipe(z.int())
const words = z.string().transform((text) => text.split(',').filter((word) => word !== ''))
/** A volume with our tags would be taken for a leftover of ours, and be removed (lvm(8) says what tags consist of). */
const tags = words.transform((all) =>
  all.filter((tag) => /^[\w+.][\w+./=!:&#-]*$/.test(tag) && (tag === SKIP_TAG || !tag.startsWith(SNAPSHOT_TAG))),
)

const reportOf = <Row>(kind: string, row: z.ZodType<Row>) =>
  z
    .object({ report: z.tuple([z.looseObject({ [kind]: listOf(row) })]) })
    .transform(({ report }) => report[0][kind] as readonly Row[])

const logicalVolumes = reportOf(
  'lv',
  z.object({
    vg_name: name,
    lv_name: name,
    lv_dm_path: device,
    lv_size: bytes,
    lv_layout: words,
    lv_tags: tags,
    origin: visibleVolume,
    pool_lv: visibleVolume,
  }),
)
const pools = reportOf(
  'lv',
  z.object({
    vg_name: name,
    lv_name: name,
    lv_metadata_size: bytes,
    chunk_size: bytes,
    zero: z.string(),
    discards: z.enum(['ignore', 'nopassdown', 'passdown']),
  }),
)
const volumeGroups = reportOf('vg', z.object({ vg_name: name, vg_extent_size: bytes }))
const physicalVolumes = reportOf(
  'pv',
  z.object({
    pv_name: device.or(z.literal('[unknown]')), // so LVM calls a disk that is missing
    vg_name: name.or(z.literal('')),
    pv_size: bytes,
  }),
)

export type LogicalVolumeRow = z.infer<typeof logicalVolumes>[number]
export type PoolRow = z.infer<typeof pools>[number]
export type VolumeGroupRow = z.infer<typeof volumeGroups>[number]
export type PhysicalVolumeRow = z.infer<typeof physicalVolumes>[number]

export interface RebuildReports {
  /** Without snapshots: what they held is gone. */
  readonly logicalVolumes: readonly LogicalVolumeRow[]
  /** Of thin pools; empty where the run was made before they were recorded. */
  readonly pools: readonly PoolRow[]
  /** Those of the logical volumes. */
  readonly volumeGroups: readonly VolumeGroupRow[]
  readonly physicalVolumes: readonly PhysicalVolumeRow[]
}

/** @throws AgentError OUTPUT_UNREADABLE */
export function readRebuildReports(layout: LvmLayout): RebuildReports {
  const volumes = read('lvs', logicalVolumes, layout.lvs).filter(({ origin }) => origin === '')
  const groups = new Set(volumes.map(({ vg_name: group }) => group))
  return {
    logicalVolumes: volumes,
    pools: layout.thinPools === undefined ? [] : read('lvs', pools, layout.thinPools),
    volumeGroups: read('vgs', volumeGroups, layout.vgs).filter(({ vg_name: group }) => groups.has(group)),
    physicalVolumes: read('pvs', physicalVolumes, layout.pvs).filter(({ vg_name: group }) => groups.has(group)),
  }
}

/** What held the host's volume groups. @throws AgentError OUTPUT_UNREADABLE */
export function physicalVolumesOf(layout: LvmLayout): string[] {
  return [...new Set(readRebuildReports(layout).physicalVolumes.map(({ pv_name: device }) => device))]
}

function read<Value>(command: string, schema: z.ZodType<Value>, report: unknown): Value {
  const parsed = schema.safeParse(report)
  if (parsed.success) return parsed.data
  throw new AgentError('OUTPUT_UNREADABLE', `the report of ${command} in the manifest is not understood`, {
    hint: "Rebuild from the text of vgcfgbackup instead: it is in the manifest's system.lvm.groupConfigurations.",
    cause: parsed.error,
  })
}
