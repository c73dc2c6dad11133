/** A command on its way through a fleet, as a terminal shows it. */
import { columns, formatSeconds } from '../../agent/lib/text'
import { printableLine } from '../../agent/lib/printable'
import { countHosts, PHASES, type CommandTable, type HostRow } from './invocations'

/** How much room there is. */
export interface Room {
  readonly columns: number
  readonly rows: number
}

/** Lines that are not hosts'. */
const OTHER_LINES = 5
const NAME_CHARACTERS_MAX = 40

/**
 * @param progress - by the host: the last that its log says
 * @param problem - why what is shown is not of this moment, where that is so
 * @param now - in ms
 */
export function formatLiveTable(
  table: CommandTable,
  progress: ReadonlyMap<string, string>,
  problem: string | undefined,
  now: number,
  room: Room,
): string[] {
  const shown = chooseRows(table, Math.max(1, room.rows - OTHER_LINES))
  const left = table.rows.size - shown.length
  const lines = [
    `${printableLine(table.command.document)} ${table.command.commandId}`,
    `${formatCounts(table)}${formatSince(table, now)}`,
    ...columns(shown.map((row) => formatRow(row, progress.get(row.invocation.instanceId), now))),
    ...(left > 0 ? [`  … and ${left} more hosts`] : []),
    ...(problem === undefined ? [] : [`  ${printableLine(problem)}`]),
  ]
  return lines.map((line) => cutTo(line, room.columns))
}

/** `Snapstream-Backup 0a1b…: 12 done, 1 failed, 8 running, 29 pending, after 3 min 20 s` */
export function formatHeadline(table: CommandTable, now: number): string {
  const { commandId, document } = table.command
  return `${printableLine(document)} ${commandId}: ${formatCounts(table)}${formatSince(table, now)}`
}

function formatSince({ command: { requestedAt } }: CommandTable, now: number): string {
  return requestedAt ? `, after ${formatSeconds(Math.max(0, (now - requestedAt.getTime()) / 1000))}` : ''
}

function formatCounts(table: CommandTable): string {
  const counts = countHosts(table)
  const parts = [
    `${counts.done} done`,
    `${counts.failed} failed`,
    ...(counts.running > 0 ? [`${counts.running} running`] : []),
    ...(counts.pending > 0 ? [`${counts.pending} pending`] : []),
    ...(counts.unseen > 0 ? [`${counts.unseen} not listed yet`] : []),
  ]
  return table.rows.size + counts.unseen === 0 ? 'hosts are being looked up' : parts.join(', ')
}

/** Those at work first: what is pending or done changes nothing for whoever looks. */
function chooseRows({ rows }: CommandTable, most: number): HostRow[] {
  const all = [...rows.values()]
  return PHASES.flatMap((phase) => all.filter((row) => row.phase === phase)).slice(0, most)
}

function formatRow({ phase, invocation }: HostRow, progress: string | undefined, now: number): string[] {
  const { instanceId, name, status, steps } = invocation
  const step = steps.findLast(({ startedAt }) => startedAt !== undefined)
  const since =
    phase === 'running' && step?.startedAt ? formatSeconds(Math.max(0, (now - step.startedAt.getTime()) / 1000)) : ''
  const detail =
    phase === 'failed' ? status : phase === 'running' ? (progress ?? stepOf(invocation)) : firstLine(invocation)
  return [instanceId, name.slice(0, NAME_CHARACTERS_MAX), phase, since, detail]
}

/** Of a document with several steps, which one is at work is all that Systems Manager says until it has ended. */
function stepOf({ steps }: HostRow['invocation']): string {
  return steps.length > 1 ? (steps.find(({ status }) => status === 'InProgress')?.name ?? '') : ''
}

/** What a summary starts with is its verdict. */
export function firstLine({ steps }: HostRow['invocation']): string {
  const said = steps.findLast(({ output }) => output.trim() !== '')
  return printableLine(said?.output.trimStart().split('\n')[0] ?? '')
}

function cutTo(line: string, charactersMax: number): string {
  return line.length <= charactersMax ? line : `${line.slice(0, Math.max(0, charactersMax - 1)).toWellFormed()}…`
}
