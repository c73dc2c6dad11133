/** The hardware of an instance. A guest is one (`test/guest/guest.ts`). */
export interface Machine {
  /**
   * Plugs in a disk.
   * @returns what the machine calls it: `/dev/ubdb`
   */
  attachDisk(disk: { readonly file: string; readonly serial: string }): Promise<string>
  /** @returns whether it is gone: not where it is mounted, or open otherwise */
  detachDisk(device: string): Promise<boolean>
  /** Does something while the machine stands still, so that all of its disks show one moment. */
  paused<T>(work: () => Promise<T>): Promise<T>
}

/** Disks are files, and nobody reads them. */
export const NO_MACHINE: Machine = {
  attachDisk: async () => '',
  detachDisk: async () => true,
  paused: (work) => work(),
}
