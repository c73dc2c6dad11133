import { AgentError } from '../../agent/errors'
import type { CommandResult, Host } from '../../agent/io/host'

/** What a command answers: its standard output, how it ends, or why it cannot be run. */
export type Answer = string | Partial<CommandResult> | AgentError

/** The answer of a command that is not installed. */
export function notInstalled(name: string): AgentError {
  return new AgentError('TOOL_MISSING', `could not run ${name}`, { hint: `Install ${name}.` })
}

/**
 * A host that answers from a table of programs, or of whole command lines where one program has several answers; that
 * fails on what the test did not foresee, and remembers what ran.
 */
export function fakeHost(answers: Readonly<Record<string, Answer>>): Host & { readonly ran: readonly string[] } {
  const ran: string[] = []
  const answer = (argv: readonly string[]): CommandResult => {
    const line = argv.join(' ')
    ran.push(line)
    const found = answers[line] ?? answers[argv[0]!]
    if (found === undefined) throw new Error(`unforeseen command: ${line}`)
    if (found instanceof AgentError) throw found
    return {
      stdout: '',
      stderr: '',
      status: 0,
      killedBy: null,
      ...(typeof found === 'string' ? { stdout: found } : found),
    }
  }
  return {
    ran,
    async run(argv) {
      const { status, stdout, stderr } = answer(argv)
      if (status === 0) return stdout
      throw new AgentError('COMMAND_FAILED', `${argv[0]} exited with status ${status}: ${stderr}`, {
        hint: 'See above.',
      })
    },
    async attempt(argv) {
      return answer(argv)
    },
    start(argv) {
      throw new Error(`unforeseen stream: ${argv.join(' ')}`)
    },
  }
}
