/** A program's process: it runs one command, tells what that came to, and exits with its status. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ExitStatus } from '../contract'
import { AgentError } from '../errors'
import { listenForSignals } from '../host/process.io'
import { formatFailure, type Output, type OutputOptions } from './output'

/** After an error that nobody foresaw: this long for what is held to be given back, then the process ends (design limit). */
const UNWIND_SECONDS_MAX = 60

/**
 * A thread of V8's that optimises code may wait for ours to collect garbage. While Node exits, ours waits for that thread:
 * then both wait for ever (nodejs/node, issue 54918). Idle for so long, ours does what it is asked for first.
 */
const SETTLING_MILLISECONDS = 50

/** What was under way is stopped by this after an error that nobody caught. */
const unforeseen = new AgentError('INTERNAL', 'stopped by an unforeseen error', { hint: 'Report it.' })

/**
 * To be called once in a process, which ends with the command.
 *
 * @param run - the command, from the arguments; it does not throw
 * @param readOutputOptions - how output is wished for, where the command cannot say so any more
 * @param interruptedHint - what to do where a signal stopped the command
 */
export function startProgram(
  run: (argv: readonly string[], interruption: AbortController) => Promise<Output>,
  readOutputOptions: () => OutputOptions,
  interruptedHint: string,
): void {
  /** What the command comes to is printed, or will be, and nothing else. */
  let ending = false
  const print = ({ status, stdout, stderr }: Output): void => {
    ending = true
    process.stderr.write(stderr)
    process.stdout.write(stdout)
    setTimeout(() => process.exit(status), SETTLING_MILLISECONDS)
  }
  const interruption = listenForSignals(ExitStatus.interrupted, interruptedHint)
  const command = run(process.argv.slice(2), interruption)
  /**
   * The last line of defence: without it, Node's own exit statuses would be taken for ours. What the command holds on the
   * host is given back first, as where it is interrupted.
   */
  const fail = (error: unknown): void => {
    if (ending) return // one defect may show in several places: the first tells most
    ending = true
    interruption.abort(unforeseen)
    const output = formatFailure(error, readOutputOptions())
    void Promise.race([command.catch(() => undefined), sleep(UNWIND_SECONDS_MAX * 1000)]).then(() => print(output))
  }
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
  // The reader of a pipe may go away, as `head` does: that is no failure of the command.
  process.stdout.on('error', () => undefined)
  process.stderr.on('error', () => undefined)
  void command.then((output) => {
    if (!ending) print(output)
  })
}
