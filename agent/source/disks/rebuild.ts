/** Makes a host's partitions again on empty disks, as its manifest has them, and what lies on disks without any. */
import { AgentError } from '../../errors'
import { formatBytes } from '../../lib/text'
import { step, type DeviceLayout, type MadeDevice, type RebuildStep } from '../rebuild-step'
import { formatPartitionTable, parsePartitionTable, partitionDevice, type PartitionTable } from './table'

/** Names become words of commands that somebody runs as root. */
export const DEVICE_PATH = /^\/dev(?:\/(?!\.{1,2}(?:\/|$))[\w+.:-]+)+$/

/** Holds a boot loader's code, and no filesystem (GRUB's manual, "BIOS installation"). */
const BIOS_BOOT = /^21686148-6449-6E6F-744E-656564454649$/i
/** Of a DOS table: a partition that holds others. */
const EXTENDED = /^(?:0?5|0?f|85)$/i
/** GPT keeps a copy of itself at the end of the disk. */
const LAST_SECTORS = 33

/** A filesystem of the host, and where it was. */
export interface FormerFilesystem {
  readonly device: string
  readonly mountPoint: string
  readonly sizeBytes: number
}

/** A partitioned disk of the host. */
export interface FormerDisk {
  readonly disk: string
  readonly table: PartitionTable
}

/** Where a partition of the host was. */
export interface FormerPartition {
  readonly disk: string
  readonly number: number
}

/** @param wanted - devices; of disks that none of them can be on, nothing is read @throws AgentError OUTPUT_UNREADABLE */
export function readDisks(tables: Readonly<Record<string, string>>, wanted: readonly string[]): FormerDisk[] {
  const known = Object.entries(tables).filter(([disk]) => wanted.some((device) => device.startsWith(disk)))
  return known.map(([disk, dump]) => {
    if (DEVICE_PATH.test(disk)) return { disk, table: parsePartitionTable(disk, dump) }
    throw new AgentError('OUTPUT_UNREADABLE', `the manifest has a partition table of '${disk}', which is no disk`, {
      hint: 'Examine the manifest: what it says of disks is not to be relied upon.',
    })
  })
}

/** By the names of the host's partitions. */
export function findPartitions(disks: readonly FormerDisk[]): Map<string, FormerPartition> {
  return new Map(
    disks.flatMap(({ disk, table }) =>
      table.partitions.map(({ number }) => [partitionDevice(disk, number), { disk, number }] as const),
    ),
  )
}

/**
 * @param disks - those whose partitions are wanted
 * @param whole - filesystems on disks without partitions
 * @param held - partitions on which others make something: physical volumes
 * @param nowOf - the disk in the place of one of the host
 */
export function planDisks(
  disks: readonly FormerDisk[],
  whole: readonly FormerFilesystem[],
  held: ReadonlySet<string>,
  nowOf: (disk: string) => string,
): DeviceLayout {
  const formerDisks = [...disks.map(({ disk }) => disk), ...whole.map(({ device }) => device)]
  return {
    disks: formerDisks.map(nowOf),
    formerDisks,
    steps: disks.map(({ disk, table }) => partitionDisk(nowOf(disk), table)),
    devices: [
      ...disks.flatMap(({ disk, table }) => devicesOf(disk, nowOf(disk), table, held)),
      ...whole.map(({ device }) => ({ device: nowOf(device), former: device, aliases: [] })),
    ],
    notes: [],
    notesOnSizes: (sizes) => [
      ...disks.flatMap(({ disk, table }) => noteOnSize(nowOf(disk), neededBytes(table), sizes)),
      ...whole.flatMap(({ device, sizeBytes }) => noteOnSize(nowOf(device), sizeBytes, sizes)),
    ],
  }
}

/** Stops at disks that hold anything: sfdisk and mkfs would not. */
export function assertEmpty(disk: string): RebuildStep {
  const check =
    'found=$(wipefs --noheadings "$1"); if [ -n "$found" ]; then echo "$1 holds something: $found" >&2; exit 1; fi'
  return step(`nothing may be on ${disk}; "wipefs --all ${disk}" clears it where its data is no longer needed`, [
    ...(['sh', '-euc', check, 'sh'] as const),
    disk,
  ])
}

/** udev looks at a disk again when somebody has written to it; until it has, partitions come and go. */
export function awaitPartitions(): RebuildStep {
  return step('until all partitions have their devices', [
    ...(['sh', '-euc', 'if command -v udevadm >/dev/null; then udevadm settle; fi'] as const),
  ])
}

/** What an old filesystem left at the place of a new partition would keep mkfs or pvcreate from it. */
function partitionDisk(disk: string, table: PartitionTable): RebuildStep {
  const argv = ['sfdisk', '--quiet', '--wipe', 'always', '--wipe-partitions', 'always', disk] as const
  return step(`the partitions of ${disk}, with the ids that they had`, argv, formatPartitionTable(disk, table))
}

function devicesOf(disk: string, now: string, table: PartitionTable, held: ReadonlySet<string>): MadeDevice[] {
  return table.partitions.flatMap(({ number, type, uuid, name }) => {
    const former = partitionDevice(disk, number)
    if (BIOS_BOOT.test(type) || (table.label === 'dos' && EXTENDED.test(type)) || held.has(former)) return []
    const id = uuid?.toLowerCase() ?? `${table.id.slice(2).padStart(8, '0')}-${number.toString(16).padStart(2, '0')}`
    const aliases = [`PARTUUID=${id}`, ...(name === undefined ? [] : [`PARTLABEL=${name.slice(1, -1)}`])]
    return [{ device: partitionDevice(now, number), former, aliases }]
  })
}

/**
 * Whether a BIOS starts the host from such a disk: with a table of GPT it has a place for the code, with one of DOS anything may
 * have, so that it has to be the disk of the system, or be marked.
 */
export function isStartedByBios({ disk, table }: FormerDisk, filesystems: readonly FormerFilesystem[]): boolean {
  const { label, partitions } = table
  if (label === 'gpt') return partitions.some(({ type }) => BIOS_BOOT.test(type))
  const own = partitions.map(({ number }) => partitionDevice(disk, number))
  const system = filesystems.filter(({ mountPoint }) => ['/', '/boot'].includes(mountPoint))
  return partitions.some(({ bootable }) => bootable) || system.some(({ device }) => own.includes(device))
}

function neededBytes({ label, partitions, sectorBytes }: PartitionTable): number {
  const sectors = Math.max(0, ...partitions.map(({ start, size }) => start + size))
  return (sectors + (label === 'gpt' ? LAST_SECTORS : 0)) * sectorBytes
}

function noteOnSize(disk: string, needed: number, sizes: ReadonlyMap<string, number>): string[] {
  const available = sizes.get(disk)
  if (available === undefined || available >= needed) return []
  return [`TOO SMALL: ${disk} of this machine has ${formatBytes(available)} for what needs ${formatBytes(needed)}.`]
}
