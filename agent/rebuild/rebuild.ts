/** Turns a manifest into the commands that rebuild a host's volumes on empty disks, for somebody to read and run. */
import { isPrintable } from '../lib/printable'
import type { Manifest } from '../run/manifest'
import { planDevices, type HostLayout } from '../source/rebuild'
import { step, type RebuildStep, type ReplacedDisks } from '../source/rebuild-step'
import { planBoot } from './boot'
import {
  assertMakeable,
  chooseFilesystems,
  forged,
  formerDevice,
  makeFilesystem,
  mountVolume,
  wasOnDisk,
  type MadeFilesystem,
} from './filesystems'
import { notesOnRebuild } from './notes'
import { parseSignatures } from './signatures'

export interface RebuildPlan {
  readonly layout: HostLayout
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

/**
 * No word of the manifest becomes a command, an option, a type of filesystem or a path outside of where it may be: the host
 * wrote it, and somebody runs this as root.
 *
 * @throws AgentError OUTPUT_UNREADABLE where what the manifest has of the host's disks is not understood, ARCHIVE_DAMAGED
 * where it says what no host can have been, USAGE where the disks given are not those of the host
 */
export function planRebuild(manifest: Manifest, options: RebuildOptions): RebuildPlan {
  const { system } = manifest
  const volumes = manifest.volumes.toSorted((a, b) => (a.mountPoint < b.mountPoint ? -1 : 1))
  const onDisks = volumes.filter(wasOnDisk)
  const former = onDisks.map((volume) => ({ ...volume, device: formerDevice(volume) }))
  const layout = planDevices(system, former, options.disks)
  const signatures = parseSignatures(system.signatures ?? '')
  const filesystems = chooseFilesystems(volumes, system.filesystems ?? {}, layout.devices, signatures)
  filesystems.forEach((filesystem) => assertMakeable(manifest, filesystem))
  const boot = planBoot(manifest, layout, options.target)
  const steps = [...planSteps(manifest, options, layout, filesystems), ...boot.steps]
  for (const { argv, input = '' } of steps) {
    const word = [...argv, ...input.split('\n')].find((each) => !isPrintable(each))
    if (word !== undefined) throw forged(manifest, `${JSON.stringify(word)} as a word of a command`)
  }
  const notes = notesOnRebuild(manifest, layout, filesystems, options.target)
  return { layout, steps, notes: [...notes, ...boot.notes] }
}

function planSteps(
  manifest: Manifest,
  options: RebuildOptions,
  layout: HostLayout,
  filesystems: readonly MadeFilesystem[],
): RebuildStep[] {
  return [
    step('what is on the disks now; the script stops here if one of them is missing', [
      ...(['lsblk', '--output', 'NAME,SIZE,TYPE,FSTYPE,LABEL,MOUNTPOINT'] as const),
      ...layout.disks,
    ]),
    ...layout.steps,
    ...filesystems.map(makeFilesystem),
    ...filesystems.flatMap((filesystem) => mountVolume(filesystem, options.target)),
    restoreAll(manifest, options),
  ]
}

function restoreAll(manifest: Manifest, options: RebuildOptions): RebuildStep {
  const { bucket, region, endpointUrl, includeDeleted, trustTimes, target } = options
  const { run, class: className, host } = manifest
  return step(
    'everything that was on them; if it is interrupted, this line with --resume continues, and those after it',
    [
      ...(['snapstream', 'restore', '--bucket', bucket] as const),
      ...(region === undefined ? [] : ['--region', region]),
      ...(endpointUrl === undefined ? [] : ['--endpoint-url', endpointUrl]),
      ...(includeDeleted ? ['--include-deleted'] : []),
      ...(trustTimes ? ['--trust-times'] : []),
      ...['--class', className, '--host', host, '--run', run, '--target', target],
    ],
  )
}
