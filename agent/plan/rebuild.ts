/** Turns a manifest into the commands that rebuild a host's volumes on empty disks, for somebody to read and run. */
import { z } from 'zod'
import { AgentError } from '../errors'
import { formatArgv, type Argv } from './command'
import type { Manifest, VolumeBackup } from './manifest'

/** A command, and why it is there. */
export interface RebuildStep {
  readonly purpose: string
  readonly argv: Argv
}

export interface RebuildPlan {
  readonly steps: readonly RebuildStep[]
  /** What no command here does, and somebody has to think of. */
  readonly notes: readonly string[]
}

export interface RebuildOptions {
  readonly bucket: string
  /** Where the new volumes are mounted meanwhile. */
  readonly target: string
  /** New disks by the names of the old ones; those without have the same name again. */
  readonly disks: ReadonlyMap<string, string>
}

const bytes = z.string().regex(/^\d+$/).transform(Number)
const reportOf = <Row>(kind: string, row: z.ZodType<Row>) =>
  z
    .object({ report: z.tuple([z.looseObject({ [kind]: z.array(row) })]) })
    .transform(({ report }) => report[0][kind] as Row[])

const lvReport = reportOf(
  'lv',
  z.object({
    vg_name: z.string(),
    lv_name: z.string(),
    lv_dm_path: z.string(),
    lv_size: bytes,
    lv_layout: z.string(),
    lv_tags: z.string(),
    origin: z.string(),
    pool_lv: z.string(),
  }),
)
const vgReport = reportOf('vg', z.object({ vg_name: z.string(), vg_extent_size: bytes }))
const pvReport = reportOf('pv', z.object({ pv_name: z.string(), vg_name: z.string() }))
type LogicalVolumeRow = z.infer<typeof lvReport>[number]

/** Filesystems of SELinux systems need their labels before the first boot; these have it on. */
const SELINUX_SYSTEMS = /^ID(_LIKE)?=.*\b(rhel|fedora|amzn|centos)\b/m

/** @throws AgentError OUTPUT_UNREADABLE where the manifest's LVM reports are not understood */
export function planRebuild(manifest: Manifest, options: RebuildOptions): RebuildPlan {
  const { system } = manifest
  const logicalVolumes = read('lvs', lvReport, system.lvs).filter(({ origin }) => origin === '')
  const groups = new Set(logicalVolumes.map(({ vg_name: group }) => group))
  const volumeGroups = read('vgs', vgReport, system.vgs).filter(({ vg_name: group }) => groups.has(group))
  const physicalVolumes = read('pvs', pvReport, system.pvs)
  const disksOf = (group: string) =>
    physicalVolumes.filter((row) => row.vg_name === group).map(({ pv_name: disk }) => options.disks.get(disk) ?? disk)
  const volumes = manifest.volumes.toSorted((a, b) => (a.mountPoint < b.mountPoint ? -1 : 1))
  return {
    steps: [
      ...volumeGroups.flatMap(({ vg_name: group, vg_extent_size: extent }) =>
        createGroup(group, extent, disksOf(group)),
      ),
      ...logicalVolumes.toSorted((a, b) => rank(a) - rank(b)).map(createVolume),
      ...volumes.map(makeFilesystem),
      ...volumes.flatMap((volume) => mountVolume(volume, options.target)),
      restoreAll(manifest, options),
    ],
    notes: notesOn(manifest, logicalVolumes, options),
  }
}

function createGroup(group: string, extentBytes: number, disks: readonly string[]): RebuildStep[] {
  return [
    ...disks.map((disk) => step(`${disk} becomes a physical volume: what is on it is lost`, ['pvcreate', disk])),
    step(`volume group ${group}`, ['vgcreate', '--physicalextentsize', `${extentBytes}b`, group, ...disks]),
  ]
}

/** Pools before what is in them. */
function rank({ lv_layout: layout }: LogicalVolumeRow): number {
  return isPool(layout) ? 0 : 1
}

function isPool(layout: string): boolean {
  return layout.split(',').includes('pool')
}

function createVolume(row: LogicalVolumeRow): RebuildStep {
  const { vg_name: group, lv_name: name, lv_size: sizeBytes, lv_layout: layout, pool_lv: pool } = row
  const tags = row.lv_tags.split(',').flatMap((tag) => (tag === '' ? [] : ['--addtag', tag]))
  const common = ['--yes', '--name', name, ...tags]
  if (isPool(layout)) {
    return step(`thin pool ${group}/${name}`, [
      'lvcreate',
      '--type',
      'thin-pool',
      '--size',
      `${sizeBytes}b`,
      ...common,
      group,
    ])
  }
  if (pool !== '') {
    const thin = ['--type', 'thin', '--thinpool', pool, '--virtualsize', `${sizeBytes}b`]
    return step(`thin volume ${group}/${name}`, ['lvcreate', ...thin, ...common, group])
  }
  return step(`volume ${group}/${name}`, [
    'lvcreate',
    '--wipesignatures',
    'y',
    '--size',
    `${sizeBytes}b`,
    ...common,
    group,
  ])
}

function makeFilesystem(volume: VolumeBackup): RebuildStep {
  const { filesystem, uuid, label, mountPoint } = volume
  const named = label === '' ? [] : ['-L', label]
  const purpose = `the filesystem of ${mountPoint}, with the UUID and label that it had`
  if (filesystem === 'xfs') {
    return step(purpose, ['mkfs.xfs', '-q', '-m', `uuid=${uuid}`, ...named, deviceOf(volume)])
  }
  return step(purpose, [`mkfs.${filesystem}`, '-q', '-U', uuid, ...named, deviceOf(volume)])
}

function mountVolume(volume: VolumeBackup, target: string): RebuildStep[] {
  const directory = volume.mountPoint === '/' ? target : `${target}${volume.mountPoint}`
  return [
    step(`where ${volume.mountPoint} is mounted meanwhile`, ['mkdir', '--parents', '--', directory]),
    step(`${volume.mountPoint}, empty so far`, ['mount', deviceOf(volume), directory]),
  ]
}

function restoreAll({ run, class: className, host }: Manifest, { bucket, target }: RebuildOptions): RebuildStep {
  return step('everything that was on them', [
    ...(['snapstream', 'restore', '--bucket', bucket, '--class', className] as const),
    ...['--host', host, '--run', run, '--target', target],
  ])
}

function deviceOf({ volume }: VolumeBackup): string {
  return `/dev/mapper/${volume}`
}

function notesOn(
  manifest: Manifest,
  logicalVolumes: readonly LogicalVolumeRow[],
  { target }: RebuildOptions,
): string[] {
  const { system, volumes, failures, notBackedUp } = manifest
  const backedUp = new Set(volumes.map(deviceOf))
  const empty = logicalVolumes.filter((row) => !isPool(row.lv_layout) && !backedUp.has(row.lv_dm_path))
  const otherwise = logicalVolumes.filter(({ lv_layout: layout }) => !/^(linear|thin,(sparse|pool))$/.test(layout))
  return [
    'Partitions are not made here: physical volumes that were partitions have to be there before.',
    ...otherwise.map(
      ({ vg_name: group, lv_name: name, lv_layout: layout }) =>
        `${group}/${name} was ${layout}; here it becomes linear.`,
    ),
    ...empty.map(
      ({ lv_dm_path: device }) =>
        `${device} was not backed up and stays empty: swap needs mkswap, with its old UUID if fstab names it.`,
    ),
    ...notBackedUp.map(({ mountPoint, reason }) => `${mountPoint} was not backed up: ${reason}.`),
    ...failures.map(
      ({ mountPoint, message }) => `The backup of ${mountPoint} failed: ${message}. An earlier run may have it.`,
    ),
    `${target}/etc/fstab mounts by UUID what had one; compare it with the new disks before the first boot.`,
    `The boot loader is not on a volume: from a chroot into ${target}, install it (grub-install, then update-grub or grub2-mkconfig).`,
    ...(SELINUX_SYSTEMS.test(system.osRelease)
      ? [`If labels could not be restored, "touch ${target}/.autorelabel" has the first boot set them.`]
      : []),
  ]
}

/** A script for somebody to read before it is run: each command with its reason. */
export function formatRebuildScript({ run, host }: Manifest, { steps, notes }: RebuildPlan): string {
  return [
    '#!/bin/sh',
    `# Rebuilds the volumes of ${host} as they were in run ${run}.`,
    '# It DESTROYS what is on the disks that it names. Read it first; run it as root, from a rescue system.',
    ...notes.map((note) => `# NOTE: ${note}`),
    'set -eux',
    ...steps.flatMap(({ purpose, argv }) => ['', `# ${purpose}`, formatArgv(argv)]),
    '',
  ].join('\n')
}

function step(purpose: string, argv: Argv): RebuildStep {
  return { purpose, argv }
}

function read<Value>(command: string, schema: z.ZodType<Value>, report: unknown): Value {
  const parsed = schema.safeParse(report)
  if (parsed.success) return parsed.data
  throw new AgentError('OUTPUT_UNREADABLE', `the report of ${command} in the manifest is not understood`, {
    hint: "Rebuild from the text of vgcfgbackup instead: it is in the manifest's system.groupConfigurations.",
    cause: parsed.error,
  })
}
