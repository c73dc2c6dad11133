import { z } from 'zod'
import { AgentError } from '../errors'
import { didYouMean, type Flags, type Invocation } from './parse-argv'
import { findNearest } from '../lib/nearest'
import { optionNames, type Program } from './program'
import { flagOf, VARIABLE_PREFIX, variableOf, type Option } from './table'
import type { OutputOptions } from './output'

/** The environment, as Node has it. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What a configuration file says, checked and converted. */
export type Config = Readonly<Partial<Record<string, unknown>>>

/**
 * Reads a configuration file: one JSON object of options by name.
 *
 * @param file - where the text is from, for messages
 * @throws AgentError CONFIG_INVALID with the path of the wrong field, what belongs there and what is there
 */
export function parseConfig(program: Program, json: string, file: string): Config {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw invalid(file, `is not JSON: ${(cause as Error).message}`, 'Check quotes and commas; JSON allows no comments.')
  }
  // Every option may be set there but the one that says where the file is.
  const options = new Map(Object.entries(program.options).filter(([name]) => name !== 'config'))
  const schemas = Array.from(options, ([name, { type }]) => [name, type.schema] as const)
  const parsed = z.strictObject(Object.fromEntries(schemas)).partial().safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const name = String(issue?.path[0])
  const option = options.get(name)
  if (option) {
    const wrong = describeWrong(option, (value as Record<string, unknown>)[name], issue?.path[1])
    throw invalid(
      file,
      `${name}${wrong.place} must be ${wrong.expected}, not ${wrong.got}`,
      `${wrong.advice}Correct "${name}" in the file; it is the same as ${flagOf(name)}.`,
    )
  }
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys
    const hint = `${didYouMean(findNearest(key, [...options.keys()]))}Fields are named as options: snapshotSize is --snapshot-size.`
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
export function suggestVariableNames(program: Program, environment: Environment): string[] {
  const known = optionNames(program).map(variableOf)
  const suffixes = known.map((variable) => variable.slice(VARIABLE_PREFIX.length))
  return Object.keys(environment)
    .filter((variable) => variable.startsWith(VARIABLE_PREFIX) && !known.includes(variable))
    .flatMap((variable) => {
      const meant = findNearest(variable.slice(VARIABLE_PREFIX.length), suffixes)
      return meant === undefined ? [] : [`${variable} has no effect. Did you mean ${VARIABLE_PREFIX}${meant}?`]
    })
}

/** Where to look for the configuration file, and whether somebody asked for it. */
export function chooseConfigFile(
  program: Program,
  flags: Flags,
  environment: Environment,
): { file: string; named: boolean } {
  const given = readOption(program, 'config', flags, environment, {})
  return { file: (given ?? program.configFile) as string, named: given !== undefined }
}

/**
 * The options of a command: flags win over variables, variables over the file, the file over defaults. Lists are replaced,
 * not merged.
 *
 * @throws AgentError USAGE for a value that cannot be, or a missing option
 */
export function resolveOptions<C extends string, O extends string>(
  program: Program<C, O>,
  { command, flags }: Extract<Invocation<C, O>, { kind: 'command' }>,
  environment: Environment,
  config: Config,
): Readonly<Partial<Record<O, unknown>>> {
  const { argument, options, required, withoutDefault } = program.commands[command]
  const values = options.map((name) => {
    // What stands by itself has no flag: it is called as help calls it.
    const label = name === argument ? `<${name}>` : flagOf(name)
    const value = readOption(program, name, flags, environment, config, label)
    return [name, value ?? (withoutDefault.includes(name) ? undefined : program.options[name].default)] as const
  })
  const given = Object.fromEntries(values) as Partial<Record<O, unknown>>
  for (const name of required) if (given[name] === undefined) throw missing(program, command, name)
  return given
}

/**
 * Some options of a command that has them, each as far as it was given, without regard to what else is missing.
 *
 * @throws AgentError USAGE for a value that cannot be
 */
export function resolveSome<O extends string>(
  program: Program<string, O>,
  { command, flags }: Extract<Invocation<string, O>, { kind: 'command' }>,
  environment: Environment,
  config: Config,
  names: readonly O[],
): Readonly<Partial<Record<O, unknown>>> {
  const had = names.filter((name) => program.commands[command]?.options.includes(name))
  const values = had.map((name) => [
    name,
    readOption(program, name, flags, environment, config) ?? program.options[name].default,
  ])
  return Object.fromEntries(values) as Partial<Record<O, unknown>>
}

function readOption(
  { options }: Program,
  name: string,
  flags: Flags,
  environment: Environment,
  config: Config,
  label = flagOf(name),
): unknown {
  const option = options[name]
  if (!option) return undefined
  const flag = flags[name]
  if (flag !== undefined) return readTexts(option, label, label, typeof flag === 'boolean' ? [String(flag)] : flag)
  // Empty is not given: a document or a unit file cannot always leave a variable out.
  const variable = environment[variableOf(name)]
  if (variable) return readTexts(option, label, variableOf(name), [variable])
  return config[name]
}

function readTexts(option: Option<unknown>, label: string, writtenAs: string, texts: readonly string[]): unknown {
  const { type, summary } = option
  const value = type.separator ? texts.flatMap(type.fromText) : type.fromText(texts.at(-1) ?? '')
  const parsed = type.schema.safeParse(value)
  if (parsed.success) return parsed.data
  const { expected, got, advice } = describeWrong(option, value, parsed.error.issues[0]?.path[0])
  throw new AgentError('USAGE', `${writtenAs} must be ${expected}, not ${got}`, {
    hint: `${advice}${label}: ${summary}.`,
  })
}

const GOT_LENGTH_MAX = 80

function describeWrong({ type }: Option<unknown>, value: unknown, index: PropertyKey | undefined) {
  const inList = type.separator !== undefined && typeof index === 'number' && Array.isArray(value)
  const wrong: unknown = inList ? value[index] : value
  return {
    place: inList ? `[${index}]` : '',
    expected: type.separator !== undefined && !inList ? `a list, each item ${type.expected}` : type.expected,
    got: type.isSecret
      ? 'what was given'
      : typeof wrong === 'string'
        ? `'${wrong.slice(0, GOT_LENGTH_MAX)}'`
        : JSON.stringify(wrong).slice(0, GOT_LENGTH_MAX),
    advice:
      type.redirectHints?.get(String(wrong))?.concat(' ') ?? didYouMean(findNearest(String(wrong), type.choices ?? [])),
  }
}

function missing({ configFile }: Program, command: string, name: string): AgentError {
  return new AgentError('USAGE', `${command} needs to know the ${name}: ${flagOf(name)} is missing`, {
    hint: `Give ${flagOf(name)}, set ${variableOf(name)}, or set "${name}" in ${configFile}.`,
  })
}
