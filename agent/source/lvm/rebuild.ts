/** Makes a host's volume groups and logical volumes again on empty disks, as its manifest has them. */
import { AgentError } from '../../errors'
import { formatBytes } from '../../lib/text'
import { step, type DeviceLayout, type RebuildStep, type ReplacedDisks } from '../rebuild-step'
import {
  readRebuildReports,
  type LogicalVolumeRow,
  type PhysicalVolumeRow,
  type PoolRow,
  type RebuildReports,
  type VolumeGroupRow,
} from './rebuild-reports'
import { DEVICES_FILE, type LvmLayout } from './record'

/** At the start of a physical volume, for LVM itself (`devices/data_alignment` of lvm.conf). */
const RESERVED_BYTES = 1024 * 1024

/** A volume group on the disks that are there now. */
interface PlannedGroup {
  readonly name: string
  readonly extentBytes: number
  readonly disks: readonly string[]
  /** By its volumes, and what LVM keeps beside them. */
  readonly neededBytes: number
}

/** @throws AgentError OUTPUT_UNREADABLE where the reports are not understood; USAGE where the disks are not those of the host */
export function planLvm(layout: LvmLayout, given: ReplacedDisks): DeviceLayout {
  const reports = readRebuildReports(layout)
  const disks = chooseDisks(reports.physicalVolumes, given)
  const groups = reports.volumeGroups.map((row) => planGroup(row, reports, disks))
  const volumes = reports.logicalVolumes.toSorted((a, b) => rank(a) - rank(b))
  return {
    disks: [...new Set(disks.values())],
    formerDisks: [...disks.keys()],
    steps: [
      // All disks before any group: where one is refused, the script can be run again as it is.
      ...groups.flatMap((group) => group.disks.map(takeDisk)),
      ...groups.map(createGroup),
      ...volumes.flatMap((row) => createVolume(row, reports.pools)),
    ],
    devices: reports.logicalVolumes
      .filter((row) => !row.lv_layout.includes('pool'))
      .map(({ lv_dm_path: device, vg_name: group, lv_name: name }) => {
        return { device, former: device, aliases: [`/dev/${group}/${name}`] }
      }),
    notes: [...reports.logicalVolumes.flatMap(notesOnLayout), ...(layout.hasDevicesFile ? [NOTE_ON_DEVICES_FILE] : [])],
    notesOnSizes: (sizes) => groups.flatMap((group) => notesOnGroup(group, sizes)),
  }
}

const NOTE_ON_DEVICES_FILE =
  `LVM of the host takes only the disks that its ${DEVICES_FILE} lists, and those are the old ones: before the first boot, ` +
  'run "vgimportdevices --all" from a chroot in the restored system, and rebuild its initramfs there.'

function notesOnGroup(
  { name, disks, extentBytes, neededBytes }: PlannedGroup,
  sizes: ReadonlyMap<string, number>,
): string[] {
  if (!disks.every((disk) => sizes.has(disk))) return []
  const extents = disks.map((disk) => Math.floor(((sizes.get(disk) ?? 0) - RESERVED_BYTES) / extentBytes))
  const availableBytes = extents.reduce((sum, count) => sum + count, 0) * extentBytes
  if (availableBytes >= neededBytes) return []
  const lack = `have ${formatBytes(availableBytes)} for ${name}, which needs ${formatBytes(neededBytes)}`
  return [`TOO SMALL: ${disks.join(' and ')} of this machine ${lack}.`]
}

function notesOnLayout({ vg_name: group, lv_name: name, lv_layout: layout }: LogicalVolumeRow): string[] {
  if (layout.includes('thin')) return []
  if (layout.includes('pool')) return [`${group}/${name}, a ${layout[0] ?? ''} pool, is not made.`]
  return layout.includes('linear') ? [] : [`${group}/${name} was ${layout.join(',')}; here it becomes linear.`]
}

/** The disk for each physical volume, by its old name. */
function chooseDisks(rows: readonly PhysicalVolumeRow[], given: ReplacedDisks): Map<string, string> {
  const names = rows.map(({ pv_name: disk }) => disk)
  const disks = new Map(names.map((disk) => [disk, disk]))
  for (const [old, now] of given) {
    if (!names.includes(old)) throw wrongDisk(`the host had no physical volume ${old}`, names)
    if (given.filter(([other]) => other === old).length > 1) throw wrongDisk(`--disk ${old}=… is given twice`, names)
    disks.set(old, now)
  }
  const groupOf = new Map<string, string>()
  for (const { pv_name: name, vg_name: group } of rows) {
    const disk = disks.get(name) ?? name
    const other = groupOf.get(disk) ?? group
    if (other !== group) throw wrongDisk(`${disk} is to hold both ${other} and ${group}`, names)
    groupOf.set(disk, group)
  }
  return disks
}

function wrongDisk(what: string, names: readonly string[]): AgentError {
  return new AgentError('USAGE', what, {
    hint: `Give --disk OLD=NEW for these of the host: ${names.join(', ')}. Those without it keep their names.`,
  })
}

function planGroup(
  { vg_name: name, vg_extent_size: extentBytes }: VolumeGroupRow,
  { physicalVolumes, logicalVolumes, pools }: RebuildReports,
  disks: ReadonlyMap<string, string>,
): PlannedGroup {
  const rows = physicalVolumes.filter((row) => row.vg_name === name)
  const inGroup = logicalVolumes.filter((row) => row.vg_name === name && row.pool_lv === '')
  const metadataBytes = pools.filter((pool) => pool.vg_name === name).map((pool) => pool.lv_metadata_size)
  return {
    name,
    extentBytes,
    disks: [...new Set(rows.map(({ pv_name: disk }) => disks.get(disk) ?? disk))],
    // LVM keeps a spare for the largest pool's metadata.
    neededBytes: [...inGroup.map((row) => row.lv_size), ...metadataBytes, Math.max(0, ...metadataBytes)].reduce(
      (sum, size) => sum + size,
    ),
  }
}

function takeDisk(disk: string): RebuildStep {
  return step(`${disk} becomes a physical volume: what is on it is lost`, ['pvcreate', disk])
}

function createGroup({ name, extentBytes, disks, neededBytes }: PlannedGroup): RebuildStep {
  return step(`volume group ${name}, which needs ${formatBytes(neededBytes)}`, [
    ...(['vgcreate', '--physicalextentsize', `${extentBytes}b`, name] as const),
    ...disks,
  ])
}

/** Pools before what is in them. */
function rank({ lv_layout: layout }: LogicalVolumeRow): number {
  return layout.includes('pool') ? 0 : 1
}

function createVolume(row: LogicalVolumeRow, pools: readonly PoolRow[]): RebuildStep[] {
  const { vg_name: group, lv_name: name, lv_size: sizeBytes, lv_layout: layout, pool_lv: pool } = row
  const common = ['--yes', '--name', name, ...row.lv_tags.flatMap((tag) => ['--addtag', tag]), group]
  if (layout.includes('thin') && layout.includes('pool')) {
    const own = pools.find((each) => each.vg_name === group && each.lv_name === name)
    const thinPool = ['--type', 'thin-pool', '--size', `${sizeBytes}b`, ...(own ? poolOptions(own) : [])]
    return [step(`thin pool ${group}/${name}`, ['lvcreate', ...thinPool, ...common])]
  }
  // A cache would be made anew by hand: nothing in it is missed.
  if (layout.includes('pool')) return []
  if (layout.includes('thin')) {
    const thin = ['--type', 'thin', '--thinpool', pool, '--virtualsize', `${sizeBytes}b`]
    return [step(`thin volume ${group}/${name}`, ['lvcreate', ...thin, ...common])]
  }
  return [step(`volume ${group}/${name}`, ['lvcreate', '--wipesignatures', 'y', '--size', `${sizeBytes}b`, ...common])]
}

function poolOptions({ lv_metadata_size: metadataBytes, chunk_size: chunkBytes, zero, discards }: PoolRow): string[] {
  return [
    ...['--poolmetadatasize', `${metadataBytes}b`, '--chunksize', `${chunkBytes}b`],
    ...['--zero', /^(zero|1)$/.test(zero) ? 'y' : 'n', '--discards', discards],
  ]
}
