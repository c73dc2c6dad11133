/** What records of commands and maintenance windows say of a backup that is missing. They explain, and prove nothing. */
import { printableLine } from '../../agent/lib/printable'
import type { FleetConfig } from '../model/config'
import type { Explanation, HostHistory, Inventory } from '../model/records'
import type { Invocation, Place, WindowExecution } from './account'
import { instanceArn } from './join'

type Schedules = FleetConfig['schedules']

/** As the stack names its document, and its windows' commands. */
const BACKUP_DOCUMENT = /(^|[-/])Backup$/
const COMMENT = /^Snapstream (.+)$/
const DETAIL_CHARACTERS_MAX = 200

/** Run Command's own words, with and without spaces between them. */
const WHATS: readonly (readonly [RegExp, Explanation['what']])[] = [
  [/^(undeliverable|deliverytimedout)$/, 'undeliverable'],
  [/^(timedout|executiontimedout)$/, 'timed-out'],
  // Terminated: too many other hosts had failed.
  [/^(cancelled|terminated)$/, 'cancelled'],
]

/** Backups that were asked for, and did not succeed. */
export function explainInvocations(
  place: Place,
  invocations: readonly Invocation[],
  schedules: Schedules,
): readonly Explanation[] {
  return invocations
    .filter(({ document, nodeId }) => BACKUP_DOCUMENT.test(document) && nodeId.startsWith('i-'))
    .map(({ nodeId, comment, requestedAt, status, statusDetails, commandId }) => {
      const label = statusDetails.replaceAll(/\s/g, '').toLowerCase()
      const what = WHATS.find(([pattern]) => pattern.test(label))?.[1] ?? 'failed'
      const schedule = schedules.find(({ name }) => name === COMMENT.exec(comment)?.[1])
      return {
        host: instanceArn(place, nodeId),
        ...(schedule && { class: schedule.class }),
        at: requestedAt,
        what,
        detail: cut(`${statusDetails || status}, command ${commandId}`),
      }
    })
}

/** A host that a window should have backed up, and that has no run since. */
export interface Gap {
  readonly host: string
  readonly class: string
}

/** Of running hosts: those that are stopped are told of otherwise. */
export function findGaps(
  { account, region }: Place,
  execution: WindowExecution,
  schedules: Schedules,
  inventory: Inventory,
  histories: ReadonlyMap<string, HostHistory>,
): readonly Gap[] {
  const className = schedules.find(({ name }) => name === execution.window)?.class
  if (className === undefined) return []
  return inventory.hosts
    .filter((host) => host.account === account && host.region === region && host.power === 'running')
    .filter(({ classes }) => classes.includes(className))
    .filter(({ host }) => {
      const runs = histories.get(host)?.classes.find((each) => each.class === className)?.runs
      return !runs?.some(({ writtenAt }) => writtenAt >= execution.startedAt)
    })
    .map(({ host }) => ({ host, class: className }))
}

/** @param reached - nodes to which the window sent a command */
export function explainGaps(
  place: Place,
  execution: WindowExecution,
  gaps: readonly Gap[],
  reached: ReadonlySet<string>,
): readonly Explanation[] {
  const { status, statusReason, startedAt, window } = execution
  const hosts = new Set([...reached].map((nodeId) => instanceArn(place, nodeId)))
  const what = /TIMED_OUT|CANCEL|SKIPPED/.test(status) ? 'cut-off' : 'no-invocation'
  const reason = statusReason === '' ? '' : `: ${statusReason}`
  return gaps
    .filter(({ host }) => !hosts.has(host))
    .map((gap) => ({ ...gap, at: startedAt, what, detail: cut(`window of ${window}, ${status}${reason}`) }))
}

function cut(text: string): string {
  return printableLine(text).slice(0, DETAIL_CHARACTERS_MAX)
}
