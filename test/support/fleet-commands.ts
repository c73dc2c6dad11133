/** Commands of the operators' program as functions; what they tell programs is held against its schema whenever one is called. */
import { printableJson } from '../../agent/lib/printable'
import { parseArguments } from '../../agent/options/parse-argv'
import { resolveOptions, type Environment } from '../../agent/options/resolve'
import type { Store } from '../../agent/context'
import type { Outcome } from '../../agent/outcome'
import type { AnyRequest, CommandName } from '../../fleet/command/commands'
import type { CommandDeps } from '../../fleet/command/context'
import { FLEET } from '../../fleet/command/program'
import { assertDescribed } from './last-line'
import { silentLog } from './log'

type RequestOf<Name extends CommandName> = Extract<AnyRequest, { command: Name }>

/** What a command is asked for by such a command line, with every default: through the real parser, so that none is missing. */
export function fleetRequestOf<Name extends CommandName>(
  command: Name,
  argv: readonly string[] = [],
  environment: Environment = { SNAPSTREAM_BUCKET: 'backups' },
): RequestOf<Name> {
  const invocation = parseArguments(FLEET, [command, ...argv])
  if (invocation.kind !== 'command') throw new Error('this is no command')
  return { command, ...resolveOptions(FLEET, invocation, environment, {}) } as unknown as RequestOf<Name>
}

/** Nobody looks, and nothing has been drawn yet. */
export function fleetDeps(store: Store, more: Partial<CommandDeps> = {}): CommandDeps {
  return {
    log: silentLog,
    now: () => new Date(),
    signal: new AbortController().signal,
    environment: {},
    screen: { isTerminal: false, columns: 80, rows: 24, write: () => undefined },
    openStore: async () => store,
    ...more,
  }
}

/** A command whose outcome is looked over. */
export async function described(name: CommandName, outcome: Promise<Outcome>): Promise<Outcome> {
  const told = await outcome
  assertDescribed(`fleet-${name}`, JSON.parse(printableJson(told.json)))
  return told
}
