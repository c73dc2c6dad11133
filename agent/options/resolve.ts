import { z } from 'zod'
import { AgentError } from '../errors'
import { didYouMean, type Flags, type Invocation } from './parse-argv'
import { findNearest } from '../lib/nearest'
import { OPTION_NAMES, OPTIONS, flagOf, VARIABLE_PREFIX, variableOf } from './table'
import type { OutputOptions } from './output'
import { COMMANDS } from './commands'
import { findContradiction } from './contradictions'
import type { OptionName } from './table'
import type { AnyRequest, CommandName, RestoreRequest } from './commands'

/** The environment, as Node has it. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What a configuration file says, checked and converted. */
export type Config = Readonly<Partial<Record<OptionName, unknown>>>

/** Every option may be set there but the one that says where the file is. */
const FIELDS = OPTION_NAMES.filter((name) => name !== 'config')
const configSchema = z
  .strictObject(Object.fromEntries(FIELDS.map((name) => [name, OPTIONS[name].kind.schema])))
  .partial()

/**
 * Reads a configuration file: one JSON object of options by name.
 *
 * @param file - where the text is from, for messages
 * @throws AgentError CONFIG_INVALID with the path of the wrong field, what belongs there and what is there
 */
export function parseConfig(json: string, file: string): Config {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw invalid(file, `is not JSON: ${(cause as Error).message}`, 'Mind quotes and commas: JSON allows no comments.')
  }
  const parsed = configSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const name = FIELDS.find((field) => field === issue?.path[0])
  if (name) {
    const wrong = describeWrong(name, (value as Record<OptionName, unknown>)[name], issue?.path[1])
    throw invalid(
      file,
      `${name}${wrong.place} must be ${wrong.expected}, not ${wrong.got}`,
      `${wrong.advice}Correct "${name}" in the file; it is the same as ${flagOf(name)}.`,
    )
  }
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys
    const hint = `${didYouMean(findNearest(key, FIELDS))}Fields are named as options: snapshotSize is --snapshot-size.`
    throw invalid(file, `unknown field ${JSON.stringify(key)}`, hint)
  }
  throw invalid(file, 'must be one JSON object', 'Write options by name: {"bucket": "my-backups"}.')
}

function invalid(file: string, what: string, hint: string): AgentError {
  return new AgentError('CONFIG_INVALID', `${file}: ${what}`, { hint })
}

/** How output is wished for, as far as that can be told before the command line is understood. */
export function detectOutputOptions(
  argv: readonly string[],
  environment: Environment,
): Omit<OutputOptions, 'terminal'> {
  const isOn = (name: 'json' | 'stdout'): boolean =>
    argv.includes(flagOf(name)) || /^(true|1)$/.test(environment[variableOf(name)] ?? '')
  return { json: isOn('json'), stdout: isOn('stdout') }
}

/** Warnings of variables that look like options of ours but are none: most likely misspelt, and so without effect. */
export function suggestVariableNames(environment: Environment): string[] {
  const known = OPTION_NAMES.map(variableOf)
  const suffixes = known.map((variable) => variable.slice(VARIABLE_PREFIX.length))
  return Object.keys(environment)
    .filter((variable) => variable.startsWith(VARIABLE_PREFIX) && !known.includes(variable))
    .flatMap((variable) => {
      const meant = findNearest(variable.slice(VARIABLE_PREFIX.length), suffixes)
      return meant === undefined ? [] : [`${variable} has no effect. Did you mean ${VARIABLE_PREFIX}${meant}?`]
    })
}

/** Where to look for the configuration file, and whether somebody asked for it. */
export function chooseConfigFile(flags: Flags, environment: Environment): { file: string; named: boolean } {
  const given = readOption('config', flags, environment, {})
  return { file: (given ?? OPTIONS.config.default) as string, named: given !== undefined }
}

/**
 * What a command was asked to do: flags win over variables, variables over the file, the file over defaults. Lists are
 * replaced, not merged.
 *
 * @throws AgentError USAGE for a value that cannot be, a missing option, or options that contradict each other
 */
export function resolveRequest(
  { command, flags }: Extract<Invocation, { kind: 'command' }>,
  environment: Environment,
  config: Config,
): AnyRequest {
  const { options, required, withoutDefault } = COMMANDS[command]
  const values = options.map((name) => {
    const value = readOption(name, flags, environment, config)
    const keepsDefault = !(withoutDefault as readonly OptionName[]).includes(name)
    return [name, value ?? (keepsDefault ? OPTIONS[name].default : undefined)] as const
  })
  const request = Object.fromEntries([['command', command], ...values]) as Partial<Record<OptionName, unknown>>
  for (const name of required) if (request[name] === undefined) throw missing(command, name)
  // The tables that this was built from are those that the type was made from.
  const result = request as unknown as AnyRequest
  assertConsistent(result)
  return result
}

function readOption(name: OptionName, flags: Flags, environment: Environment, config: Config): unknown {
  const flag = flags[name]
  if (flag !== undefined) return readTexts(name, flagOf(name), typeof flag === 'boolean' ? [String(flag)] : flag)
  // Empty is not given: a document or a unit file cannot always leave a variable out.
  const variable = environment[variableOf(name)]
  if (variable) return readTexts(name, variableOf(name), [variable])
  return config[name]
}

function readTexts(name: OptionName, writtenAs: string, texts: readonly string[]): unknown {
  const { kind } = OPTIONS[name]
  const value = kind.separator ? texts.flatMap(kind.fromText) : kind.fromText(texts.at(-1) ?? '')
  const parsed = kind.schema.safeParse(value)
  if (parsed.success) return parsed.data
  const { expected, got, advice } = describeWrong(name, value, parsed.error.issues[0]?.path[0])
  throw new AgentError('USAGE', `${writtenAs} must be ${expected}, not ${got}`, {
    hint: `${advice}${flagOf(name)}: ${OPTIONS[name].summary}.`,
  })
}

const GOT_LENGTH_MAX = 80

function describeWrong(name: OptionName, value: unknown, index: PropertyKey | undefined) {
  const { kind } = OPTIONS[name]
  const inList = kind.separator !== undefined && typeof index === 'number' && Array.isArray(value)
  const wrong: unknown = inList ? value[index] : value
  return {
    place: inList ? `[${index}]` : '',
    expected: kind.separator !== undefined && !inList ? `a list, each item ${kind.expected}` : kind.expected,
    got:
      typeof wrong === 'string'
        ? `'${wrong.slice(0, GOT_LENGTH_MAX)}'`
        : JSON.stringify(wrong).slice(0, GOT_LENGTH_MAX),
    advice:
      kind.elsewhere?.get(String(wrong))?.concat(' ') ?? didYouMean(findNearest(String(wrong), kind.choices ?? [])),
  }
}

function missing(command: CommandName, name: OptionName): AgentError {
  return new AgentError('USAGE', `${command} needs to know the ${name}: ${flagOf(name)} is missing`, {
    hint: `Give ${flagOf(name)}, set ${variableOf(name)}, or set "${name}" in ${OPTIONS.config.default}.`,
  })
}

function assertConsistent(request: AnyRequest): void {
  const contradiction = findContradiction(request)
  if (contradiction) {
    const { what, fix } = contradiction
    const hint = `${fix} Look at the variables and the configuration file too.`
    throw new AgentError('USAGE', what, { hint })
  }
  if (request.command === 'restore') assertOneDestination(request)
}

function assertOneDestination({ target, inPlace, stdout }: RestoreRequest): void {
  const given = [target !== undefined && '--target', inPlace && '--in-place', stdout && '--stdout'].filter(Boolean)
  if (given.length === 1) return
  throw new AgentError(
    'USAGE',
    given.length === 0 ? 'where to restore to is not given' : `${given.join(' and ')} are given`,
    {
      hint: 'Give one of --target DIRECTORY, --in-place and --stdout.',
    },
  )
}
