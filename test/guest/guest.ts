/**
 * Guests with real LVM: User-Mode Linux, which needs no virtualisation, with the device-mapper modules that the host's
 * kernel may lack. A guest sees the host's files (programs, node_modules, dist/) and keeps its own changes to itself.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { copyFile, mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, delimiter, join, resolve } from 'node:path'
import { formatArgv } from '../../agent/host/argv'
import { askConsole, formatSlot, plugIn, type ConsoleAnswer, type Disk, type Slots } from './guest-disks'
import { openLink, type CommandOptions, type GuestCommand, type GuestLink, type GuestResult } from './guest-link'
import type { Argv } from '../../agent/context'

/** From a guest, this is the host's 127.0.0.1. */
export const HOST_FROM_GUEST = '10.0.2.2'

const BOOT_TIMEOUT_SECONDS = 60
const PROGRAMS = resolve(__dirname, '../../node_modules/.bin')

export interface GuestOptions {
  /** A disk of this size each: /dev/ubdb, /dev/ubdc, … Sparse files that live as long as the guest. */
  readonly disksMiB?: readonly number[]
  /** 1024 unless told. */
  readonly memoryMiB?: number
  /** Directories that guest and host share, read-write, at the same path. */
  readonly shares?: readonly string[]
  /** Whether systemd is process 1, and runs what it is told to by systemd-run; otherwise there is nothing like it. */
  readonly systemd?: boolean
}

/** A machine that runs until `stop`; as `await using`, until its scope ends. */
export interface Guest extends AsyncDisposable {
  /** Device names of the disks that it was first booted with. */
  readonly disks: readonly string[]
  /**
   * Plugs in another disk, for this boot and those after it. The file is the caller's.
   *
   * @returns its device name: `/dev/ubdc`
   * @throws Error if the guest has 15 already
   */
  attachDisk(disk: Disk): Promise<string>
  /** @returns whether it is gone: not while it is mounted or open, which nothing is without power */
  detachDisk(device: string): Promise<boolean>
  /** Stops everything in the guest meanwhile, so that its disks show one moment. Its connections survive. */
  paused<T>(work: () => Promise<T>): Promise<T>
  /** Starts a command as root and leaves it running. */
  start(argv: Argv, options?: CommandOptions): GuestCommand
  /** Runs a command as root to its end. Any status is a result. */
  exec(argv: Argv, options?: CommandOptions): Promise<GuestResult>
  /** As `exec`, returns its standard output. @throws Error if it exits with anything but 0 */
  run(argv: Argv, options?: CommandOptions): Promise<string>
  /** The power fails: nothing is flushed, nothing is told. The disks keep what had reached them, all else is lost. */
  powerCut(): Promise<void>
  /** Boots again after a power cut, and activates the volume groups. */
  powerOn(): Promise<void>
  /** Writes the shares back, ends the guest, removes its disks. */
  stop(): Promise<void>
}

/**
 * Boots a guest (about two seconds).
 *
 * @throws Error with the end of the kernel's console if it does not come up
 */
export async function bootGuest(options: GuestOptions = {}): Promise<Guest> {
  const directory = await mkdtemp(join(tmpdir(), 'snapstream-guest-'))
  const slots = await createImages(directory, options.disksMiB ?? [])
  let machine = await powerOn(directory, slots, options)

  const guest: Guest = {
    disks: [...slots.keys()].map((slot) => `/dev/${slot}`),
    ...diskActions(directory, slots, () => machine.lostPower),
    start: (argv, commandOptions = {}) => machine.link.start(argv, commandOptions),
    exec: async (argv, commandOptions = {}) => machine.link.start(argv, commandOptions).ended,
    async run(argv, commandOptions) {
      const { status, killedBy, stdout, stderr } = await guest.exec(argv, commandOptions)
      if (status !== 0) throw new Error(`${formatArgv(argv)}: ${killedBy ?? `status ${status ?? '?'}`}: ${stderr}`)
      return stdout
    },
    powerCut: () => powerOff(machine),
    async powerOn() {
      machine = await powerOn(directory, slots, options)
    },
    async stop() {
      if (!machine.lostPower.aborted) await guest.exec(['sync']).catch(() => undefined)
      await powerOff(machine)
      await rm(directory, { recursive: true, force: true })
    },
    [Symbol.asyncDispose]: () => guest.stop(),
  }
  return guest
}

/** What is plugged in or out while the guest has no power, it finds at its next boot. */
function diskActions(
  directory: string,
  slots: Slots,
  lostPower: () => AbortSignal,
): Pick<Guest, 'attachDisk' | 'detachDisk' | 'paused'> {
  const nothingToDo: ConsoleAnswer = { isDone: true, text: '' }
  const ask = async (...words: string[]) => {
    const signal = lostPower()
    const answer = signal.aborted ? nothingToDo : await askConsole(directory, words, signal)
    return signal.aborted ? nothingToDo : answer
  }
  const tell = async (...words: string[]) => {
    const { isDone, text } = await ask(...words)
    if (!isDone) throw new Error(`the guest's kernel refuses "${words.join(' ')}": ${text}`)
  }
  return {
    async attachDisk(disk) {
      const slot = await plugIn(slots, disk)
      try {
        await tell('config', formatSlot(slot, disk))
      } catch (error) {
        slots.delete(slot)
        throw error
      }
      return `/dev/${slot}`
    },
    async detachDisk(device) {
      const slot = basename(device)
      if (!slots.has(slot)) throw new Error(`the guest has no disk ${device}`)
      const { isDone, text } = await ask('remove', slot)
      if (isDone) slots.delete(slot)
      else if (!text.includes('currently open')) throw new Error(`the guest keeps ${device}: ${text}`)
      return isDone
    },
    async paused(work) {
      await tell('stop')
      try {
        return await work()
      } finally {
        await tell('go')
      }
    },
  }
}

interface Machine {
  readonly process: ChildProcess
  readonly exited: Promise<void>
  /** Aborted when it has. */
  readonly lostPower: AbortSignal
  readonly link: GuestLink
}

async function createImages(directory: string, disksMiB: readonly number[]): Promise<Slots> {
  const slots: Slots = new Map()
  for (const [index, sizeMiB] of disksMiB.entries()) {
    const file = join(directory, `disk-${index}`)
    await writeFile(file, '')
    await truncate(file, sizeMiB * 1024 * 1024)
    await plugIn(slots, { file })
  }
  return slots
}

async function powerOn(directory: string, slots: Slots, options: GuestOptions): Promise<Machine> {
  const link = await openLink()
  const daemon = [join(PROGRAMS, 'node'), join(__dirname, 'guest-daemon.mts'), String(link.port)]
  await writeFile(join(directory, 'shares'), (options.shares ?? []).map((share) => `${resolve(share)}\n`).join(''))
  await writeFile(join(directory, 'command'), ['env', guestPath(), ...daemon].map((word) => `${word}\n`).join(''))
  if (options.systemd) await writeFile(join(directory, 'systemd'), '')
  await copyFile(join(__dirname, 'guest-init.sh'), join(directory, 'init'))

  const consoleFile = join(directory, 'console.log')
  const console = await open(consoleFile, 'w')
  const argv = ['taskset', '--cpu-list', String(await chooseCpu()), ...linux(directory, slots, options)]
  const child = spawn('perl', [join(__dirname, 'launch-guest.pl'), ...argv], {
    stdio: ['ignore', 'ignore', console.fd],
  })
  const exited = new Promise<void>((done) => child.once('close', () => done()))
  await console.close()
  const lostPower = new AbortController()
  void exited.then(() => lostPower.abort())
  void exited.then(() => link.close(new Error('the guest lost its power, or died')))
  const timer = setTimeout(() => child.kill(), BOOT_TIMEOUT_SECONDS * 1000)
  try {
    await link.ready
  } catch (cause) {
    const kernel = await readFile(consoleFile, 'utf8')
    throw new Error(`the guest did not boot; its console ended with: ${kernel.slice(-2000)}`, { cause })
  } finally {
    clearTimeout(timer)
  }
  return { process: child, exited, lostPower: lostPower.signal, link }
}

function guestPath(): string {
  return `PATH=${[PROGRAMS, '/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(delimiter)}`
}

/** NETWORK is filled in by launch-guest.pl. */
function linux(directory: string, slots: Slots, { memoryMiB = 1024 }: GuestOptions): string[] {
  return [
    'linux.uml',
    `mem=${memoryMiB}M`,
    ...['rootfstype=hostfs', 'rootflags=/', 'ro', `init=${join(directory, 'init')}`],
    ...['con=null', 'con0=null,fd:2', 'ssl=null', 'quiet', 'panic=-1', 'noreboot'],
    ...[`uml_dir=${directory}`, 'umid=guest', `guest=${directory}`],
    ...[...slots].map(([slot, disk]) => formatSlot(slot, disk)),
    'vec0:transport=fd,fd=NETWORK,depth=64,mtu=32000',
  ]
}

/**
 * One CPU for each guest, another one for each of jest's workers: User-Mode Linux hands over between two processes at
 * every system call, which is three times as fast on one CPU as between two.
 */
async function chooseCpu(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8')
  const allowed = (/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? '0').split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
  const worker = Number(process.env['JEST_WORKER_ID'] ?? 1)
  return allowed[(allowed.length - (worker % allowed.length)) % allowed.length]!
}

async function powerOff({ process, exited }: Machine): Promise<void> {
  process.kill()
  await exited
}
