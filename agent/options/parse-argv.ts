import { Command as Commander, CommanderError, Option as CommanderOption } from 'commander'
import { AgentError } from '../errors'
import { findNearest } from '../lib/nearest'
import { OPTION_NAMES, OPTIONS, flagOf, variableOf } from './table'
import { COMMAND_NAMES, COMMANDS, type CommandName } from './commands'
import type { Option, OptionName } from './table'
import type { Command } from './commands'

/** The flags as they were written: one text for each time a flag was given, true or false for a switch. */
export type Flags = Readonly<Partial<Record<OptionName, readonly string[] | boolean>>>

export type Invocation =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'command'; readonly command: CommandName; readonly flags: Flags }

const PROGRAM = 'snapstream'
/** Where it is not known how wide the terminal is. */
const HELP_COLUMNS = 80

/**
 * Reads the command line; the values of the flags are not judged yet.
 *
 * @param argv - without the program's own name
 * @param columns - of the terminal that shows help, if it is one
 * @throws AgentError USAGE for an unknown command or flag
 */
export function parseArguments(argv: readonly string[], columns = HELP_COLUMNS): Invocation {
  let help = ''
  let invocation: Invocation | undefined
  const program = buildProgram(
    columns,
    (text) => (help += text),
    (command, flags) => (invocation = { kind: 'command', command, flags }),
  )
  try {
    program.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'commander.version') return { kind: 'version' }
    if (help !== '') return { kind: 'help', text: help }
    throw explain(error, argv)
  }
  if (!invocation) throw new Error('the command line was read, but nothing came of it')
  return invocation
}

function buildProgram(
  columns: number,
  writeHelp: (text: string) => void,
  act: (command: CommandName, flags: Flags) => void,
): Commander {
  const program = new Commander(PROGRAM)
    .description('Streams consistent, complete, verified backups of Linux filesystems straight into S3.')
    .version('', '--version', 'print the version')
    .helpOption('--help', 'print help')
    .exitOverride()
    .configureOutput({
      writeOut: writeHelp,
      writeErr: () => undefined,
      getOutHelpWidth: () => columns,
      getOutHasColors: () => false,
    })
    .showSuggestionAfterError(false)
    .addHelpText('after', `\nHelp on a command: ${PROGRAM} COMMAND --help`)
  for (const name of COMMAND_NAMES) {
    const command: Commander = program
      .command(name)
      .description(COMMANDS[name].summary)
      .addHelpText('after', HELP_FOOTER)
    const { argument, options, withoutDefault, required }: Command = COMMANDS[name]
    if (argument !== undefined) command.argument(`<${argument}>`, OPTIONS[argument].summary)
    for (const option of options) {
      if (option !== argument)
        addOption(
          command,
          option,
          describeOption(option, {
            required: required.includes(option),
            anyByDefault: withoutDefault.includes(option),
          }),
        )
    }
    command.action(() => act(name, { ...command.opts(), ...(argument !== undefined && { [argument]: command.args }) }))
  }
  return program
}

const HELP_FOOTER = `
A flag wins over its variable, the variable over its field in the
configuration file, the field over the default. Fields may hold several values:
{"bucket": "my-backups", "volumes": ["/", "/srv"]}. --no-NAME turns a switch
off. In variables and flags, lists are separated by commas, except patterns and
hooks: one a line.`

function addOption(command: Commander, name: OptionName, description: string): void {
  const { kind } = OPTIONS[name]
  if (kind.placeholder === undefined) {
    command.option(flagOf(name), description)
    command.addOption(new CommanderOption(flagOf(name).replace('--', '--no-')).hideHelp())
    return
  }
  const collect = (text: string, earlier: readonly string[] = []): readonly string[] =>
    kind.separator ? [...earlier, text] : [text]
  command.option(`${flagOf(name)} <${kind.placeholder}${kind.separator ? '…' : ''}>`, description, collect)
}

function describeOption(
  name: OptionName,
  { required, anyByDefault }: { readonly required: boolean; readonly anyByDefault: boolean },
): string {
  const { summary, kind, defaultText }: Option<unknown> = OPTIONS[name]
  const byDefault = anyByDefault ? 'any by default' : `default ${defaultText ?? ''}`
  const details = [
    ...(required ? ['required'] : []),
    ...(kind.choices ? [kind.choices.join(', ')] : []),
    ...(defaultText === undefined ? [] : [byDefault]),
    variableOf(name),
    ...(name === 'config' ? [] : [`"${name}"`]),
  ]
  return `${summary} (${details.join('; ')})`
}

function explain(error: CommanderError, argv: readonly string[]): AgentError {
  const message = error.message.replace(/^error: /, '')
  const hint = hintFor(error, argv)
  if (error.code === 'commander.help') return new AgentError('USAGE', 'no command given', { hint })
  return new AgentError('USAGE', message.charAt(0).toLowerCase() + message.slice(1).replace(/\.$/, ''), { hint })
}

function hintFor(error: CommanderError, argv: readonly string[]): string {
  const command = COMMAND_NAMES.find((name) => name === argv[0])
  const wrong = /'([^']*)'/.exec(error.message)?.[1] ?? ''
  if (error.code === 'commander.unknownOption') return hintForFlag(wrong, command)
  if (error.code === 'commander.unknownCommand' || error.code === 'commander.help') {
    return `${didYouMean(findNearest(wrong, COMMAND_NAMES))}The commands are ${COMMAND_NAMES.join(', ')}.`
  }
  return `Run "${PROGRAM} ${command ? `${command} ` : ''}--help" for the options and what they take.`
}

function hintForFlag(wrong: string, command: CommandName | undefined): string {
  const [flag = wrong] = wrong.split('=')
  if (command === undefined) return `Flags come after the command: ${PROGRAM} COMMAND ${flag}.`
  const known: readonly OptionName[] = COMMANDS[command].options
  const option = OPTION_NAMES.find((name) => flagOf(name) === flag)
  const help = `Run "${PROGRAM} ${command} --help" for the options there are.`
  if (option && known.includes(option)) return `${flag} is a switch and takes no value. ${help}`
  if (option) return `${flag} is an option of ${commandsWith(option).join(', ')}. ${help}`
  return `${didYouMean(findNearest(flag, known.map(flagOf)))}${help}`
}

function commandsWith(option: OptionName): readonly CommandName[] {
  return COMMAND_NAMES.filter((name) => (COMMANDS[name].options as readonly OptionName[]).includes(option))
}

/** The start of a hint; empty where nothing comes near. */
export function didYouMean(name: string | undefined): string {
  return name === undefined ? '' : `Did you mean ${name}? `
}
