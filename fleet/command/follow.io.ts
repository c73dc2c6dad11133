/** Follows a command until every host has ended, by asking Systems Manager again and again. */
import { AgentError, hasCode, type ErrorCode } from '../../agent/errors'
import { countHosts, foldTable, isFinished, startTable, type CommandTable } from './invocations'
import { formatHeadline, formatLiveTable } from './live-table'
import type { LiveArea } from './live-area'
import type { ReadProgress } from './progress.io'
import type { SendDeps } from './send.io'
import type { Invocation, SentCommand } from './systems-manager'

export interface FollowDeps extends SendDeps {
  readonly screen: LiveArea
  /** The last that hosts' logs say, by the host; nothing where there is no log to read. */
  readonly readProgress?: ReadProgress
}

/** Between two looks, in s: Systems Manager has a budget of requests, which a large fleet's pages use up. */
const LOOK_SECONDS_MIN = 2
const LOOK_SECONDS_MAX = 60
const HOSTS_A_SECOND = 50
/** So long Systems Manager may be out of reach; the command goes on without us. */
const BLIND_SECONDS_MAX = 1800
/** What another look does not mend. */
const HOPELESS: readonly ErrorCode[] = ['ACCESS_DENIED', 'NO_CREDENTIALS', 'CREDENTIALS_EXPIRED']

/** @throws AgentError INTERRUPTED, or what keeps it from being followed; each says how to come back: the command goes on */
export async function followCommand(deps: FollowDeps, sent: SentCommand): Promise<CommandTable> {
  const { signal, clock, now, screen } = deps
  let table = startTable(sent)
  let progress: ReadonlyMap<string, string> = new Map()
  let blindSince: number | undefined
  let told = ''
  try {
    for (;;) {
      const { next, problem } = await look(deps, table)
      table = next
      blindSince = problem === undefined ? undefined : (blindSince ?? clock.nowSeconds())
      if (problem && blindSince !== undefined && clock.nowSeconds() - blindSince >= BLIND_SECONDS_MAX) throw problem
      progress = (await deps.readProgress?.(table)) ?? progress
      const lines = formatLiveTable(table, progress, problem?.message, now().getTime(), screen.room)
      screen.draw(lines)
      told = tellChanges(deps, table, told)
      if (problem === undefined && isFinished(table, now().getTime())) return table
      await clock.sleep(lookSeconds(table), signal)
    }
  } catch (error) {
    throw comeBack(error, sent.commandId, signal)
  } finally {
    screen.clear()
  }
}

/** One look. A list that breaks off is no list of all: who was not on it is as before. */
async function look(
  { service, signal, now }: FollowDeps,
  table: CommandTable,
): Promise<{ readonly next: CommandTable; readonly problem?: AgentError }> {
  const seen: Invocation[] = []
  let command: SentCommand | undefined
  try {
    command = await service.describe(table.command.commandId, signal)
    for await (const invocation of service.listInvocations(table.command.commandId, signal)) seen.push(invocation)
    return { next: foldTable(table, command, seen, now().getTime()) }
  } catch (error) {
    if (!(error instanceof AgentError) || signal.aborted || HOPELESS.includes(error.code)) throw error
    return { next: foldTable(table, command, seen, now().getTime()), problem: error }
  }
}

function lookSeconds({ rows }: CommandTable): number {
  return Math.min(LOOK_SECONDS_MAX, LOOK_SECONDS_MIN + rows.size / HOSTS_A_SECOND)
}

/** Where nobody sees the table, its changes go to the log. */
function tellChanges({ log, now, screen }: FollowDeps, table: CommandTable, told: string): string {
  const counts = JSON.stringify(countHosts(table))
  if (counts !== told && !screen.isShown) log.info(formatHeadline(table, now().getTime()))
  return counts
}

/** Whatever keeps us from looking, the command goes on: how to come back is what matters then. */
export function comeBack(error: unknown, commandId: string, signal: AbortSignal): unknown {
  const ways = `"snapstream-fleet attach ${commandId}" follows it again, "snapstream-fleet cancel ${commandId}" stops it.`
  if (signal.aborted || hasCode(error, 'INTERRUPTED')) {
    return new AgentError('INTERRUPTED', `command ${commandId} goes on, and is not waited for any longer`, {
      hint: `${ways.charAt(0).toUpperCase()}${ways.slice(1)}`,
      cause: error,
    })
  }
  if (!(error instanceof AgentError)) return error
  return new AgentError(error.code, `${error.message}; command ${commandId} goes on`, {
    hint: `${error.hint} Then ${ways}`,
    cause: error,
  })
}
