/** The agent's own command line. */
import { AgentError } from '../errors'
import { PAGES } from '../pages'
import { COMMANDS, type AnyRequest, type CommandName, type RestoreRequest } from './commands'
import { findContradiction } from './contradictions'
import type { Invocation } from './parse-argv'
import type { Program } from './program'
import { resolveOptions, type Config, type Environment } from './resolve'
import { OPTIONS, variableOf, type OptionName } from './table'

export const AGENT: Program<CommandName, OptionName> = {
  name: 'snapstream',
  description: 'Streams consistent, complete, verified backups of Linux filesystems straight into S3.',
  commands: COMMANDS,
  options: OPTIONS,
  pages: PAGES,
  configFile: OPTIONS.config.default,
  configExample: '{"bucket": "my-backups", "volumes": ["/", "/srv"]}',
}

/** A command of the agent, as it was written. */
export type CommandLine = Extract<Invocation<CommandName, OptionName>, { kind: 'command' }>

/**
 * What a command was asked to do.
 *
 * @throws AgentError as `resolveOptions`; USAGE where options contradict each other
 */
export function resolveRequest(invocation: CommandLine, environment: Environment, config: Config): AnyRequest {
  const { command } = invocation
  const [variables, fields] =
    command === 'drill' ? [withoutOwnName(environment), withoutOwnName(config)] : [environment, config]
  // The tables that this is built from are those that the type was made from.
  const request = { command, ...resolveOptions(AGENT, invocation, variables, fields) } as unknown as AnyRequest
  assertConsistent(request)
  return request
}

/** What a machine is called itself says nothing of whose backup it restores on trial: that is said with the flag, or left to the rotation. */
function withoutOwnName<Given extends Environment | Config>(given: Given): Given {
  return { ...given, host: undefined, [variableOf('host')]: undefined }
}

function assertConsistent(request: AnyRequest): void {
  const contradiction = findContradiction(request)
  if (contradiction) {
    const { what, fix } = contradiction
    const hint = `${fix} Check the variables and the configuration file too.`
    throw new AgentError('USAGE', what, { hint })
  }
  if (request.command === 'restore') assertOneDestination(request)
}

function assertOneDestination({ target, inPlace, stdout }: RestoreRequest): void {
  const given = [target !== undefined && '--target', inPlace && '--in-place', stdout && '--stdout'].filter(Boolean)
  if (given.length === 1) return
  throw new AgentError(
    'USAGE',
    given.length === 0 ? 'no destination for the restore is given' : `${given.join(' and ')} are given`,
    {
      hint: 'Give one of --target DIRECTORY, --in-place and --stdout.',
    },
  )
}
