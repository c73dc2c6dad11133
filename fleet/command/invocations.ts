/** What is known of a command while it goes through a fleet: each look at Systems Manager is folded into what was known before. */
import type { Invocation, SentCommand } from './systems-manager'

export type Phase = 'pending' | 'running' | 'done' | 'failed'
export const PHASES: readonly Phase[] = ['running', 'pending', 'failed', 'done']

/** A host that the command goes to. */
export interface HostRow {
  readonly phase: Phase
  readonly invocation: Invocation
}

/** The command, and each host that has ever been listed. */
export interface CommandTable {
  readonly command: SentCommand
  readonly rows: ReadonlyMap<string, HostRow>
  /** Since when Systems Manager has called the command ended, while hosts were missing or still at work: in ms. */
  readonly endedAt?: number
}

/**
 * What Systems Manager calls a host's part of it (user guide, "Understanding command statuses"). What is not here is none that
 * was known when this was written, and never counts as done.
 */
const PHASE_OF: Readonly<Record<string, Phase>> = {
  Pending: 'pending',
  Delayed: 'pending',
  InProgress: 'running',
  Cancelling: 'running',
  Success: 'done',
  Failed: 'failed',
  TimedOut: 'failed',
  DeliveryTimedOut: 'failed',
  ExecutionTimedOut: 'failed',
  Undeliverable: 'failed',
  Terminated: 'failed',
  Cancelled: 'failed',
  InvalidPlatform: 'failed',
  AccessDenied: 'failed',
}

/** Of the whole command. */
const UNFINISHED: ReadonlySet<string> = new Set(['Pending', 'InProgress', 'Delayed', 'Cancelling'])

/** No host bears the tags. */
export const NO_HOSTS = 'NoInstancesInTag'

/**
 * Once the command has ended, so long for the last of its hosts to show: lists lag behind (design limit). Whatever has not shown
 * by then is not known, and no success.
 */
const SETTLE_SECONDS = 60
/** After a command has expired, Systems Manager has this long to say so. */
const EXPIRY_GRACE_SECONDS = 900

export function phaseOf(status: string): Phase {
  return PHASE_OF[status] ?? 'running'
}

export function startTable(command: SentCommand): CommandTable {
  return { command, rows: new Map() }
}

/**
 * @param command - as it is now; undefined where Systems Manager does not have it yet
 * @param invocations - as many as could be listed: who is not among them is as before
 * @param now - in ms
 */
export function foldTable(
  table: CommandTable,
  command: SentCommand | undefined,
  invocations: readonly Invocation[],
  now: number,
): CommandTable {
  const rows = new Map(table.rows)
  for (const invocation of invocations) {
    const before = rows.get(invocation.instanceId)
    const phase = phaseOf(invocation.status)
    // Two looks may be answered by two servers: who had ended is not at work again.
    if (before && isOver(before.phase) && !isOver(phase)) continue
    rows.set(invocation.instanceId, { phase, invocation })
  }
  const next = { command: withKnownHosts(table.command, command), rows }
  if (UNFINISHED.has(next.command.status)) return next
  return { ...next, endedAt: table.endedAt ?? now }
}

function withKnownHosts(before: SentCommand, now: SentCommand | undefined): SentCommand {
  if (!now) return before
  return { ...now, targetCount: Math.max(before.targetCount, now.targetCount) }
}

function isOver(phase: Phase): boolean {
  return phase === 'done' || phase === 'failed'
}

export interface Counts extends Readonly<Record<Phase, number>> {
  /** Hosts that the command is said to go to, and that have never been listed. */
  readonly unseen: number
}

export function countHosts({ command, rows }: CommandTable): Counts {
  const counts = { pending: 0, running: 0, done: 0, failed: 0 }
  for (const { phase } of rows.values()) counts[phase]++
  return { ...counts, unseen: Math.max(0, command.targetCount - rows.size) }
}

/** Nothing is to be expected any more. @param now - in ms */
export function isFinished(table: CommandTable, now: number): boolean {
  const { pending, running, unseen } = countHosts(table)
  const { endedAt, command } = table
  if (endedAt === undefined) {
    const { expiresAt } = command
    return expiresAt !== undefined && now >= expiresAt.getTime() + EXPIRY_GRACE_SECONDS * 1000
  }
  if (command.status === NO_HOSTS || (pending + running + unseen === 0 && table.rows.size > 0)) return true
  return now - endedAt >= SETTLE_SECONDS * 1000
}

/** Every host that there is has done it, and there is one. */
export function hasSucceeded(table: CommandTable): boolean {
  const { pending, running, failed, unseen } = countHosts(table)
  return table.command.status === 'Success' && table.rows.size > 0 && pending + running + failed + unseen === 0
}
