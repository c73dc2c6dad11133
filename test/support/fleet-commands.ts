/** Commands of the operators' program as functions; what they tell programs is held against its schema whenever one is called. */
import { printableJson } from '../../agent/lib/printable'
import { parseArguments } from '../../agent/options/parse-argv'
import { resolveOptions, type Environment } from '../../agent/options/resolve'
import type { Outcome } from '../../agent/outcome'
import type { AnyRequest, CommandName } from '../../fleet/command/commands'
import type { CommandDeps } from '../../fleet/command/context'
import { FLEET } from '../../fleet/command/program'
import { assertDescribed } from './last-line'
import { silentLog } from './log'
import type { MemoryStore } from './memory-store'
import { memoryVault } from './memory-vault'

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
export function fleetDeps(store: MemoryStore, more: Partial<CommandDeps> = {}): CommandDeps {
  return {
    log: silentLog,
    now: () => new Date(),
    signal: new AbortController().signal,
    environment: {},
    screen: { isTerminal: false, columns: 80, rows: 24, write: () => undefined },
    openVault: async () => ({ vault: memoryVault({ store }), region: 'eu-west-1' }),
    observe: async () => {
      throw new Error('nobody was to look at the fleet')
    },
    openRunCommand: () => Promise.reject(new Error('this test sends no commands')),
    ...more,
  }
}

/** A command whose outcome is looked over. */
export async function described(name: CommandName, outcome: Promise<Outcome>): Promise<Outcome> {
  const told = await outcome
  assertDescribed(`fleet-${name}`, JSON.parse(printableJson(told.json)))
  return told
}
