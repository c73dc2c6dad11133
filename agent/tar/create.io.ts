/** Runs tar and reads its output straight into the buffers that are uploaded: no copy, no garbage. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { tarMessages, type MessageSummary } from './messages'
import type { HostDeps, Argv, RunningCommand } from '../context'
import { takeTemporaryDirectory } from '../host/temporary-directory.io'

/** What a read brings at most where no buffer waits for it: the size of a socket's own buffer (net.core.wmem_default). */
const SPARE_BYTES = 256 * 1024

/** A running tar. Releasing it kills tar where it still runs, and waits until it is gone. */
export interface TarStream extends AsyncDisposable {
  /**
   * Fills the buffer with what comes next. One call at a time.
   *
   * @returns how many bytes; fewer than the buffer holds only at the end of the stream
   */
  fill(target: Buffer): Promise<number>
  /** As `RunningCommand`: the stream is good only if this resolves. */
  readonly succeeded: Promise<void>
  /** What tar said. Complete once `succeeded` has resolved. */
  messages(): MessageSummary
}

/** @param input - given to tar's standard input; where it fails, tar is killed and `succeeded` rejects with that error */
export async function startTar(
  deps: Pick<HostDeps, 'host'>,
  argv: Argv,
  signal: AbortSignal,
  input: AsyncIterable<Buffer> = noInput(),
): Promise<TarStream> {
  const reader = createReader()
  const output = await reader.connect()
  const messages = tarMessages()
  let command: RunningCommand
  try {
    // One that hangs keeps its end open: nothing will come, and nobody may wait for it.
    command = deps.host.start(argv, signal, {
      stdout: output,
      onHang: () => reader.close(),
      onStderr: (chunk) => messages.push(chunk),
    })
  } finally {
    output.destroy() // tar has its own end now: the stream ends when tar closes that
  }
  const succeeded = feed(command, input).then(() => command.succeeded)
  succeeded.catch(() => undefined) // whoever awaits it sees the error
  return {
    fill: (target) => reader.fill(target),
    succeeded,
    messages: () => messages.summary(),
    async [Symbol.asyncDispose]() {
      reader.close() // whatever tar may have started ends too when nobody reads
      command.kill()
      await command.succeeded.catch(() => undefined)
      await succeeded.catch(() => undefined)
    },
  }
}

async function* noInput(): AsyncGenerator<Buffer> {
  // Nothing: tar's standard input ends at once.
}

/** @throws what the input throws. Tar would take what came before for all there is, so it is killed first. */
async function feed(command: RunningCommand, input: AsyncIterable<Buffer>): Promise<void> {
  let failure: { readonly error: unknown } | undefined
  async function* watched(): AsyncGenerator<Buffer> {
    try {
      yield* input
    } catch (error) {
      failure = { error }
      throw error
    }
  }
  // Should tar end early, its status tells why, and not the broken pipe.
  await pipeline(watched(), command.stdin).catch(() => undefined)
  if (!failure) return
  command.kill()
  throw failure.error
}

/**
 * Reads a private socket into the caller's buffers. A child's standard output as Node offers it comes in fresh 64 KiB
 * buffers: a third of the speed, and garbage that doubles the memory.
 *
 * Node asks where to read to before it is known whether a buffer waits, so there is a spare one: what arrives while none
 * waits goes there, and reading stops until it was used.
 */
function createReader() {
  const spare = Buffer.allocUnsafeSlow(SPARE_BYTES)
  let spareStart = 0
  let spareEnd = 0
  let target: Buffer | undefined
  let filled = 0
  let settle: ((bytes: number) => void) | undefined
  let ended = false
  let socket: Socket | undefined

  const finishFill = () => {
    const resolve = settle
    target = undefined
    settle = undefined
    resolve?.(filled)
  }
  const useSpare = () => {
    if (!target) return
    const copied = spare.copy(target, filled, spareStart, spareEnd)
    filled += copied
    spareStart += copied
  }
  const onRead = (bytes: number, buffer: Uint8Array): boolean => {
    if (buffer === spare) {
      spareStart = 0
      spareEnd = bytes
      useSpare()
    } else {
      filled += bytes
    }
    if (target && filled === target.length) finishFill()
    return target !== undefined
  }

  return {
    /** The end that the command writes to. */
    async connect(): Promise<Socket> {
      const [reading, writing] = await connectedSockets(() => target?.subarray(filled) ?? spare, onRead)
      socket = reading
      const end = () => {
        ended = true
        finishFill()
      }
      // An error ends the stream early; that tar then fails, or the archive is found cut short, says why.
      reading.on('error', end).on('end', end).on('close', end)
      return writing
    },

    fill(next: Buffer): Promise<number> {
      target = next
      filled = 0
      useSpare()
      return new Promise((resolve) => {
        settle = resolve
        if (filled === next.length || ended) finishFill()
        else socket?.resume()
      })
    },

    close() {
      socket?.destroy()
    },
  }
}

/** Two ends of a socket that nobody else can reach: its directory is ours alone, and gone once they are connected. */
async function connectedSockets(
  buffer: () => Uint8Array,
  callback: (bytes: number, buffer: Uint8Array) => boolean,
): Promise<[reading: Socket, writing: Socket]> {
  await using directory = await takeTemporaryDirectory()
  const server = createServer()
  try {
    const path = join(directory.path, 'tar')
    server.listen(path)
    await once(server, 'listening')
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const reading = connect({ path, onread: { buffer, callback } })
    const [[writing]] = await Promise.all([accepted, once(reading, 'connect')])
    return [reading, writing]
  } finally {
    server.close()
  }
}
