/** What the agent prints, and the status it exits with. */
import { ExitStatus } from '../contract'
import { AgentError, describeError, unwrapFailure, type ErrorCode } from '../errors'
import { printableJson, printableText } from '../lib/printable'
import { fit } from '../lib/text'

const STATUS_OF: Partial<Record<ErrorCode, ExitStatus>> = {
  USAGE: ExitStatus.usage,
  CONFIG_INVALID: ExitStatus.usage,
  BUSY: ExitStatus.busy,
  INTERRUPTED: ExitStatus.interrupted,
  OBJECT_ARCHIVED: ExitStatus.waitingForGlacier,
}

/** With which status a command ends that failed with this. */
export function statusOf(code: ErrorCode): ExitStatus {
  return STATUS_OF[code] ?? ExitStatus.failed
}

/** The text for each stream, and the status. */
export interface Output {
  readonly status: ExitStatus
  readonly stdout: string
  readonly stderr: string
}

/** How output was asked for. */
export interface OutputOptions {
  /** One line of JSON and nothing else. */
  readonly json: boolean
  /** Standard output is for a file's content alone: whatever is said goes to standard error, success or not. */
  readonly stdout: boolean
  /** A person reads standard output: all of the summary, and no JSON that was not asked for. */
  readonly terminal: boolean
  /** Which program says so; the agent where nothing is said. */
  readonly program?: string
}

/** The agent, as it is called in a shell. */
const AGENT_NAME = 'snapstream'

/** Standard output is a summary for people, cut to what Systems Manager shows, then one line of JSON for programs. */
export function formatResult(
  result: { readonly status: ExitStatus; readonly summary: string; readonly json: object },
  options: OutputOptions,
): Output {
  const line = `${printableJson(result.json)}\n`
  const summary = printableText(result.summary, '')
  const stdout = options.json ? line : options.terminal ? `${summary}\n` : `${fit(summary)}\n${line}`
  return direct({ status: result.status, stdout, stderr: '' }, options)
}

function direct(output: Output, options: OutputOptions): Output {
  return options.stdout ? { ...output, stdout: '', stderr: output.stderr + output.stdout } : output
}

/** Before the lines that a command wrote, or that a name makes. */
const QUOTED = '  | '

/**
 * Standard error is for people, the line of JSON on standard output for programs.
 *
 * @param interruption - what stopped the command, if something did: then that is why it failed
 */
export function formatFailure(thrown: unknown, options: OutputOptions, interruption?: AgentError): Output {
  const { duringCleanup } = unwrapFailure(thrown)
  const error = nameFailure(thrown, interruption, options)
  const cleanupLines = duringCleanup.flatMap(describeError)
  const json = {
    error: { code: error.code, message: error.message, hint: error.hint },
    ...(cleanupLines.length > 0 && { duringCleanup: cleanupLines }),
  }
  const lines = [...describeError(error), ...cleanupLines.map((text) => `during clean-up: ${text}`)]
  const output = {
    status: statusOf(error.code),
    stdout: options.terminal && !options.json ? '' : `${printableJson(json)}\n`,
    stderr: options.json
      ? ''
      : `${options.program ?? AGENT_NAME}: ${lines.map((line) => printableText(line, QUOTED)).join('\n')}\n`,
  }
  return direct(output, options)
}

/**
 * Why a command failed, in one error.
 *
 * @param interruption - as `formatFailure`
 */
export function nameFailure(
  thrown: unknown,
  interruption?: AgentError,
  options: Pick<OutputOptions, 'program'> = {},
): AgentError {
  const { first } = unwrapFailure(thrown)
  if (interruption) return interrupted(interruption, first)
  return first instanceof AgentError ? first : unforeseen(first, options)
}

/** What was under way when the command was stopped fails in its own way, which only tells how far it was. */
function interrupted(interruption: AgentError, first: unknown): AgentError {
  if (first === interruption || !(first instanceof AgentError)) return interruption
  const { hint } = interruption
  return new AgentError('INTERRUPTED', `${interruption.message}: ${first.message}`, { hint, cause: first })
}

function unforeseen(error: unknown, { program = AGENT_NAME }: Pick<OutputOptions, 'program'>): AgentError {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return new AgentError('INTERNAL', `unforeseen error: ${message}`, {
    hint:
      'This is a defect of Snapstream: please report it with the lines above.' +
      (program === AGENT_NAME ? ' "snapstream cleanup" removes what the run left.' : ''),
    cause: error,
  })
}
