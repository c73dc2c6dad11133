/**
 * A process beside ours that runs the post hooks should ours be killed while applications are held: by the kernel, out of
 * memory, by systemd with all of our unit, or by somebody in a hurry. A database that waits for the clean-up of the next
 * run is an outage.
 */
import { neverAborted } from '../lib/never-aborted'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { AgentError } from '../errors'
import { systemdRun } from '../host/transient-unit'
import type { HostDeps, Log, Argv } from '../context'
import { localHost } from '../host/run-command.io'
import { unitEnvironment, unitName } from '../host/own-unit.io'
import { BACKSTOP_SECONDS, runHook } from './run-hook.io'

/** The argument by which the agent's program is told to be the guard. */
const ROLE = 'guard-hooks'

export interface GuardConfig {
  readonly run: string
  readonly postHooks: readonly string[]
  /** For each hook, in seconds. */
  readonly hookTimeout: number
  /** Whether the guard, and each hook, gets a unit of its own. */
  readonly ownUnits: boolean
}

/** What the guard is told, a line each. Where the lines end without the last of these, we were killed. */
type GuardMessage = 'begins' | 'ended' | 'stopped'

export interface Guard {
  /** That a hook begins, or has ended. One that outlives us has to be over before the post hooks run. */
  notify(message: Exclude<GuardMessage, 'stopped'>): void
  /** Applications are not held any more. */
  stop(): Promise<void>
}

/** It starts within a second or two, on a busy host too (design limit). */
const START_SECONDS_MAX = 60
/** Once it is told to stop, it has nothing to do any more; only systemd-run may be slow to notice. */
const STOP_SECONDS_MAX = 10

/**
 * Starts the guard, in a unit of its own, or else in a session of its own: what kills our unit, or our process group,
 * must not reach it. It notices our end by the end of its standard input, of which nobody but us has the other end.
 *
 * @param program - the agent's own
 * @throws AgentError COMMAND_FAILED, TOOL_MISSING where it does not start: no application may be held without it
 */
export async function startGuard({ host }: Pick<HostDeps, 'host'>, config: GuardConfig, program: Argv): Promise<Guard> {
  const argv: Argv = [...program, ROLE]
  const guard = host.start(config.ownUnits ? inUnit(config.run, argv) : argv, neverAborted(), {
    ownSession: true,
  })
  guard.stdin.write(`${JSON.stringify(config)}\n`)
  const isReady = once(guard.stdout, 'data')
  const ended = guard.succeeded.then(throwEarlyEnd)
  await within(START_SECONDS_MAX, Promise.race([isReady, ended])).catch((error: unknown) => {
    guard.stdin.end('stopped\n')
    guard.kill()
    throw error
  })
  return {
    notify: (message) => void guard.stdin.write(`${message}\n`),
    async stop() {
      guard.stdin.end('stopped\n')
      // Had it been killed itself: it is not needed any more.
      await within(STOP_SECONDS_MAX, guard.succeeded).catch(() => guard.kill())
    },
  }
}

function inUnit(run: string, argv: Argv): Argv {
  const unit = {
    name: unitName('guard', run),
    description: `Snapstream: releases applications if run ${run} is killed`,
    environment: unitEnvironment(),
    children: 'are killed',
  } as const
  return systemdRun(unit, argv)
}

/** @throws AgentError COMMAND_FAILED where it takes longer */
async function within<T>(seconds: number, promise: Promise<T>): Promise<T> {
  const timer = new AbortController()
  const late = sleep(seconds * 1000, undefined, { signal: timer.signal }).then(() => {
    throw new AgentError('COMMAND_FAILED', `the process that would release the applications took over ${seconds} s`, {
      hint: 'Look in the system log for what holds it up.',
    })
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    timer.abort()
    late.catch(() => undefined)
  }
}

function throwEarlyEnd(): never {
  throw new AgentError('COMMAND_FAILED', 'the process that would release the applications ended before it began', {
    hint: 'No hook was run. Look in the system log for what ended it, such as a lack of memory.',
  })
}

/**
 * To be called before anything else by the program's entry point.
 *
 * @returns true if this process is to be the guard; the program then has nothing else to do
 */
export function runGuardIfAsked(): boolean {
  if (process.argv[2] !== ROLE) return false
  void guard()
  return true
}

async function guard(): Promise<void> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  const { run, postHooks, hookTimeout, ownUnits } = JSON.parse((await lines.next()).value ?? '') as GuardConfig
  process.stdout.write('ready\n')
  let message: string | undefined
  for (let line = await lines.next(); !line.done; line = await lines.next()) message = line.value
  if (message === 'stopped') return
  const deps = { host: localHost, log: systemLog, now: () => new Date() }
  systemLog.warn(`run ${run} was killed while applications were held: running the post hooks in its place`)
  if (message === 'begins') await sleep((hookTimeout + (ownUnits ? BACKSTOP_SECONDS : 0)) * 1000)
  const call = { run, stage: 'post', timeoutSeconds: hookTimeout, ownUnit: ownUnits } as const
  for (const hook of postHooks) await runHook(deps, hook, call)
}

/** There is nobody left who reads what we print. */
const systemLog: Log = { debug: () => undefined, info: logToSystem, warn: logToSystem }

function logToSystem(message: string): void {
  const forget = () => undefined
  void localHost.attempt(['logger', '--tag', 'snapstream', '--', message], neverAborted()).catch(forget)
}
