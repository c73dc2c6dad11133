/** What a command came to, host by host: what went wrong first, each with what to do. */
import { ExitStatus } from '../../agent/contract'
import { columns, counted, joinLines } from '../../agent/lib/text'
import type { Outcome } from '../../agent/outcome'
import { countHosts, hasSucceeded, NO_HOSTS, type CommandTable, type HostRow } from './invocations'
import { firstLine, formatHeadline } from './live-table'
import type { CommandOutput } from './run-output-schema'
import type { Reason } from './reasons'

/** A host, and why it failed, where it did or where that is not known. */
export interface ReportedHost {
  readonly row: HostRow
  readonly why?: Reason
}

/** So many hosts are named for one reason (design limit): the line for programs has all. */
const NAMED_MAX = 10
/** So many that have done it are listed: what went wrong is what is looked for. */
const DONE_MAX = 10

/**
 * @param hosts - all that have been listed
 * @param now - in ms
 */
export function reportCommand(
  table: CommandTable,
  hosts: readonly ReportedHost[],
  now: number,
): Outcome<CommandOutput> {
  const { command } = table
  const counts = countHosts(table)
  return {
    status: statusOf(table),
    summary: joinLines([
      formatHeadline(table, now),
      ...describeNoHosts(table),
      ...groupByReason(hosts).flatMap(formatGroup),
      ...(counts.unseen > 0
        ? [`  UNKNOWN ${counted(counts.unseen, 'host')} that Systems Manager counts, and does not list`]
        : []),
      ...formatDone(hosts.filter(({ why }) => !why)),
    ]),
    json: {
      commandId: command.commandId,
      document: command.document,
      status: command.status,
      ok: hasSucceeded(table),
      ...counts,
      hosts: hosts.map(({ row: { phase, invocation }, why }) => ({
        host: invocation.instanceId,
        name: invocation.name,
        phase,
        status: invocation.status,
        summary: firstLine(invocation),
        ...(why && { reason: why.reason, hint: why.hint }),
      })),
    },
  }
}

/** Some done is more than none: a backup of most of a fleet is worth having. */
function statusOf(table: CommandTable): ExitStatus {
  if (hasSucceeded(table)) return ExitStatus.ok
  return countHosts(table).done > 0 ? ExitStatus.incomplete : ExitStatus.failed
}

function describeNoHosts({ command, rows }: CommandTable): string[] {
  if (rows.size > 0) return []
  const what =
    command.status === NO_HOSTS || command.targetCount === 0
      ? 'no managed host has this tag, or is known to Systems Manager'
      : 'Systems Manager lists no host'
  return [
    `  FAILED ${what}: nothing was done`,
    '    HINT: Check the tag with "snapstream-fleet status". Hosts are managed where their SSM agent runs and their role lets it.',
  ]
}

/** One reason, and everybody it concerns: fifty hosts that have no credentials are one thing to do. */
function groupByReason(hosts: readonly ReportedHost[]): (Reason & { readonly hosts: readonly HostRow[] })[] {
  const groups = new Map<string, Reason & { hosts: HostRow[] }>()
  for (const { row, why } of hosts) {
    if (!why) continue
    const key = JSON.stringify([why.reason, why.hint, row.phase])
    const group = groups.get(key) ?? { ...why, hosts: [] }
    group.hosts.push(row)
    groups.set(key, group)
  }
  return [...groups.values()].sort((a, b) => b.hosts.length - a.hosts.length)
}

function formatGroup({ reason, hint, hosts }: Reason & { readonly hosts: readonly HostRow[] }): string[] {
  const names = hosts
    .slice(0, NAMED_MAX)
    .map(({ invocation: { instanceId, name } }) => `${instanceId}${name && ` (${name})`}`)
  const more = hosts.length > NAMED_MAX ? ` and ${hosts.length - NAMED_MAX} more` : ''
  const word = hosts[0]?.phase === 'failed' ? 'FAILED' : 'UNKNOWN'
  return [`  ${word} ${names.join(', ')}${more}: ${reason}`, `    HINT: ${hint}`]
}

function formatDone(done: readonly ReportedHost[]): string[] {
  const shown = done
    .slice(0, DONE_MAX)
    .map(({ row: { invocation } }) => [invocation.instanceId, invocation.name, firstLine(invocation)])
  return [
    ...columns(shown),
    ...(done.length > DONE_MAX ? [`  … and ${done.length - DONE_MAX} more that are done`] : []),
  ]
}
