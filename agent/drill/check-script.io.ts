/** Runs the operator's own check on what was restored. */
import { access, constants, stat } from 'node:fs/promises'
import { AgentError } from '../errors'
import type { Argv, HostDeps } from '../context'
import { findWeakness } from '../host/trusted-path.io'
import type { RunKey } from '../contract'

/** Of what a script writes: its end says why it failed. */
const OUTPUT_CHARACTERS = 500
/** A daemon that it leaves behind may keep its output open. */
const OUTPUT_SECONDS = 1

/**
 * A check runs as root: whoever may change it, or put another in its place, is root.
 *
 * @throws AgentError HOOK_FAILED
 */
export async function assertTrustedScript(script: string): Promise<void> {
  const refuse = (what: string, hint: string, cause?: unknown) =>
    new AgentError('HOOK_FAILED', `the check script ${script} ${what}`, { hint, cause })
  const unreadable = (cause: unknown) => {
    throw refuse('cannot be read', 'Check its path: --check-script takes an absolute one.', cause)
  }
  const weakness = await findWeakness(script).catch(unreadable)
  if (weakness) {
    throw refuse(
      `could be changed by users other than root, since ${weakness.what}`,
      `Look at what is in it, then run "${weakness.fix}".`,
    )
  }
  if (!(await stat(script).catch(unreadable)).isFile()) throw refuse('is not a file', 'Name one executable file.')
  await access(script, constants.X_OK).catch((cause: unknown) => {
    throw refuse('is not executable', `Run "chmod +x ${script}".`, cause)
  })
}

/**
 * @param directory - stands for the root of the host
 * @returns what it found, or undefined where it is content
 * @throws AgentError HOOK_FAILED where it may not be run, INTERRUPTED
 */
export async function runCheckScript(
  { host, signal, log }: HostDeps,
  script: string,
  directory: string,
  { host: name, class: className, run }: RunKey,
  timeoutSeconds: number,
): Promise<string | undefined> {
  await assertTrustedScript(script) // once more: restoring took its time
  log.info(`running ${script}`)
  // Kills what the script started, too.
  const argv: Argv = ['timeout', '--signal', 'KILL', String(timeoutSeconds), script, directory]
  const { status, stdout, stderr } = await host.attempt(argv, signal, {
    environment: { SNAPSTREAM_HOST: name, SNAPSTREAM_CLASS: className, SNAPSTREAM_RUN: run },
    outputSeconds: OUTPUT_SECONDS,
    timeoutSeconds: timeoutSeconds + 1, // for the kill above to come first
  })
  if (status === 0) return undefined
  const ending = status === null ? `took more than ${timeoutSeconds} s` : `ended with status ${status}`
  const output = `${stdout}\n${stderr}`.trim().slice(-OUTPUT_CHARACTERS)
  return `${script} ${ending}${output === '' ? '' : `: ${output}`}`
}
