import type { Argv } from '../context'

/** A command, and why it is there. */
export interface RebuildStep {
  readonly purpose: string
  readonly argv: Argv
  /** What it reads from standard input: whole lines. */
  readonly input?: string
}

export function step(purpose: string, argv: Argv, input?: string): RebuildStep {
  return { purpose, argv, ...(input !== undefined && { input }) }
}

/** Each old disk and the new one in its place; those that are not listed have the same name again. */
export type ReplacedDisks = readonly (readonly [old: string, now: string])[]

/** What a filesystem is made on. */
export interface MadeDevice {
  readonly device: string
  /** What the host called it. */
  readonly former: string
  /** Other names for it in an fstab. */
  readonly aliases: readonly string[]
}

/** What has to be made on empty disks before there can be filesystems. */
export interface DeviceLayout {
  /** Those that are there now, each once. */
  readonly disks: readonly string[]
  /** What the host called them. */
  readonly formerDisks: readonly string[]
  readonly steps: readonly RebuildStep[]
  readonly devices: readonly MadeDevice[]
  /** What becomes otherwise than it was. */
  readonly notes: readonly string[]
  /** What is too small for it. @param sizes - in bytes, of the disks of this machine, which need not be the one that is rebuilt */
  notesOnSizes(sizes: ReadonlyMap<string, number>): string[]
}
