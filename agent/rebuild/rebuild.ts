/** Turns a manifest into the commands that rebuild a host's volumes on empty disks, for somebody to read and run. */
import { AgentError } from '../errors'
import { mkfsOptions } from './mkfs'
import type { Manifest, VolumeBackup } from '../run/manifest'
import { isPrintable } from '../lib/printable'
import { notesOnRebuild } from './notes'
import {
  readRebuildReports,
  type LogicalVolumeRow,
  type PhysicalVolumeRow,
  type PoolRow,
  type RebuildReports,
  type VolumeGroupRow,
} from './reports'
import { formatBytes } from '../lib/text'
import type { Argv } from '../context'

/** A command, and why it is there. */
export interface RebuildStep {
  readonly purpose: string
  readonly argv: Argv
}

/** A volume group on the disks that are there now. */
export interface PlannedGroup {
  readonly name: string
  readonly extentBytes: number
  readonly disks: readonly string[]
  /** By its volumes, and what LVM keeps beside them. */
  readonly neededBytes: number
}

export interface RebuildPlan {
  readonly groups: readonly PlannedGroup[]
  readonly steps: readonly RebuildStep[]
  /** What no command here does, and somebody has to think of. */
  readonly notes: readonly string[]
}

export interface RebuildOptions {
  readonly bucket: string
  readonly region?: string | undefined
  readonly endpointUrl?: string | undefined
  /** Some of the run was deleted: its restore has to read the versions that are left. */
  readonly includeDeleted?: boolean
  readonly trustTimes?: boolean
  /** Where the new volumes are mounted meanwhile. */
  readonly target: string
  /** Each old disk and the new one in its place; those that are not listed have the same name again. */
  readonly disks: readonly (readonly [old: string, now: string])[]
}

/** A filesystem or swap to make on a logical volume, as it was. */
export interface MadeFilesystem {
  readonly device: string
  readonly type: string
  readonly uuid: string
  readonly label: string
  /** What it was made of, as far as that is known. */
  readonly description: string
  /** Absent where it was not backed up: then it stays empty. */
  readonly volume?: VolumeBackup
}

/** What mkfs of this release makes can be made again: filesystems of backed up volumes, and of their neighbours. */
const MAKEABLE = ['ext2', 'ext3', 'ext4', 'xfs', 'swap']

/**
 * No word of the manifest becomes a command, an option, a type of filesystem or a path outside of where it may be: the host
 * wrote it, and somebody runs this as root.
 *
 * @throws AgentError OUTPUT_UNREADABLE where the manifest's LVM reports are not understood, ARCHIVE_DAMAGED where it says
 * what no host can have been, USAGE where the disks given are not those of the host
 */
export function planRebuild(manifest: Manifest, options: RebuildOptions): RebuildPlan {
  const reports = readRebuildReports(manifest.system)
  const disks = chooseDisks(reports.physicalVolumes, options.disks)
  const groups = reports.volumeGroups.map((row) => planGroup(row, reports, disks))
  const volumes = manifest.volumes.toSorted((a, b) => (a.mountPoint < b.mountPoint ? -1 : 1))
  const filesystems = chooseFilesystems(volumes, manifest.system.filesystems ?? {}, reports)
  filesystems.forEach((filesystem) => assertMakeable(manifest, filesystem))
  const steps = planSteps(manifest, options, { reports, disks, groups, volumes, filesystems })
  for (const { argv } of steps) {
    const word = argv.find((each) => !isPrintable(each))
    if (word !== undefined) throw forged(manifest, `${JSON.stringify(word)} as a word of a command`)
  }
  return { groups, steps, notes: notesOnRebuild(manifest, reports, filesystems, options.target) }
}

interface Parts {
  readonly reports: RebuildReports
  readonly disks: ReadonlyMap<string, string>
  readonly groups: readonly PlannedGroup[]
  readonly volumes: readonly VolumeBackup[]
  readonly filesystems: readonly MadeFilesystem[]
}

function planSteps(
  manifest: Manifest,
  options: RebuildOptions,
  { reports, disks, groups, volumes, filesystems }: Parts,
): RebuildStep[] {
  return [
    step('what is on the disks now; ends here if one of them is missing', [
      ...(['lsblk', '--output', 'NAME,SIZE,TYPE,FSTYPE,LABEL,MOUNTPOINT'] as const),
      ...new Set(disks.values()),
    ]),
    // All disks before any group: where one is refused, the script can be run again as it is.
    ...groups.flatMap((group) => group.disks.map(takeDisk)),
    ...groups.map(createGroup),
    ...reports.logicalVolumes.toSorted((a, b) => rank(a) - rank(b)).flatMap((row) => createVolume(row, reports.pools)),
    ...filesystems.map(makeFilesystem),
    ...volumes.flatMap((volume) => mountVolume(volume, options.target)),
    restoreAll(manifest, options),
  ]
}

/** What mkfs takes for an order of its own in the place of a UUID (mkfs(8), mkswap(8)). */
const ORDERS = /^(?:clear|null|nil|random|time|generate|rewrite|restore)$/i
/** No part of a path leads upwards, or is empty. */
const PLAIN_PATH = /^\/$|^(?:\/(?!\.{1,2}(?:\/|$))[^/]+)+$/

/** @throws AgentError ARCHIVE_DAMAGED */
function assertMakeable(manifest: Manifest, { device, type, uuid, volume }: MadeFilesystem): void {
  if (!MAKEABLE.includes(type) || (volume && type === 'swap'))
    throw forged(manifest, `filesystem '${type}' on ${device}`)
  if (!/^[\w-]*$/.test(uuid) || ORDERS.test(uuid)) throw forged(manifest, `UUID '${uuid}' on ${device}`)
  if (volume && !PLAIN_PATH.test(volume.mountPoint)) throw forged(manifest, `mount point '${volume.mountPoint}'`)
  if (!/^\/dev\/mapper\/(?!\.{1,2}$)[\w+.-]+$/.test(device)) throw forged(manifest, `device '${device}'`)
}

function forged({ run, host }: Manifest, what: string): AgentError {
  return new AgentError('ARCHIVE_DAMAGED', `the manifest of ${run} has ${what}, which ${host} cannot have had`, {
    hint:
      'Somebody may have written it to have commands of theirs run: look at it, and at who had access to the host at that time. ' +
      'An earlier run may be good: "snapstream list".',
  })
}

/** The disk for each physical volume, by its old name. */
function chooseDisks(rows: readonly PhysicalVolumeRow[], given: RebuildOptions['disks']): Map<string, string> {
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

/** Those of the volumes in the order of their mount points, then those that were not backed up. */
function chooseFilesystems(
  volumes: readonly VolumeBackup[],
  descriptions: Readonly<Record<string, string>>,
  { logicalVolumes, signatures }: RebuildReports,
): MadeFilesystem[] {
  const backedUp = volumes.map((volume) => ({
    ...{ device: `/dev/mapper/${volume.volume}`, type: volume.filesystem, uuid: volume.uuid, label: volume.label },
    description: descriptions[volume.volume] ?? '',
    volume,
  }))
  const others = signatures.filter(
    ({ device, type }) =>
      MAKEABLE.includes(type) &&
      logicalVolumes.some((row) => row.lv_dm_path === device) &&
      !backedUp.some((filesystem) => filesystem.device === device),
  )
  return [...backedUp, ...others.map((signature) => ({ ...signature, description: '' }))]
}

function makeFilesystem({ device, type, uuid, label, description, volume }: MadeFilesystem): RebuildStep {
  const what =
    type === 'swap' ? 'swap' : `the filesystem of ${volume ? volume.mountPoint : `${device}, which stays empty`}`
  const purpose = `${what}, with the UUID and label that it had`
  const labelled = label === '' ? [] : ['-L', label]
  const identified = uuid === '' ? [] : ['-U', uuid]
  if (type === 'swap') return step(purpose, ['mkswap', ...identified, ...labelled, device])
  const made = mkfsOptions(type, description)
  if (type !== 'xfs') return step(purpose, [`mkfs.${type}`, '-q', ...made, ...identified, ...labelled, device])
  return step(purpose, ['mkfs.xfs', '-q', ...made, ...(uuid === '' ? [] : ['-m', `uuid=${uuid}`]), ...labelled, device])
}

function mountVolume({ volume, mountPoint }: VolumeBackup, target: string): RebuildStep[] {
  const directory = mountPoint === '/' ? target : `${target}${mountPoint}`
  return [
    step(`where ${mountPoint} is mounted meanwhile`, ['mkdir', '--parents', '--', directory]),
    step(`${mountPoint}, empty so far`, ['mount', `/dev/mapper/${volume}`, directory]),
  ]
}

function restoreAll(manifest: Manifest, options: RebuildOptions): RebuildStep {
  const { bucket, region, endpointUrl, includeDeleted, trustTimes, target } = options
  const { run, class: className, host } = manifest
  return step('everything that was on them; if it breaks off, this line with --resume goes on', [
    ...(['snapstream', 'restore', '--bucket', bucket] as const),
    ...(region === undefined ? [] : ['--region', region]),
    ...(endpointUrl === undefined ? [] : ['--endpoint-url', endpointUrl]),
    ...(includeDeleted ? ['--include-deleted'] : []),
    ...(trustTimes ? ['--trust-times'] : []),
    ...['--class', className, '--host', host, '--run', run, '--target', target],
  ])
}

function step(purpose: string, argv: Argv): RebuildStep {
  return { purpose, argv }
}
