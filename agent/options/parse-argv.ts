import { Command as Commander, CommanderError, Option as CommanderOption } from 'commander'
import { AgentError } from '../errors'
import { findNearest } from '../lib/nearest'
import { commandNames, optionNames, type Program } from './program'
import { flagOf, variableOf, type Option } from './table'

/** The flags as they were written: one text for each time a flag was given, true or false for a switch. */
export type Flags<O extends string = string> = Readonly<Partial<Record<O, readonly string[] | boolean>>>

export type Invocation<C extends string = string, O extends string = string> =
  | { readonly kind: 'help'; readonly text: string }
  /** Documentation that is to be shown: one of the program's pages. */
  | { readonly kind: 'page'; readonly page: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'command'; readonly command: C; readonly flags: Flags<O> }

/** Of an option that narrows nothing where it is not given. */
const ANY = 'any by default'
/** Where it is not known how wide the terminal is. */
const HELP_COLUMNS = 80

/**
 * Reads the command line; the values of the flags are not judged yet.
 *
 * @param argv - without the program's own name
 * @param columns - of the terminal that shows help, if it is one
 * @throws AgentError USAGE for an unknown command or flag
 */
export function parseArguments<C extends string, O extends string>(
  program: Program<C, O>,
  argv: readonly string[],
  columns = HELP_COLUMNS,
): Invocation<C, O> {
  let help = ''
  let invocation: Invocation<C, O> | undefined
  const parser = buildParser<C, O>(
    program,
    columns,
    (text) => (help += text),
    (command, flags) => (invocation = { kind: 'command', command, flags }),
  )
  addHelpCommand(parser, program, (page) => (invocation = { kind: 'page', page }))
  try {
    parser.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'commander.version') return { kind: 'version' }
    if (help !== '') return { kind: 'help', text: help }
    throw explain(program, error, argv)
  }
  if (help !== '') return { kind: 'help', text: help }
  if (!invocation) throw new Error('the command line was read, but nothing came of it')
  return invocation
}

function buildParser<C extends string, O extends string>(
  program: Program<C, O>,
  columns: number,
  writeHelp: (text: string) => void,
  act: (command: C, flags: Flags<O>) => void,
): Commander {
  const parser = new Commander(program.name)
    .description(program.description)
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
    .addHelpText('after', `\nHelp on a command: ${program.name} COMMAND --help`)
  for (const name of commandNames(program)) {
    const { summary, argument, options, withoutDefault, byDefault = ANY, required } = program.commands[name]
    const command: Commander = parser.command(name).description(summary).addHelpText('after', helpFooter(program))
    if (argument !== undefined) {
      const { summary: about, type } = program.options[argument]
      command.argument(type.separator ? `<${argument}...>` : `<${argument}>`, about)
    }
    for (const option of options) {
      if (option !== argument)
        addOption(
          command,
          option,
          program.options[option],
          describeOption(option, program.options[option], {
            required: required.includes(option),
            byDefault: withoutDefault.includes(option) ? byDefault : undefined,
          }),
        )
    }
    command.action(() => {
      const flags = { ...command.opts(), ...(argument !== undefined && { [argument]: command.args }) }
      act(name, flags as Flags<O>)
    })
  }
  return parser
}

/** Help on the program, on a command, or a page of its documentation. */
function addHelpCommand(parser: Commander, program: Program, showPage: (page: string) => void): void {
  const pages = Object.entries(program.pages ?? {})
  const lines = pages.map(([name, about]) => `  ${program.name} help ${name.padEnd(PAGE_COLUMNS)} ${about}`)
  const help = parser.command('help').description('show help on a command, or a page of documentation')
  const topics = [...commandNames(program), ...pages.map(([name]) => name)]
  help.argument('[topic]', topics.join(', '))
  if (lines.length > 0) parser.addHelpText('after', ['\nPages of documentation:', ...lines].join('\n'))
  help.action((topic?: string) => {
    const command = topic === undefined ? parser : parser.commands.find((each) => each.name() === topic)
    if (command) command.outputHelp()
    else if (topic !== undefined && Object.hasOwn(program.pages ?? {}, topic)) showPage(topic)
    else throw unknownTopic(topic, topics)
  })
}

function unknownTopic(topic = '', topics: readonly string[]): AgentError {
  return new AgentError('USAGE', `there is no help on '${topic}'`, {
    hint: `${didYouMean(findNearest(topic, topics))}There is on ${topics.join(', ')}.`,
  })
}

/** Of the names of pages. */
const PAGE_COLUMNS = 15

function helpFooter({ configExample }: Program): string {
  return `
A flag wins over its variable, the variable over its field in the
configuration file, the field over the default. Fields may hold several values:
${configExample}. --no-NAME turns a switch
off. In variables and flags, lists are separated by commas, except patterns and
hooks: one per line.`
}

function addOption(command: Commander, name: string, { type }: Option<unknown>, description: string): void {
  if (type.placeholder === undefined) {
    command.option(flagOf(name), description)
    command.addOption(new CommanderOption(flagOf(name).replace('--', '--no-')).hideHelp())
    return
  }
  const collect = (text: string, earlier: readonly string[] = []): readonly string[] =>
    type.separator ? [...earlier, text] : [text]
  command.option(`${flagOf(name)} <${type.placeholder}${type.separator ? '…' : ''}>`, description, collect)
}

function describeOption(
  name: string,
  { summary, type, defaultText }: Option<unknown>,
  { required, byDefault }: { readonly required: boolean; readonly byDefault: string | undefined },
): string {
  const details = [
    ...(required ? ['required'] : []),
    ...(type.choices ? [type.choices.join(', ')] : []),
    ...(defaultText === undefined ? [] : [byDefault ?? `default ${defaultText}`]),
    variableOf(name),
    ...(name === 'config' ? [] : [`"${name}"`]),
  ]
  return `${summary} (${details.join('; ')})`
}

function explain(program: Program, error: CommanderError, argv: readonly string[]): AgentError {
  const message = error.message.replace(/^error: /, '')
  const hint = hintFor(program, error, argv)
  if (error.code === 'commander.help') return new AgentError('USAGE', 'no command given', { hint })
  return new AgentError('USAGE', message.charAt(0).toLowerCase() + message.slice(1).replace(/\.$/, ''), { hint })
}

function hintFor(program: Program, error: CommanderError, argv: readonly string[]): string {
  const commands = commandNames(program)
  const command = commands.find((name) => name === argv[0])
  const wrong = /'([^']*)'/.exec(error.message)?.[1] ?? ''
  if (error.code === 'commander.unknownOption') return hintForFlag(program, wrong, command)
  if (error.code === 'commander.unknownCommand' || error.code === 'commander.help') {
    return `${didYouMean(findNearest(wrong, commands))}The commands are ${commands.join(', ')}.`
  }
  return `Run "${program.name} ${command ? `${command} ` : ''}--help" for the options and what they take.`
}

function hintForFlag(program: Program, wrong: string, command: string | undefined): string {
  const [flag = wrong] = wrong.split('=')
  if (command === undefined) return `Flags come after the command: ${program.name} COMMAND ${flag}.`
  const known = program.commands[command]?.options ?? []
  const option = optionNames(program).find((name) => flagOf(name) === flag)
  const help = `Run "${program.name} ${command} --help" for the options there are.`
  if (option && known.includes(option)) return `${flag} is a switch and takes no value. ${help}`
  if (option) return `${flag} is an option of ${commandsWith(program, option).join(', ')}. ${help}`
  return `${didYouMean(findNearest(flag, known.map(flagOf)))}${help}`
}

function commandsWith(program: Program, option: string): readonly string[] {
  return commandNames(program).filter((name) => program.commands[name]?.options.includes(option))
}

/** The start of a hint; empty where nothing comes near. */
export function didYouMean(name: string | undefined): string {
  return name === undefined ? '' : `Did you mean ${name}? `
}
