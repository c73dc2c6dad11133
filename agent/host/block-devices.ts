/** The tree of devices that `lsblk --json` prints. */

export interface BlockDeviceRow {
  readonly name: string
  /** `disk`, `part`, `lvm`, … */
  readonly type: string
  /** What lies on it, or is part of it. */
  readonly children: readonly BlockDeviceRow[]
}

/** All of them, each before those on it; a report that is none has nothing in it. */
export function flattenBlockDevices(report: unknown): BlockDeviceRow[] {
  const { blockdevices } = fieldsOf(report)
  const all = (rows: readonly BlockDeviceRow[]): BlockDeviceRow[] => rows.flatMap((row) => [row, ...all(row.children)])
  return all(rowsOf(blockdevices))
}

/** What is no device is passed over, and what is on it is not. */
function rowsOf(list: unknown): BlockDeviceRow[] {
  return (Array.isArray(list) ? (list as unknown[]) : []).flatMap((row) => {
    const { name, type, children } = fieldsOf(row)
    const below = rowsOf(children)
    return typeof name === 'string' && typeof type === 'string' ? [{ name, type, children: below }] : below
  })
}

function fieldsOf(value: unknown): Partial<Record<'blockdevices' | 'name' | 'type' | 'children', unknown>> {
  return typeof value === 'object' && value !== null ? value : {}
}
