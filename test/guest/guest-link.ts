/** The line between the tests and a guest: JSON lines over a TCP connection that the guest opens. */
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { formatArgv } from '../../agent/host/argv'
import type { Argv } from '../../agent/context'

/** More than this of a command's output is dropped, and said so. */
const OUTPUT_BYTES_MAX = 32 * 1024 * 1024
const DEFAULT_TIMEOUT_SECONDS = 120

export type ToGuest =
  | {
      readonly id: number
      readonly argv: Argv
      readonly environment: Readonly<Record<string, string>>
      /** In base64, as everything that may be binary. */
      readonly input: string
      /** Whether its input stays open until it is told otherwise. */
      readonly isInputOpen: boolean
    }
  | { readonly id: number; readonly endInput: true }
  | { readonly id: number; readonly signal: NodeJS.Signals }

export type FromGuest =
  | { readonly ready: true }
  | { readonly id: number; readonly stdout: string }
  | { readonly id: number; readonly stderr: string }
  | { readonly id: number; readonly status: number | null; readonly killedBy: NodeJS.Signals | null }

export interface CommandOptions {
  readonly input?: string | Buffer
  /** Added to the guest's environment, in which `node` is the project's Node. */
  readonly environment?: Readonly<Record<string, string>>
  /** The command is killed and an error thrown after this; 120 unless told. */
  readonly timeoutSeconds?: number
  /** Called with what the command writes to standard error, as it comes. */
  readonly onStderr?: (text: string) => void
  readonly onStdout?: (data: Buffer) => void
  /** Leaves its input open until `endInput`. */
  readonly keepInput?: boolean
}

export interface GuestResult {
  /** 127 if the program could not be run, null where it was killed. */
  readonly status: number | null
  readonly killedBy: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that runs in the guest. */
export interface GuestCommand {
  /** Signals the command and all that it started, as the SSM agent does. */
  kill(signal: NodeJS.Signals): void
  endInput(): void
  readonly ended: Promise<GuestResult>
}

export interface GuestLink {
  readonly port: number
  /** Resolves when the guest is up. */
  readonly ready: Promise<void>
  start(argv: Argv, options: CommandOptions): GuestCommand
  /** Every command that still runs fails with this, and so does `start` from then on. */
  close(reason: Error): void
}

interface Pending {
  readonly stdout: Buffer[]
  readonly stderr: Buffer[]
  readonly onStderr: ((text: string) => void) | undefined
  readonly onStdout: ((data: Buffer) => void) | undefined
  readonly end: (result: Omit<GuestResult, 'stdout' | 'stderr'>) => void
  readonly fail: (error: Error) => void
}

/** Waits at a free port of 127.0.0.1 for a guest. */
export async function openLink(): Promise<GuestLink> {
  const pending = new Map<number, Pending>()
  let becomeReady: () => void
  let failReady: (reason: Error) => void
  const ready = new Promise<void>((resolve, reject) => {
    becomeReady = resolve
    failReady = reject
  })
  ready.catch(() => undefined) // close() may come before anybody waits
  let socket: Socket | undefined
  let closedBecause: Error | undefined
  let lastId = 0

  const server = createServer((connection) => {
    socket = connection
    connection.on('error', () => undefined) // a power cut; close() fails what runs
    createInterface({ input: connection }).on('line', (line) => {
      const message = JSON.parse(line) as FromGuest
      if ('ready' in message) becomeReady()
      else receive(pending, message)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    port: (server.address() as AddressInfo).port,
    ready,
    start(argv, options) {
      if (closedBecause) throw closedBecause
      const id = ++lastId
      const tell = (message: ToGuest) => socket?.write(`${JSON.stringify(message)}\n`)
      const ended = withTimeout(argv, options, wait(pending, id, options), () => tell({ id, signal: 'SIGKILL' }))
      ended.catch(() => undefined) // whoever awaits it sees the error
      tell({
        id,
        argv,
        environment: options.environment ?? {},
        input: Buffer.from(options.input ?? '').toString('base64'),
        isInputOpen: options.keepInput ?? false,
      })
      return { kill: (signal) => tell({ id, signal }), endInput: () => tell({ id, endInput: true }), ended }
    },
    close(reason) {
      closedBecause = reason
      failReady(reason)
      for (const command of pending.values()) command.fail(reason)
      socket?.destroy()
      server.close()
    },
  }
}

function receive(pending: Map<number, Pending>, message: Exclude<FromGuest, { ready: true }>): void {
  const command = pending.get(message.id)
  if (!command) return
  if ('stdout' in message) {
    const data = Buffer.from(message.stdout, 'base64')
    command.stdout.push(data)
    command.onStdout?.(data)
  } else if ('stderr' in message) {
    const data = Buffer.from(message.stderr, 'base64')
    command.stderr.push(data)
    command.onStderr?.(data.toString())
  } else {
    pending.delete(message.id)
    command.end(message)
  }
}

async function wait(
  pending: Map<number, Pending>,
  id: number,
  { onStderr, onStdout }: CommandOptions,
): Promise<GuestResult> {
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  const { status, killedBy } = await new Promise<Omit<GuestResult, 'stdout' | 'stderr'>>((end, fail) => {
    pending.set(id, { stdout, stderr, onStderr, onStdout, end, fail })
  })
  return { status, killedBy, stdout: text(stdout), stderr: text(stderr) }
}

function text(chunks: readonly Buffer[]): string {
  const all = Buffer.concat(chunks)
  if (all.length <= OUTPUT_BYTES_MAX) return all.toString()
  return `${all.subarray(0, OUTPUT_BYTES_MAX).toString()}\n(the rest of ${all.length} bytes is left out)`
}

async function withTimeout(
  argv: Argv,
  { timeoutSeconds = DEFAULT_TIMEOUT_SECONDS }: CommandOptions,
  ended: Promise<GuestResult>,
  kill: () => void,
): Promise<GuestResult> {
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      kill()
      reject(new Error(`${formatArgv(argv)} took more than ${timeoutSeconds} s in the guest`))
    }, timeoutSeconds * 1000)
  })
  try {
    return await Promise.race([ended, expired])
  } finally {
    clearTimeout(timer)
  }
}
