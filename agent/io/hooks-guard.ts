/**
 * A process beside ours that runs the post hooks should ours be killed while applications are held: by the kernel, out of
 * memory, or by somebody in a hurry. A database that waits for the clean-up of the next run is an outage.
 */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { AgentError } from '../errors'
import type { Argv } from '../plan/command'
import type { HostDeps, Log } from './deps'
import { localHost } from './host'
import { runHook } from './run-hook'

/** The argument by which the agent's program is told to be the guard. */
const ROLE = 'guard-hooks'

export interface GuardOrders {
  readonly run: string
  readonly postHooks: readonly string[]
  /** For each hook, in seconds. */
  readonly hookTimeout: number
}

/** What the guard is told, a line each. Where the lines end without the last of these, we were killed. */
type Word = 'begins' | 'ended' | 'dismissed'

export interface Guard {
  /** That a hook begins, or has ended. One that outlives us has to be over before the post hooks run. */
  tell(word: Exclude<Word, 'dismissed'>): void
  /** Applications are not held any more. */
  dismiss(): Promise<void>
}

/**
 * Starts the guard, in a session of its own: what kills our process group must not reach it.
 *
 * @param program - the agent's own
 * @throws AgentError COMMAND_FAILED, TOOL_MISSING where it does not start: no application may be held without it
 */
export async function startGuard({ host }: Pick<HostDeps, 'host'>, orders: GuardOrders, program: Argv): Promise<Guard> {
  const guard = host.start([...program, ROLE], new AbortController().signal, { ownSession: true })
  guard.stdin.write(`${JSON.stringify(orders)}\n`)
  await Promise.race([once(guard.stdout, 'data'), guard.succeeded.then(throwEarlyEnd)])
  return {
    tell: (word) => void guard.stdin.write(`${word}\n`),
    async dismiss() {
      guard.stdin.end('dismissed\n')
      await guard.succeeded.catch(() => undefined) // had it been killed itself: it is not needed any more
    },
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
  const { run, postHooks, hookTimeout } = JSON.parse((await lines.next()).value ?? '') as GuardOrders
  process.stdout.write('ready\n')
  let word: string | undefined
  for (let line = await lines.next(); !line.done; line = await lines.next()) word = line.value
  if (word === 'dismissed') return
  const deps = { host: localHost, log: systemLog, now: () => new Date() }
  systemLog.warn(`run ${run} was killed while applications were held: running the post hooks in its place`)
  if (word === 'begins') await sleep(hookTimeout * 1000)
  for (const hook of postHooks) await runHook(deps, hook, { run, stage: 'post', timeoutSeconds: hookTimeout })
}

/** There is nobody left who reads what we print. */
const systemLog: Log = { debug: () => undefined, info: logToSystem, warn: logToSystem }

function logToSystem(message: string): void {
  const forget = () => undefined
  void localHost.attempt(['logger', '--tag', 'snapstream', '--', message], new AbortController().signal).catch(forget)
}
