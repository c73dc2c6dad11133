import { AgentError } from '../../agent/errors'
import { localHost } from '../../agent/host/run-command.io'
import type { Argv, CommandResult, Host } from '../../agent/context'

/** What a command answers: its standard output, how it ends, or why it cannot be run. */
export type Answer = string | Partial<CommandResult> | AgentError

/** An answer, or what finds it when the command runs: for those that change something, or see what others changed. */
export type Answers = Readonly<Record<string, Answer | ((argv: Argv) => Answer | Promise<Answer>)>>

/** The answer of a command that is not installed. */
export function notInstalled(name: string): AgentError {
  return new AgentError('TOOL_MISSING', `could not run ${name}`, { hint: `Install ${name}.` })
}

/**
 * A host that answers from a table of programs, or of whole command lines where one program has several answers; that
 * fails on what the test did not foresee, and remembers what ran.
 *
 * @param streamOf - what really runs on this machine in the place of a command with pipes
 */
export function fakeHost(
  answers: Answers,
  streamOf?: (argv: Argv) => Argv,
): Host & { readonly ran: readonly string[] } {
  const ran: string[] = []
  const answer = async (argv: Argv): Promise<CommandResult> => {
    const line = argv.join(' ')
    ran.push(line)
    const found = answers[line] ?? answers[argv[0]]
    if (found === undefined) throw new Error(`unforeseen command: ${line}`)
    const given = typeof found === 'function' ? await found(argv) : found
    if (given instanceof AgentError) throw given
    const text = typeof given === 'string' ? { stdout: given } : given
    return { stdout: '', stderr: '', status: 0, killedBy: null, ...text }
  }
  return {
    ran,
    async run(argv) {
      const { status, stdout, stderr } = await answer(argv)
      if (status === 0) return stdout
      throw new AgentError('COMMAND_FAILED', `${argv[0]} exited with status ${status}: ${stderr}`, {
        hint: 'See above.',
      })
    },
    attempt: answer,
    start(argv, signal, options) {
      if (!streamOf) throw new Error(`unforeseen stream: ${argv.join(' ')}`)
      ran.push(argv.join(' '))
      return localHost.start(streamOf(argv), signal, options)
    },
  }
}
