import { neverAborted } from '../lib/never-aborted'
import { access, constants, stat } from 'node:fs/promises'
import { AgentError, describeError } from '../errors'
import type { HookRecord } from '../run/manifest'
import { killUnit, systemdRun } from '../host/transient-unit'
import type { HostDeps, Argv, CommandResult, Host } from '../context'
import { unitEnvironment, unitName } from '../host/own-unit.io'
import { findWeakness } from '../host/trusted-path.io'

/** Of what a hook writes: kept for the manifest. */
const MESSAGE_CHARACTERS = 500

export interface HookCall {
  readonly run: string
  readonly stage: HookRecord['stage']
  readonly timeoutSeconds: number
  /** Whether it gets a unit of its own, in which what it leaves behind lives on. */
  readonly ownUnit: boolean
}

/** Later than our own limit, of which it is a substitute should we be killed. */
export const BACKSTOP_SECONDS = 2
const KILL_SECONDS_MAX = 20
/** A daemon that a hook leaves behind may keep its output open: nobody waits for that while applications are held. */
const OUTPUT_SECONDS = 1

/**
 * Runs a hook to its end, or kills it when its time is over. What it comes to is a result, never an error: also that it
 * could not be started.
 */
export async function runHook(deps: Omit<HostDeps, 'signal'>, path: string, call: HookCall): Promise<HookRecord> {
  const { stage } = call
  const startedAt = performance.now()
  deps.log.info(`${stage} hook ${path}`)
  const fault = await attemptHook(deps, path, call).catch((error: unknown) => `was not run: ${describeError(error)[0]}`)
  const seconds = (performance.now() - startedAt) / 1000
  if (fault === undefined) return { path, stage, ok: true, seconds }
  deps.log.warn(`${stage} hook ${path} ${fault}`)
  return { path, stage, ok: false, seconds, message: fault }
}

/** @returns undefined where the hook succeeds */
async function attemptHook(
  { host }: Pick<HostDeps, 'host'>,
  path: string,
  call: HookCall,
): Promise<string | undefined> {
  await assertRunnable(path) // once more: since the first look, another hook may have changed something
  const { status, stdout, stderr } = await (call.ownUnit ? runInUnit : runInSession)(host, path, call)
  if (status === 0) return undefined
  const exitDescription = status === null ? `took more than ${call.timeoutSeconds} s` : `exited with status ${status}`
  const output = `${stderr}\n${stdout}`.trim().slice(-MESSAGE_CHARACTERS)
  return output === '' ? exitDescription : `${exitDescription}: ${output}`
}

const wordOf = ({ stage }: HookCall) => `${stage}-script`
const environmentOf = (call: HookCall) => ({ SNAPSTREAM_COMMAND: wordOf(call), SNAPSTREAM_EXECUTION_ID: call.run })

async function runInSession(host: Host, path: string, call: HookCall): Promise<CommandResult> {
  const { timeoutSeconds } = call
  // Kills what the hook started, too, which would otherwise go on holding the application.
  const argv: Argv = ['timeout', '--signal', 'KILL', String(timeoutSeconds), path, wordOf(call)]
  return host.attempt(argv, neverAborted(), {
    environment: environmentOf(call),
    outputSeconds: OUTPUT_SECONDS,
    timeoutSeconds: timeoutSeconds + 1, // for the kill above to come first
  })
}

async function runInUnit(host: Host, path: string, call: HookCall): Promise<CommandResult> {
  const { stage, run, timeoutSeconds } = call
  const unit = {
    name: unitName(`${stage}-hook`, run),
    description: `Snapstream: ${stage} hook ${path}`,
    environment: unitEnvironment(environmentOf(call)),
    children: 'live on',
  } as const
  const backstop = ['timeout', '--signal', 'KILL', String(timeoutSeconds + BACKSTOP_SECONDS)]
  const argv = systemdRun(unit, ['setsid', '--wait', ...backstop, path, wordOf(call)])
  const result = await host.attempt(argv, neverAborted(), { outputSeconds: OUTPUT_SECONDS, timeoutSeconds })
  // It is systemd-run that was killed, which the hook does not notice.
  if (result.status === null)
    await host.attempt(killUnit(unit.name), neverAborted(), { timeoutSeconds: KILL_SECONDS_MAX })
  return result
}

/**
 * A hook runs as root: whoever may change it, or put another in its place, is root.
 *
 * @throws AgentError HOOK_FAILED
 */
export async function assertRunnable(hook: string): Promise<void> {
  const refuse = (what: string, hint: string, cause?: unknown) =>
    new AgentError('HOOK_FAILED', `the hook ${hook} ${what}`, { hint, cause })
  const unreadable = (cause: unknown) => {
    throw refuse('cannot be read', 'Check its path; --pre-hook and --post-hook take absolute paths.', cause)
  }
  const weakness = await findWeakness(hook).catch(unreadable)
  if (weakness) {
    throw refuse(
      `could be changed by users other than root, since ${weakness.what}`,
      `Look at what is in it, then run "${weakness.fix}".`,
    )
  }
  if (!(await stat(hook).catch(unreadable)).isFile()) {
    throw refuse('is not a file', `Move it out of the hooks directory: each hook is one executable file.`)
  }
  await access(hook, constants.X_OK).catch((cause: unknown) => {
    throw refuse('is not executable', `Run "chmod +x ${hook}", or remove it.`, cause)
  })
}
