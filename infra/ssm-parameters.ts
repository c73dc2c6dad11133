/**
 * Parameters of documents that are options of the agent: a document has their names, and the agent's table of options has
 * what they take, their defaults, and the words that hand them on.
 *
 * In a script, the line `# options: backup` stands for that command and its options, as positional parameters.
 */
import { z } from 'zod'
import { RUN_SECONDS_MAX } from '../agent/contract'
import { COMMANDS, type Command } from '../agent/options/commands'
import { anchored, numberGrammar } from '../agent/options/grammar'
import { flagOf, OPTION_NAMES, OPTIONS, type Option, type OptionName } from '../agent/options/table'

/** A document as it is written, as far as it matters here. */
export const SourceSchema = z.looseObject({
  parameters: z.record(z.string(), z.looseObject({})),
  mainSteps: z.array(z.looseObject({ inputs: z.looseObject({ runCommand: z.array(z.string()).optional() }) })),
})
export type DocumentSource = z.infer<typeof SourceSchema>

/** What a document has to say of a parameter that is described elsewhere. */
const ReferenceSchema = z.strictObject({
  /** The option's name, where the parameter has another. */
  option: z.string().optional(),
  /** The document needs a value, though the agent could do without. */
  required: z.boolean().optional(),
  /** In the place of the option's; empty, what a host's configuration file says holds. */
  default: z.string().optional(),
  description: z.string().optional(),
  /** What more there is to know, where a document runs. */
  note: z.string().optional(),
})
type Reference = z.infer<typeof ReferenceSchema>

/** What several documents have, and no command of the agent. */
const SHARED: Readonly<Record<string, object>> = {
  executionTimeout: {
    type: 'String',
    description: 'Seconds that the command may take. The agent stops and cleans up some time before.',
    displayType: 'textfield',
    // With less there would be no time to clean up.
    allowedPattern: anchored(numberGrammar(60, RUN_SECONDS_MAX)),
  },
}

interface Completed {
  readonly parameter: object
  /** Of a script: adds the option to the positional parameters. */
  readonly line?: string
}

/**
 * Puts in the place of names what they stand for. A parameter that has a type is the document's own, and stays as it is.
 *
 * @throws Error naming the parameter that is no option, or the command that is none
 */
export function completeDocument(source: DocumentSource): DocumentSource {
  const command = commandOf(source)
  const completed = Object.entries(source.parameters).map(
    ([name, written]) => [name, complete(name, written, command)] as const,
  )
  const words = [`set -- ${command?.name ?? ''}`, ...completed.flatMap(([, { line }]) => line ?? [])].join('\n')
  return {
    ...source,
    parameters: Object.fromEntries(completed.map(([name, { parameter }]) => [name, { ...parameter }])),
    mainSteps: source.mainSteps.map((step) => {
      const { runCommand } = step.inputs
      if (!runCommand) return step
      const lines = runCommand.map((line) => (OPTIONS_LINE.test(line) ? words : line))
      return { ...step, inputs: { ...step.inputs, runCommand: lines } }
    }),
  }
}

const OPTIONS_LINE = /^# options: (\S+)$/

interface NamedCommand extends Command {
  readonly name: string
}

/** The command whose options a script of the document takes, if one does. */
function commandOf({ mainSteps }: DocumentSource): NamedCommand | undefined {
  const names = mainSteps.flatMap(({ inputs }) =>
    (inputs.runCommand ?? []).flatMap((line) => OPTIONS_LINE.exec(line)?.[1] ?? []),
  )
  const [name, another] = new Set(names)
  if (another !== undefined) throw new Error(`options of ${String(name)} and ${another} in one document`)
  if (name === undefined) return undefined
  const command = (COMMANDS as Readonly<Record<string, Command>>)[name]
  if (!command) throw new Error(`${name} is no command: they are ${Object.keys(COMMANDS).join(', ')}`)
  return { ...command, name }
}

function complete(name: string, written: object, command: NamedCommand | undefined): Completed {
  if ('type' in written) return { parameter: written }
  const parsed = ReferenceSchema.safeParse(written)
  if (!parsed.success) throw new Error(`parameter ${name}, which has no type: ${z.prettifyError(parsed.error)}`)
  const shared = SHARED[name]
  if (shared) return { parameter: { ...shared, default: parsed.data.default } }
  return fromOption(name, parsed.data, command)
}

function fromOption(parameter: string, reference: Reference, command: NamedCommand | undefined): Completed {
  const option = findOption(reference.option ?? parameter, command)
  const { type, defaultText }: Option<unknown> = OPTIONS[option]
  const isSwitch = type.placeholder === undefined
  const usual = command?.withoutDefault.includes(option) ? undefined : isSwitch ? 'false' : defaultText
  const isRequired = reference.required ?? command?.required.includes(option) ?? false
  const mayBeEmpty = !isSwitch && !isRequired && (usual === undefined || reference.default === '')
  const value = reference.default ?? usual ?? (isRequired ? undefined : '')
  const choices = isSwitch ? ['true', 'false'] : type.choices
  return {
    parameter: {
      type: 'String',
      description: describe(option, reference, mayBeEmpty),
      displayType: 'textfield',
      allowedPattern: anchored(mayBeEmpty ? `|${type.grammar}` : type.grammar),
      ...(!mayBeEmpty && choices && { allowedValues: choices }),
      ...(value !== undefined && { default: value }),
    },
    line: lineFor(parameter, option, { isSwitch, mayBeEmpty, isArgument: command?.argument === option }),
  }
}

function findOption(name: string, command: NamedCommand | undefined): OptionName {
  const names = command?.options ?? OPTION_NAMES
  const option = names.find((each) => each === name)
  if (option) return option
  const whose = command ? `of ${command.name}` : 'of the agent'
  throw new Error(`parameter ${name} has no type, and is no option ${whose}: they are ${names.join(', ')}`)
}

function describe(option: OptionName, { description, note }: Reference, mayBeEmpty: boolean): string {
  const { summary, type }: Option<unknown> = OPTIONS[option]
  const said = description ?? `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`
  const more = note === undefined ? '' : ` ${note}`
  if (type.placeholder === undefined) return `"true": ${description ?? `${summary}.`}${more}`
  const form = type.separator === ',' ? `Each is ${type.expected}; commas in between.` : `It is ${type.expected}.`
  return `${said}${more} ${form}${mayBeEmpty ? ' Not given if empty.' : ''}`
}

/** Whatever the parameter is, it stays between quotes: its pattern has none. */
function lineFor(
  parameter: string,
  option: OptionName,
  { isSwitch, mayBeEmpty, isArgument }: Readonly<Record<'isSwitch' | 'mayBeEmpty' | 'isArgument', boolean>>,
): string {
  const value = `'{{ ${parameter} }}'`
  if (isSwitch) return `[ ${value} = false ] || set -- "$@" ${flagOf(option)}`
  const words = isArgument ? value : `${flagOf(option)} ${value}`
  return `${mayBeEmpty ? `[ -z ${value} ] || ` : ''}set -- "$@" ${words}`
}
