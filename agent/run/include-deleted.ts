/** Has the commands that read backups look past delete markers, or offer to. */
import { manifestKey } from '../contract'
import { AgentError } from '../errors'
import type { Deps } from '../context'
import { findRun, findRuns, type RunSelector } from './runs'
import { rememberMissing, withDeleted } from '../bucket/deleted-objects'
import { formatDeletedRead, formatOffer, insertLine, hintAtDeleted, hintNoVersions } from './deleted'
import type { DeletedNotes } from './output-schema'
import type { Outcome } from '../outcome'
import type { FoundRun } from './run-time'

/** What is known of a command that reads backups. */
interface ReadingRequest extends RunSelector {
  readonly command: string
  readonly includeDeleted: boolean
}
type Command<R, Json extends DeletedNotes> = (deps: Deps, request: R) => Promise<Outcome<Json>>

/**
 * Runs a command that reads backups. With `includeDeleted` it finds deleted runs and reads deleted objects as if nobody
 * had deleted them, and says so. Without, what it did not find for that reason is offered: in the hint of its error, or
 * in its summary where it did without.
 *
 * @throws AgentError as the command does
 */
export async function includingDeleted<R extends ReadingRequest, Json extends DeletedNotes>(
  deps: Deps,
  request: R,
  command: Command<R, Json>,
): Promise<Outcome<Json>> {
  return request.includeDeleted ? readDeleted(deps, request, command) : offerDeleted(deps, request, command)
}

async function readDeleted<R extends ReadingRequest, Json extends DeletedNotes>(
  deps: Deps,
  request: R,
  command: Command<R, Json>,
): Promise<Outcome<Json>> {
  const past = withDeleted(deps)
  const { store, missing } = rememberMissing(past.store)
  try {
    const outcome = await command({ ...deps, store }, request)
    const deletedRead = past.deletedRead()
    return deletedRead.length === 0 ? outcome : addLine(outcome, formatDeletedRead(deletedRead), { deletedRead })
  } catch (error) {
    if (!isAboutMissing(error, missing())) throw error
    const facts = await deps.store.readFacts(deps.signal).catch(() => undefined)
    throw hintNoVersions(error, facts?.versioning !== 'Off')
  }
}

async function offerDeleted<R extends ReadingRequest, Json extends DeletedNotes>(
  deps: Deps,
  request: R,
  command: Command<R, Json>,
): Promise<Outcome<Json>> {
  const { store, missing } = rememberMissing(deps.store)
  try {
    const outcome = await command({ ...deps, store }, request)
    const wanted = request.run === undefined ? request : undefined
    const deletedUnread = await findDeleted(deps, missing(), wanted)
    return deletedUnread.length === 0 ? outcome : addLine(outcome, formatOffer(deletedUnread), { deletedUnread })
  } catch (error) {
    if (!isAboutMissing(error, missing())) throw error
    const deleted = await findDeleted(deps, missing(), request)
    throw deleted.length === 0 ? error : hintAtDeleted(error, deleted)
  }
}

/** Not `isDataLoss`: bytes that do not match their checksum are there, and no deleted version of them says more. */
function isAboutMissing(error: unknown, missing: readonly string[]): error is AgentError {
  if (!(error instanceof AgentError)) return false
  if (error.code === 'UNKNOWN_RUN') return true
  return missing.length > 0 && (error.code === 'OBJECT_MISSING' || error.code === 'ARCHIVE_DAMAGED')
}

function addLine<Json extends DeletedNotes>(outcome: Outcome<Json>, line: string, json: DeletedNotes): Outcome<Json> {
  return { ...outcome, summary: insertLine(outcome.summary, line), json: { ...outcome.json, ...json } }
}

/**
 * Keys of what was deleted and can still be read: of what was missing, and of the runs that would have been chosen. None
 * where these credentials may not look, as those of hosts may not, or where the looking fails: it is only an offer.
 */
async function findDeleted(
  deps: Deps,
  missing: readonly string[],
  wanted: ReadingRequest | undefined,
): Promise<readonly string[]> {
  const past = withDeleted(deps)
  try {
    const runs = wanted ? await chooseRuns({ ...deps, store: past.store }, wanted) : []
    const keys = new Set(runs.filter(({ deleted }) => deleted).map(manifestKey))
    for (const key of missing) if (await past.isLeft(key)) keys.add(key)
    return [...keys]
  } catch (error) {
    deps.log.debug(`could not find out what was deleted: ${String(error)}`)
    return []
  }
}

/** As the command does: one run, or all that there are. */
async function chooseRuns(deps: Deps, request: ReadingRequest): Promise<readonly FoundRun[]> {
  const { command, run, at } = request
  const all = command === 'list' || (command === 'find' && run === undefined && at === undefined)
  // What is passed over has been told of already.
  const quiet = { ...deps, log: { ...deps.log, warn: () => undefined } }
  return all ? findRuns(deps, request) : [await findRun(quiet, request)]
}
