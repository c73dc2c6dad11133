/** What has to be made on empty disks, before filesystems can be made and restored: partitions, and LVM on them. */
import { AgentError } from '../errors'
import {
  assertEmpty,
  awaitPartitions,
  findPartitions,
  isStartedByBios,
  planDisks,
  readDisks,
  DEVICE_PATH,
  type FormerDisk,
  type FormerFilesystem,
  type FormerPartition,
} from './disks/rebuild'
import { partitionDevice } from './disks/table'
import { planLvm } from './lvm/rebuild'
import { physicalVolumesOf } from './lvm/rebuild-reports'
import type { DeviceLayout, ReplacedDisks } from './rebuild-step'
import type { HostLayouts } from './record'

export interface HostLayout extends DeviceLayout {
  /** Disks that are there now, of which a BIOS can start the host: they have a place for a boot loader's code. */
  readonly biosDisks: readonly string[]
}

/**
 * @param filesystems - those that were backed up, and are not on LVM
 * @throws AgentError OUTPUT_UNREADABLE where what the manifest has of the host's disks is not understood, USAGE where the
 * disks given are not those of the host
 */
export function planDevices(
  { lvm, partitionTables = {} }: HostLayouts,
  filesystems: readonly FormerFilesystem[],
  given: ReplacedDisks,
): HostLayout {
  const physicalVolumes = lvm ? physicalVolumesOf(lvm) : []
  if (!lvm && filesystems.length === 0) throw unknownDisks()
  const wanted = [...filesystems.map(({ device }) => device), ...physicalVolumes]
  const all = readDisks(partitionTables, wanted)
  const partitions = findPartitions(all)
  const disks = all.filter(({ disk }) => wanted.some((device) => partitions.get(device)?.disk === disk))
  const whole = filesystems.filter(({ device }) => !partitions.has(device))
  const nowOf = chooseDisks(
    [...disks.map(({ disk }) => disk), ...whole.map(assertDevice)],
    physicalVolumes.filter((device) => !partitions.has(device)),
    given,
  )
  const below = planDisks(disks, whole, new Set(physicalVolumes), nowOf)
  const pairs = physicalVolumes.map((device) => [device, placeNow(device, partitions, nowOf)] as const)
  const above = lvm && planLvm(lvm, pairs)
  return {
    ...combine(below, above, disks, pairs, nowOf),
    biosDisks: disks.filter((disk) => isStartedByBios(disk, filesystems)).map(({ disk }) => nowOf(disk)),
  }
}

function placeNow(
  device: string,
  partitions: ReadonlyMap<string, FormerPartition>,
  nowOf: (disk: string) => string,
): string {
  const partition = partitions.get(device)
  return partition ? partitionDevice(nowOf(partition.disk), partition.number) : nowOf(device)
}

/** Partitions before what lies on them. Where nothing but LVM is on whole disks, LVM itself sees to it that they are empty. */
function combine(
  below: DeviceLayout,
  above: DeviceLayout | undefined,
  disks: readonly FormerDisk[],
  pairs: ReplacedDisks,
  nowOf: (disk: string) => string,
): DeviceLayout {
  if (above && below.disks.length === 0) return above
  const sizes = partitionSizes(disks, nowOf)
  const onDisks = above?.disks.filter((disk) => !sizes.has(disk)) ?? []
  const formerOnDisks = pairs.filter(([, now]) => onDisks.includes(now)).map(([former]) => former)
  const all = [...below.disks, ...onDisks]
  return {
    disks: all,
    formerDisks: [...below.formerDisks, ...formerOnDisks],
    // All disks before any change: where one is refused, the script can be run again as it is.
    steps: [
      ...all.map(assertEmpty),
      ...below.steps,
      ...(below.steps.length === 0 ? [] : [awaitPartitions()]),
      ...(above?.steps ?? []),
    ],
    devices: [...below.devices, ...(above?.devices ?? [])],
    notes: [...below.notes, ...(above?.notes ?? [])],
    notesOnSizes: (known) => [
      ...below.notesOnSizes(known),
      ...(above?.notesOnSizes(new Map([...known, ...sizes])) ?? []),
    ],
  }
}

/** In bytes, by what partitions are called now. */
function partitionSizes(disks: readonly FormerDisk[], nowOf: (disk: string) => string): Map<string, number> {
  return new Map(
    disks.flatMap(({ disk, table }) =>
      table.partitions.map(
        ({ number, size }) => [partitionDevice(nowOf(disk), number), size * table.sectorBytes] as const,
      ),
    ),
  )
}

/**
 * @param alone - disks of the host that share a new one with nobody
 * @param others - those that LVM may put together
 * @returns the disk in the place of one of the host
 */
function chooseDisks(
  alone: readonly string[],
  others: readonly string[],
  given: ReplacedDisks,
): (disk: string) => string {
  const names = [...alone, ...others]
  const chosen = new Map(names.map((disk) => [disk, disk]))
  for (const [old, now] of given) {
    if (!names.includes(old)) throw wrongDisk(`nothing that was backed up was on a disk ${old}`, names)
    if (given.filter(([other]) => other === old).length > 1) throw wrongDisk(`--disk ${old}=… is given twice`, names)
    chosen.set(old, now)
  }
  const nowOf = (disk: string) => chosen.get(disk) ?? disk
  const shared = alone.find((disk) => names.some((other) => other !== disk && nowOf(other) === nowOf(disk)))
  if (shared !== undefined) throw wrongDisk(`${nowOf(shared)} is to be in the place of two disks`, names)
  return nowOf
}

function assertDevice({ device }: FormerFilesystem): string {
  if (DEVICE_PATH.test(device)) return device
  throw new AgentError('OUTPUT_UNREADABLE', `the manifest has a filesystem on '${device}', which is no device`, {
    hint: 'Make filesystems by hand, and restore the volumes into them with "snapstream restore".',
  })
}

function wrongDisk(what: string, names: readonly string[]): AgentError {
  return new AgentError('USAGE', what, {
    hint: `Give --disk OLD=NEW for these of the host: ${names.join(', ')}. Those without it keep their names.`,
  })
}

function unknownDisks(): AgentError {
  return new AgentError('OUTPUT_UNREADABLE', 'the manifest does not say on which disks its volumes were', {
    hint: 'Make filesystems by hand, and restore the volumes into them with "snapstream restore".',
  })
}
