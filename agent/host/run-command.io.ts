import { spawn, type ChildProcess, type IOType } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { AgentError } from '../errors'
import { formatArgv } from './argv'
import type { Argv, RunOptions, Host } from '../context'

/** What the end of a command's standard error is kept for messages. */
const STDERR_TAIL_BYTES = 4096
/** A killed process is gone in milliseconds, unless it waits for a device that does not answer: then nothing ends it. */
const KILL_GRACE_SECONDS = 5
export const localHost: Host = {
  async run(argv, signal, options) {
    const result = await localHost.attempt(argv, signal, options)
    assertSuccessful(argv, result, result.stderr)
    return result.stdout
  },

  async attempt(argv, signal, options = {}) {
    // A session of its own: a signal to our process group (Ctrl-C, Systems Manager) must not hit what is cleaning up,
    // nor an LVM command between suspending a volume and resuming it, which would leave the host hanging.
    const child = spawnCommand(argv, signal, { ...options, detached: true }, ['ignore', 'pipe', 'pipe'])
    const stdout = collect(child.stdout)
    const stderr = collect(child.stderr)
    const running = watch(child, signal)
    const { timeoutSeconds, leaveRunning = false, outputSeconds } = options
    if (outputSeconds) child.once('exit', () => setTimeout(() => letGo(child), outputSeconds * 1000).unref())
    const timer = timeoutSeconds && setTimeout(leaveRunning ? running.leave : running.kill, timeoutSeconds * 1000)
    const ending = await running.ended
    clearTimeout(timer)
    assertRan(argv, ending)
    const { status, killedBy, hangs } = ending
    return { stdout: textOf(stdout), stderr: textOf(stderr), status, killedBy, ...(hangs && { hangs }) }
  },

  start(argv, signal, options = {}) {
    // In our process group, as a rule: what reads a snapshot has to go when the agent is killed.
    const child = spawnCommand(argv, signal, { ...options, detached: options.ownSession ?? false }, [
      'pipe',
      options.stdout ?? 'pipe',
      'pipe',
    ])
    let stderrTail = Buffer.alloc(0)
    child.stderr?.on('data', (chunk: Buffer) => {
      stderrTail = Buffer.concat([stderrTail, chunk]).subarray(-STDERR_TAIL_BYTES)
      options.onStderr?.(chunk)
    })
    // A command that exits early breaks its standard input: its status tells why, not EPIPE.
    child.stdin?.on('error', () => undefined)
    const running = watch(child, signal)
    const succeeded = running.ended.then((ending) => {
      if (ending.hangs) options.onHang?.()
      assertRan(argv, ending)
      assertSuccessful(argv, ending, stderrTail.toString())
    })
    succeeded.catch(() => undefined) // whoever awaits it sees the error; not awaiting it must not end the process
    return {
      stdin: child.stdin as Writable,
      stdout: child.stdout as Readable,
      succeeded,
      stderrTail: () => stderrTail.toString(),
      kill: running.kill,
    }
  },
}

function spawnCommand(
  argv: Argv,
  signal: AbortSignal,
  options: RunOptions & { readonly detached: boolean },
  stdio: readonly (IOType | number | Socket)[],
) {
  const [program, ...args] = argv
  try {
    return spawn(program, args, {
      stdio: [...stdio, ...(options.descriptors ?? [])],
      signal,
      detached: options.detached,
      killSignal: 'SIGKILL',
      env: { PATH: process.env['PATH'], HOME: '/root', LC_ALL: 'C', ...options.environment },
    })
  } catch (cause) {
    throw notStarted(argv, cause as Error) // what Node does not report as an event: a lack of memory, for one
  }
}

interface Ending {
  readonly status: number | null
  readonly killedBy: NodeJS.Signals | null
  readonly hangs?: true
  /** Why the command could not start, or was aborted. */
  readonly cause?: Error
}

interface Watched {
  readonly ended: Promise<Ending>
  readonly kill: () => void
  /** Waits no longer. */
  readonly leave: () => void
}

function watch(child: ChildProcess, signal: AbortSignal): Watched {
  const { promise: ended, resolve } = Promise.withResolvers<Ending>()
  let cause: Error | undefined
  let killed = false
  let closed = false
  let timer: NodeJS.Timeout | undefined
  const leave = () => {
    letGo(child)
    child.unref()
    resolve({ status: null, killedBy: killed ? 'SIGKILL' : null, hangs: true, ...(cause && { cause }) })
  }
  const kill = () => {
    if (closed) return
    killed = true
    child.kill('SIGKILL')
    // What the command started may live on with its pipes: they are let go of, too.
    if (child.exitCode !== null || child.signalCode !== null) letGo(child)
    timer ??= setTimeout(leave, KILL_GRACE_SECONDS * 1000)
  }
  child.once('error', (error) => {
    cause = error
  })
  child.once('exit', () => {
    if (killed) letGo(child)
  })
  child.once('close', (status, killedBy) => {
    closed = true
    clearTimeout(timer)
    signal.removeEventListener('abort', kill)
    resolve({ status, killedBy, ...(cause && { cause }) })
  })
  if (signal.aborted) kill()
  else signal.addEventListener('abort', kill, { once: true })
  return { ended, kill, leave }
}

function letGo(child: ChildProcess): void {
  for (const stream of child.stdio) stream?.destroy()
}

function assertRan(argv: Argv, { cause }: Ending): void {
  if (!cause) return
  const program = argv[0]
  if (cause.name === 'AbortError') {
    throw new AgentError('INTERRUPTED', `${program} was stopped before it finished`, {
      hint: 'Run the command again.',
      cause,
    })
  }
  throw notStarted(argv, cause)
}

function notStarted([program]: Argv, cause: NodeJS.ErrnoException): AgentError {
  if (cause.code === 'ENOENT' || cause.code === 'EACCES') {
    return new AgentError('TOOL_MISSING', `could not run ${program}: ${cause.message}`, {
      hint: `Check that ${program} is installed and in PATH; "snapstream preflight" lists every tool that is needed.`,
      cause,
    })
  }
  return new AgentError('COMMAND_FAILED', `could not start ${program}: ${cause.message}`, {
    hint:
      'This machine is short of processes (EAGAIN), open files (EMFILE, ENFILE) or memory (ENOMEM): look at its load and ' +
      'limits, or run the command again when it is less busy.',
    cause,
  })
}

function assertSuccessful(argv: Argv, { status, killedBy, hangs }: Ending, stderrTail: string): void {
  if (status === 0) return
  const exitDescription = hangs
    ? 'does not end'
    : killedBy
      ? `was killed by ${killedBy}`
      : `exited with status ${status ?? 'unknown'}`
  throw new AgentError(
    'COMMAND_FAILED',
    `${formatArgv(argv)} ${exitDescription}: ${stderrTail.trim().slice(-STDERR_TAIL_BYTES)}`,
    {
      hint: 'The text after the colon is what the command itself printed.',
    },
  )
}

/** Fills as it comes; complete once the command has ended. */
function collect(stream: Readable | null): readonly Buffer[] {
  const chunks: Buffer[] = []
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return chunks
}

function textOf(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString()
}
