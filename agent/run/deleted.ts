/** What is told of deleted objects of which a version is left. */
import { onPage } from '../pages'
import { AgentError } from '../errors'
import { joinLines } from '../lib/text'
import { parseManifestKey } from '../contract'

/** Objects that are named; the others are counted. */
const NAMES_MAX = 3

/** The same error, with the way to get at what was deleted before its hint. */
export function hintAtDeleted(error: AgentError, keys: readonly string[]): AgentError {
  const was = keys.length === 1 ? 'was' : 'were'
  return withHint(
    error,
    `${nameAll(keys)} ${was} deleted, but can still be read: run the command again with --include-deleted.`,
  )
}

/**
 * The same error, for one who has asked for deleted objects in vain.
 *
 * @param versioned - whether the bucket keeps versions at all
 */
export function hintNoVersions(error: AgentError, versioned: boolean): AgentError {
  return withHint(
    error,
    versioned
      ? 'No deleted version of it is left either: versions expire some days after the deletion.'
      : 'The bucket is not versioned: objects deleted from it are gone.',
  )
}

function withHint(error: AgentError, hint: string): AgentError {
  return new AgentError(error.code, error.message, { hint: `${hint} ${error.hint}`.trim(), cause: error })
}

/** A line for the summary of a command that went without them. */
export function formatOffer(keys: readonly string[]): string {
  return `  deleted or expired, but still there: ${nameAll(keys)}; --include-deleted reads ${keys.length === 1 ? 'it' : 'them'}`
}

/** A line for the summary of a command that has read them. */
export function formatDeletedRead(keys: readonly string[]): string {
  return (
    `  DELETED or expired, and read from versions that are still there for some days: ${nameAll(keys)}; ` +
    `to undelete them see ${onPage('runbook', 'Backups were deleted')}`
  )
}

/** Puts a line below the verdict, where it is read. */
export function insertLine(summary: string, line: string): string {
  const [verdict = '', ...rest] = summary.split('\n')
  return joinLines([verdict, line, ...rest])
}

function nameAll(keys: readonly string[]): string {
  const names = keys.slice(0, NAMES_MAX).map(nameOf)
  return keys.length > NAMES_MAX ? `${names.join(', ')} and ${keys.length - NAMES_MAX} more` : names.join(', ')
}

/** A run is its manifest. */
function nameOf(key: string): string {
  const run = parseManifestKey(key)?.run
  return run === undefined ? key : `run ${run}`
}
