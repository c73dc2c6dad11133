/** Disks that come to a guest and go again while it runs, through the management console of its kernel. */
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** A file that a guest has as a disk. */
export interface Disk {
  /** Its path, without a comma or colon. */
  readonly file: string
  /** What the guest reads in /sys/block/…/serial. */
  readonly serial?: string
}

/** What is plugged in where: by `ubdb`, `ubdc`, … */
export type Slots = Map<string, Disk>

/** As many as the driver has, but for `ubda`, which would be taken for the root. */
const SLOT_NAMES = 'bcdefghijklmnop'.split('').map((letter) => `ubd${letter}`)

/** @throws Error if all are taken, or the file cannot be read and written: the kernel would say that it has the disk */
export async function plugIn(slots: Slots, disk: Disk): Promise<string> {
  const slot = SLOT_NAMES.find((name) => !slots.has(name))
  if (slot === undefined) throw new Error(`a guest has at most ${SLOT_NAMES.length} disks`)
  await access(disk.file, constants.R_OK | constants.W_OK)
  slots.set(slot, disk)
  return slot
}

/** A word for the kernel's command line, and for its console. The file of a copy-on-write disk would stand between the commas. */
export function formatSlot(slot: string, { file, serial }: Disk): string {
  return serial === undefined ? `${slot}=${file}` : `${slot}=${file},,${serial}`
}

export interface ConsoleAnswer {
  /** Whether the kernel did what it was asked for. */
  readonly isDone: boolean
  readonly text: string
}

/**
 * Asks the console of the kernel whose directory this is.
 *
 * @param signal - ends the wait: a kernel that dies meanwhile does not answer
 */
export async function askConsole(
  directory: string,
  words: readonly string[],
  signal: AbortSignal,
): Promise<ConsoleAnswer> {
  const argv = [join(__dirname, 'mconsole.pl'), join(directory, 'guest', 'mconsole'), ...words]
  try {
    return { isDone: true, text: (await promisify(execFile)('perl', argv, { signal })).stdout }
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string }
    return { isDone: false, text: stdout + stderr }
  }
}
