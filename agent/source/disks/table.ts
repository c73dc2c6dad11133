/** Partition tables, as `sfdisk --dump` prints them and `sfdisk` takes them (sfdisk(8), "INPUT FORMATS"). */
import { AgentError } from '../../errors'

/** All but the sizes are checked to be of the kind that they should be: they become input of sfdisk, run by root. */
export interface Partition {
  readonly number: number
  /** In sectors. */
  readonly start: number
  readonly size: number
  /** A GUID, or of a DOS table one byte in hexadecimal. */
  readonly type: string
  /** Of GPT alone. */
  readonly uuid?: string
  /** As sfdisk quotes it. */
  readonly name?: string
  readonly attrs?: string
  readonly bootable: boolean
}

export interface PartitionTable {
  readonly label: 'gpt' | 'dos'
  /** A GUID, or of a DOS table a number such as `0x1b2c3d4e`. */
  readonly id: string
  /** The first sector that a partition may have; absent where sfdisk is to decide. */
  readonly firstLba?: number
  /** How many entries there may be; absent where it is the usual number. */
  readonly length?: number
  readonly sectorBytes: number
  readonly partitions: readonly Partition[]
}

const GUID = /^[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}$/i
const NUMBER = /^\d{1,15}$/
const FIELDS: Readonly<Record<'gpt' | 'dos', Readonly<Record<string, RegExp>>>> = {
  gpt: {
    ...{ start: NUMBER, size: NUMBER, type: GUID, uuid: GUID },
    // Quotation marks and what cannot be printed, sfdisk itself has put as \xHH.
    name: /^"(?:[^"\\\p{C}\p{Zl}\p{Zp}]|\\x[0-9a-f]{2})*"$/u,
    attrs: /^"[A-Za-z0-9:, ]*"$/,
  },
  dos: { start: NUMBER, size: NUMBER, type: /^[0-9a-f]{1,2}$/i, bootable: /^$/ },
}
const LABEL_IDS = { gpt: GUID, dos: /^0x[0-9a-f]{1,8}$/i }
const SECTOR_BYTES = 512

/** Partition `number` of a disk: the kernel puts a `p` between two digits (block/partitions/core.c). */
export function partitionDevice(disk: string, number: number): string {
  return `${disk}${/\d$/.test(disk) ? 'p' : ''}${number}`
}

/** @throws AgentError OUTPUT_UNREADABLE */
export function parsePartitionTable(disk: string, dump: string): PartitionTable {
  const rows = dump.split('\n').filter((row) => row.trim() !== '')
  const headers = new Map<string, string>()
  const partitions: Partition[] = []
  for (const row of rows) {
    const [, header, value = ''] = /^([a-z-]+): *(\S+)$/.exec(row) ?? []
    if (header !== undefined) headers.set(header, value)
    else partitions.push(parseRow(disk, row, labelOf(disk, headers)))
  }
  const label = labelOf(disk, headers)
  const id = headers.get('label-id') ?? ''
  if (!LABEL_IDS[label].test(id)) throw unreadable(disk, `label-id: ${id}`)
  const firstLba = numberOf(disk, headers, 'first-lba')
  const length = numberOf(disk, headers, 'table-length')
  return {
    ...{ label, id, partitions, sectorBytes: numberOf(disk, headers, 'sector-size') ?? SECTOR_BYTES },
    ...(firstLba !== undefined && { firstLba }),
    ...(length !== undefined && { length }),
  }
}

/** The table as sfdisk takes it, for a disk that need not have the name, or the size, of the one that it was of. */
export function formatPartitionTable(disk: string, table: PartitionTable): string {
  return [
    `label: ${table.label}`,
    `label-id: ${table.id}`,
    'unit: sectors',
    ...(table.firstLba === undefined ? [] : [`first-lba: ${table.firstLba}`]),
    ...(table.length === undefined ? [] : [`table-length: ${table.length}`]),
    '',
    ...table.partitions.map((partition) => `${partitionDevice(disk, partition.number)} : ${formatFields(partition)}`),
    '',
  ].join('\n')
}

function formatFields({ start, size, type, uuid, name, attrs, bootable }: Partition): string {
  return [
    `start=${start}, size=${size}, type=${type}`,
    ...(uuid === undefined ? [] : [`uuid=${uuid}`]),
    ...(name === undefined ? [] : [`name=${name}`]),
    ...(attrs === undefined ? [] : [`attrs=${attrs}`]),
    ...(bootable ? ['bootable'] : []),
  ].join(', ')
}

function parseRow(disk: string, row: string, label: 'gpt' | 'dos'): Partition {
  const [, device = '', text = ''] = /^(\S+) *: *(.*)$/.exec(row) ?? []
  const number = Number(/\d{1,3}$/.exec(device)?.[0])
  const found = splitFields(text)
  const fields = new Map(found)
  const isKnown = fields.size === found.length && found.every(([field, value]) => FIELDS[label][field]?.test(value))
  const [start, size, type] = [fields.get('start'), fields.get('size'), fields.get('type')]
  if (device !== partitionDevice(disk, number) || !isKnown || !start || !size || !type) throw unreadable(disk, row)
  const [uuid, name, attrs] = [fields.get('uuid'), fields.get('name'), fields.get('attrs')]
  return {
    ...{ number, start: Number(start), size: Number(size), type, bootable: fields.has('bootable') },
    ...(uuid !== undefined && { uuid }),
    ...(name !== undefined && { name }),
    ...(attrs !== undefined && { attrs }),
  }
}

/** What is not understood is a field that nobody knows. */
function splitFields(text: string): [string, string][] {
  const found: [string, string][] = []
  let rest = text
  while (rest !== '') {
    const [all = rest, field = rest, value = ''] = /^([a-z]+)(?:= *("[^"]*"|[^\s,"]+))?(?:, *|$)/.exec(rest) ?? []
    found.push([field, value])
    rest = rest.slice(all.length)
  }
  return found
}

function labelOf(disk: string, headers: ReadonlyMap<string, string>): 'gpt' | 'dos' {
  const label = headers.get('label')
  if (label === 'gpt' || label === 'dos') return label
  throw unreadable(disk, `label: ${label ?? ''}`)
}

function numberOf(disk: string, headers: ReadonlyMap<string, string>, header: string): number | undefined {
  const value = headers.get(header)
  if (value === undefined || NUMBER.test(value)) return value === undefined ? undefined : Number(value)
  throw unreadable(disk, `${header}: ${value}`)
}

function unreadable(disk: string, row: string): AgentError {
  return new AgentError(
    'OUTPUT_UNREADABLE',
    `the partition table of ${disk} in the manifest is not understood: ${row}`,
    {
      hint: 'Partition a disk by hand, by the manifest\'s system.partitionTables, and restore the volumes with "snapstream restore".',
    },
  )
}
