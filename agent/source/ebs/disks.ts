/** Which volume of EBS a filesystem lies on: by the serial of its disk, which is the same whatever the disk is called. */
import { z } from 'zod'
import type { Argv } from '../../context'
import { parseOutput } from '../../host/tool-output'

/** A disk, a partition, or something that lies on those. */
export interface Device {
  /** As the kernel has it: `nvme0n1p1`. */
  readonly name: string
  /** `259:1`. */
  readonly deviceNumber: string
  /** `disk`, `part`, `lvm`, `crypt`, `raid1`, … */
  readonly type: string
  readonly sizeBytes: number
  /** Names of what it lies on. */
  readonly parents: readonly string[]
}

const text = z.string().nullish()

interface Node {
  readonly kname?: string | null | undefined
  readonly 'maj:min'?: string | null | undefined
  readonly type?: string | null | undefined
  readonly size?: number | string | null | undefined
  readonly children?: readonly Node[] | undefined
}

const node: z.ZodType<Node> = z.lazy(() =>
  z.object({
    ...{ kname: text, 'maj:min': text, type: text },
    size: z.union([z.number(), z.string()]).nullish(),
    children: z.array(node).optional(),
  }),
)

/** With NAME, it prints a tree. No column that udev or a device would be asked for. */
export const LSBLK_DISKS: Argv = ['lsblk', '--json', '--bytes', '--output', 'NAME,KNAME,MAJ:MIN,TYPE,SIZE']

/** @throws AgentError OUTPUT_UNREADABLE */
export function parseDisks(json: string): Device[] {
  const devices = new Map<string, Device>()
  const visit = (found: Node, parent: string | undefined) => {
    const name = found.kname ?? ''
    const already = devices.get(name)?.parents ?? []
    const device = {
      ...{ name, deviceNumber: found['maj:min']?.trim() ?? '', type: found.type ?? '' },
      sizeBytes: Number(found.size ?? 0),
      parents: [...already, ...(parent === undefined ? [] : [parent])],
    }
    devices.set(name, device)
    for (const child of found.children ?? []) visit(child, name)
  }
  const { blockdevices } = parseOutput('lsblk', json, z.object({ blockdevices: z.array(node) }))
  for (const found of blockdevices) visit(found, undefined)
  return [...devices.values()]
}

/** NVMe has the serial at its controller, other disks at the disk. Not lsblk, which asks udev for it. */
const SERIAL_FILES = ['device/serial', 'serial']

/** Prints, with their names, the files of the kernel that say what is what; exits with 2, as some are never there. */
export function readSysfs(devices: readonly Pick<Device, 'name'>[]): Argv {
  const files = devices.flatMap(({ name }) =>
    [...SERIAL_FILES, 'partition'].map((file) => `/sys/class/block/${name}/${file}`),
  )
  return ['grep', '--no-messages', '--with-filename', '', ...files]
}

/** What the kernel knows of disks and partitions, by name. */
export interface Sysfs {
  readonly serials: ReadonlyMap<string, string>
  readonly partitions: ReadonlyMap<string, number>
}

/** @param output - of `readSysfs` */
export function parseSysfs(output: string): Sysfs {
  const serials = new Map<string, string>()
  const partitions = new Map<string, number>()
  for (const [, name = '', file, value = ''] of output.matchAll(/^\/sys\/class\/block\/([^/]+)\/([a-z/]+):(.*)$/gm)) {
    const content = value.trim()
    if (file === 'partition') partitions.set(name, Number(content))
    else if (content !== '' && !serials.has(name)) serials.set(name, content)
  }
  return { serials, partitions }
}

/** The volume's id is the serial of its disk, on NVMe without the hyphen (EC2 User Guide, "Identify the EBS device"). */
export function volumeIdOf(serial: string | undefined): string | undefined {
  const id = /^vol-?([0-9a-f]{8,17})$/.exec(serial ?? '')?.[1]
  return id === undefined ? undefined : `vol-${id}`
}

/** What can be found of a host's disks. */
export interface Disks extends Sysfs {
  readonly devices: readonly Device[]
}

/** The device that a copy of a disk has, or its partition; undefined where it has not come yet. */
export function findDevice({ devices, serials, partitions }: Disks, volumeId: string, partition?: number) {
  const disk = devices.find(({ name, type }) => type === 'disk' && volumeIdOf(serials.get(name)) === volumeId)
  if (!disk || partition === undefined) return disk
  return devices.find(({ name, parents }) => parents.includes(disk.name) && partitions.get(name) === partition)
}

/** The disks at the bottom of a device. */
export function disksBelow({ devices }: Pick<Disks, 'devices'>, device: Device): readonly Device[] {
  if (device.parents.length === 0) return [device]
  return device.parents.flatMap((name) => {
    const parent = devices.find((one) => one.name === name)
    return parent ? disksBelow({ devices }, parent) : []
  })
}

/** All that lies on a disk, and the disk. */
export function devicesOf({ devices }: Pick<Disks, 'devices'>, disk: Device): readonly Device[] {
  return devices.filter((device) => disksBelow({ devices }, device).includes(disk))
}

/** @param output - of `blkid`: which devices hold physical volumes of LVM */
export function parsePhysicalVolumes(output: string): string[] {
  return output.split(/\n\s*\n/).flatMap((block) => {
    const device = /^DEVNAME=\/dev\/(.+)$/m.exec(block)?.[1]
    return device !== undefined && /^TYPE=LVM[12]_member$/m.test(block) ? [device] : []
  })
}
