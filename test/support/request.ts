import { AGENT, resolveRequest } from '../../agent/options/agent'
import { parseArguments } from '../../agent/options/parse-argv'
import type { AnyRequest, CommandName, WithHost } from '../../agent/options/commands'

/** What a command is asked for by such a command line, with every default: through the real parser, so that none is missing. */
export function requestOf<Name extends CommandName>(
  command: Name,
  host: string,
  ...options: readonly string[]
): WithHost<Extract<AnyRequest, { command: Name }>> {
  const invocation = parseArguments(AGENT, [command, '--bucket', 'backups', '--host', host, ...options])
  if (invocation.kind !== 'command') throw new Error('this is no command')
  const request = resolveRequest(invocation, {}, {})
  return { ...(request as Extract<AnyRequest, { command: Name }>), host }
}
