/**
 * The stack's documents, and what an operator can have each of them do. What a parameter may be is what its document says: both
 * are made from the agent's table of options, and a test holds one against the other.
 */
import { RUN_SECONDS_MAX } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import { anchored, numberGrammar } from '../../agent/options/grammar'
import { flagOf, OPTIONS, type OptionName } from '../../agent/options/table'
import type { Fraction } from '../../agent/options/types'

/** Which of its parameters an operator sets; the deployment has set the bucket and its region. */
interface DocumentUse {
  readonly document: string
  /** By the name of the option of this program, which is also the document's where no other stands here. */
  readonly parameters: Readonly<Record<string, ParameterSource>>
}

/** Whose values it takes. */
type ParameterSource = { readonly option: OptionName; readonly parameter?: string } | { readonly grammar: string }

const own = (...names: OptionName[]): Readonly<Record<string, ParameterSource>> =>
  Object.fromEntries(names.map((option) => [option, { option }]))

/** With less there would be no time to clean up. */
export const EXECUTION_SECONDS_MIN = 60
/** Asks hosts for their log, where somebody will read it. */
const hostLogLevel = { option: 'logLevel', parameter: 'logLevel' } as const
const executionTimeout = { grammar: numberGrammar(EXECUTION_SECONDS_MIN, RUN_SECONDS_MAX) }

/** By the command of this program. */
export const DOCUMENT_USES = {
  run: {
    document: 'Backup',
    parameters: {
      ...own('class', 'storageClass', 'volumes', 'excludeVolumes', 'source', 'freeze', 'verify', 'sample'),
      ...own('bandwidthLimit', 'dryRun'),
      executionTimeout,
      hostLogLevel,
    },
  },
  verify: { document: 'Verify', parameters: { ...own('class', 'run', 'depth'), executionTimeout, hostLogLevel } },
  restore: {
    document: 'Restore',
    parameters: {
      ...own('class', 'run', 'at', 'volume', 'path', 'target', 'inPlace', 'onConflict', 'thaw', 'resume'),
      ...own('bestEffort', 'includeDeleted', 'dryRun'),
      fromHost: { option: 'host', parameter: 'host' },
      days: { option: 'days', parameter: 'thawDays' },
      executionTimeout,
      hostLogLevel,
    },
  },
  install: { document: 'Install', parameters: {} },
  cleanup: { document: 'Cleanup', parameters: { ...own('dryRun'), executionTimeout } },
  cancel: { document: 'Cancel', parameters: {} },
} as const satisfies Record<string, DocumentUse>
export type DocumentCommand = keyof typeof DOCUMENT_USES

/** A parameter as it is given to a document. */
export interface Parameter {
  readonly name: string
  readonly pattern: string
}

export function parameterOf(command: DocumentCommand, option: string): Parameter | undefined {
  const source = (DOCUMENT_USES[command].parameters as Readonly<Record<string, ParameterSource>>)[option]
  if (!source) return undefined
  if ('grammar' in source) return { name: option, pattern: anchored(source.grammar) }
  return { name: source.parameter ?? option, pattern: anchored(OPTIONS[source.option].type.grammar) }
}

/**
 * The parameters of a document, of what was given: the rest is left to the document, and to the hosts' own configuration.
 *
 * @param request - by the names of options; undefined, false and empty is not given
 * @throws AgentError USAGE for a value that the document does not take, before anything is sent
 */
export function documentParameters(
  command: DocumentCommand,
  request: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string>> {
  const given = Object.keys(DOCUMENT_USES[command].parameters).flatMap((option): (readonly [string, string])[] => {
    const text = formatParameter(option, request[option])
    const parameter = parameterOf(command, option)
    if (text === '' || !parameter) return []
    if (!new RegExp(parameter.pattern).test(text)) throw refused(command, option, text)
    return [[parameter.name, text]]
  })
  return Object.fromEntries(given)
}

function refused(command: DocumentCommand, option: string, text: string): AgentError {
  const { document } = DOCUMENT_USES[command]
  return new AgentError(
    'USAGE',
    `${flagOf(option)} is '${text.slice(0, 100)}', which the document ${document} does not take`,
    {
      hint:
        'Documents take nothing that could mean something to a shell on a host: of a path, letters, digits and . _ @ + - alone. ' +
        'What has another name can be named on the host itself, with "snapstream".',
    },
  )
}

/** As documents have it; empty where it is not given. */
function formatParameter(option: string, value: unknown): string {
  if (value === undefined || value === false) return ''
  if (value instanceof Date) return value.toISOString().replace(/\.\d+Z$/, 'Z')
  if (Array.isArray(value)) return value.join(separatorOf(option))
  if (typeof value === 'object' && value !== null) {
    const { count, parts } = value as Fraction
    return `${count}/${parts}`
  }
  // Documents have sizes with a unit alone: a number would be too easily taken for another.
  if (option === 'bandwidthLimit') return `${Math.floor((value as number) / 1024)}K`
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function separatorOf(option: string): string {
  return (option in OPTIONS ? OPTIONS[option as OptionName].type.separator : undefined) ?? ','
}
