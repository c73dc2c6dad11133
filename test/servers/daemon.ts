import { execFile, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, openSync, readFileSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

/** A server gets this long to answer its first request. */
const READY_TIMEOUT_SECONDS = 90
const POLL_SECONDS = 0.05

/** A program in the background. */
export interface Daemon {
  /** Throws, with the end of its log, if it is not running any more. */
  throwIfExited(): void
  /** Kills it: nothing that these servers keep is worth a clean end. */
  stop(): Promise<void>
}

/** A directory for everything that a server writes. */
export interface Directory {
  readonly path: string
  remove(): void
}

export async function makeDirectory(name: string): Promise<Directory> {
  const path = await mkdtemp(join(tmpdir(), `snapstream-${name}-`))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/**
 * Starts a program that stays in the foreground. It dies with this process, even where that is killed: `setpriv` has
 * the kernel see to it.
 */
export function startDaemon(argv: readonly string[], logFile: string, environment?: NodeJS.ProcessEnv): Daemon {
  const log = openSync(logFile, 'a')
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...environment },
  })
  child.unref() // a test that failed to stop it must not keep this process waiting for its end
  const exited = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('exit', () => resolve())
  })
  const hasExited = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined
  return {
    throwIfExited() {
      if (!hasExited()) return
      const fate = child.signalCode ?? `status ${child.exitCode ?? 'unknown'}`
      throw new Error(`${argv.join(' ')} ended with ${fate}:\n${readFileSync(logFile, 'utf8').slice(-4000)}`)
    },
    async stop() {
      child.ref() // with nothing else to wait for, this process would end here
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** Waits until the daemon answers an HTTP request, whatever it answers. */
export async function waitForHttp(url: string, daemon: Daemon): Promise<void> {
  for (const deadline = Date.now() + READY_TIMEOUT_SECONDS * 1000; Date.now() < deadline;) {
    daemon.throwIfExited()
    try {
      await fetch(url, { signal: AbortSignal.timeout(2000) })
      return
    } catch {
      await sleep(POLL_SECONDS * 1000) // not listening yet
    }
  }
  throw new Error(`${url} did not answer within ${READY_TIMEOUT_SECONDS} seconds`)
}

/** Below those that the system hands out (net.ipv4.ip_local_port_range), which anybody may get before a daemon takes its own. */
const [PORT_MIN, PORT_MAX] = [10_000, 32_000]

/** Ports that were free a moment ago: at random, so that two servers rarely get the same. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = randomInt(PORT_MIN, PORT_MAX)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

async function isFree(port: number): Promise<boolean> {
  await using server = createServer()
  const listening = once(server.listen(port, '127.0.0.1'), 'listening')
  return await listening.then(
    () => true,
    () => false,
  )
}

/** @returns the path of a Python program that `npm run setup` installs */
export function inVirtualEnvironment(program: string): string {
  const path = resolve(__dirname, '../../.cache/venv/bin', program)
  if (!existsSync(path)) throw new Error(`${program} is not installed: run "npm run setup"`)
  return path
}

/** Runs a program to its end and returns what it printed. */
export async function run(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args)
  return stdout
}
