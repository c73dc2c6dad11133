/** Turns a manifest into the commands that rebuild a host's volumes on empty disks, for somebody to read and run. */
import { AgentError } from '../errors'
import { isPrintable } from '../lib/printable'
import type { Manifest, VolumeBackup } from '../run/manifest'
import { planDevices } from '../source/rebuild'
import { step, type DeviceLayout, type RebuildStep, type ReplacedDisks } from '../source/rebuild-step'
import { mkfsOptions } from './mkfs'
import { notesOnRebuild } from './notes'
import { parseSignatures, type Signature } from './signatures'

export interface RebuildPlan {
  readonly layout: DeviceLayout
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
  readonly disks: ReplacedDisks
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
 * @throws AgentError OUTPUT_UNREADABLE where what the manifest has of the host's disks is not understood, ARCHIVE_DAMAGED
 * where it says what no host can have been, USAGE where the disks given are not those of the host
 */
export function planRebuild(manifest: Manifest, options: RebuildOptions): RebuildPlan {
  const { system } = manifest
  const layout = planDevices(system, options.disks)
  const volumes = manifest.volumes.toSorted((a, b) => (a.mountPoint < b.mountPoint ? -1 : 1))
  const signatures = parseSignatures(system.signatures ?? '')
  const filesystems = chooseFilesystems(volumes, system.filesystems ?? {}, layout.devices, signatures)
  filesystems.forEach((filesystem) => assertMakeable(manifest, filesystem))
  const steps = planSteps(manifest, options, layout, volumes, filesystems)
  for (const { argv } of steps) {
    const word = argv.find((each) => !isPrintable(each))
    if (word !== undefined) throw forged(manifest, `${JSON.stringify(word)} as a word of a command`)
  }
  return { layout, steps, notes: notesOnRebuild(manifest, layout, filesystems, options.target) }
}

function planSteps(
  manifest: Manifest,
  options: RebuildOptions,
  layout: DeviceLayout,
  volumes: readonly VolumeBackup[],
  filesystems: readonly MadeFilesystem[],
): RebuildStep[] {
  return [
    step('what is on the disks now; the script stops here if one of them is missing', [
      ...(['lsblk', '--output', 'NAME,SIZE,TYPE,FSTYPE,LABEL,MOUNTPOINT'] as const),
      ...layout.disks,
    ]),
    ...layout.steps,
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
      'Someone may have written it to have their own commands run: examine it, and find out who had access to the host at that time. ' +
      'An earlier run may be good: "snapstream list".',
  })
}

/** Those of the volumes in the order of their mount points, then those that were not backed up. */
function chooseFilesystems(
  volumes: readonly VolumeBackup[],
  descriptions: Readonly<Record<string, string>>,
  devices: DeviceLayout['devices'],
  signatures: readonly Signature[],
): MadeFilesystem[] {
  const backedUp = volumes.map((volume) => ({
    ...{ device: `/dev/mapper/${volume.volume}`, type: volume.filesystem, uuid: volume.uuid, label: volume.label },
    description: descriptions[volume.volume] ?? '',
    volume,
  }))
  const others = signatures.filter(
    ({ device, type }) =>
      MAKEABLE.includes(type) &&
      devices.some((made) => made.device === device) &&
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
    step(`where ${mountPoint} is mounted during the restore`, ['mkdir', '--parents', '--', directory]),
    step(`${mountPoint}, empty so far`, ['mount', `/dev/mapper/${volume}`, directory]),
  ]
}

function restoreAll(manifest: Manifest, options: RebuildOptions): RebuildStep {
  const { bucket, region, endpointUrl, includeDeleted, trustTimes, target } = options
  const { run, class: className, host } = manifest
  return step('everything that was on them; if it is interrupted, this line with --resume continues', [
    ...(['snapstream', 'restore', '--bucket', bucket] as const),
    ...(region === undefined ? [] : ['--region', region]),
    ...(endpointUrl === undefined ? [] : ['--endpoint-url', endpointUrl]),
    ...(includeDeleted ? ['--include-deleted'] : []),
    ...(trustTimes ? ['--trust-times'] : []),
    ...['--class', className, '--host', host, '--run', run, '--target', target],
  ])
}
