/** A schedule as it is configured, and what Systems Manager would refuse about it. */
import type { RetentionClass } from './retention'
import { checkBackupParameters, type ScheduleOptions } from './schedule-options'
import type { CommandDocument } from './ssm-document'

export interface InstanceTag {
  readonly key: string
  readonly value: string
}

/** When a command starts, and until when. */
export interface WindowTiming {
  /** As Systems Manager writes it, for example `cron(0 2 ? * * *)` or `rate(12 hours)`. */
  readonly cron: string
  /**
   * @default 'UTC'
   */
  readonly timezone?: string
  /**
   * How long the window is open, in hours.
   * @default 4
   */
  readonly durationHours?: number
  /**
   * How long before the window closes the last command may start. Those that run then go on.
   * @default 1
   */
  readonly cutoffHours?: number
}

/** With the options of the agent that the Backup document has, such as `verify` and `volumes`: see `ScheduleOptions`. */
export interface Schedule extends ScheduleOptions, WindowTiming {
  readonly name: string
  /**
   * `window` is a maintenance window: time zones, a limit to when backups may start; a host that is down is left out.
   * `association` is State Manager: UTC only, a host that was down is backed up when it is back, and the fleet's
   * compliance shows who has no backup.
   * @default 'window'
   */
  readonly kind?: 'window' | 'association'
  /** Retention class of the backups. */
  readonly class: string
  /** Hosts that bear this tag, looked up each time. */
  readonly tag: InstanceTag
  /**
   * Hosts that back up at the same time, as a number or a percentage.
   * @default '25%'
   */
  readonly maxConcurrency?: string
  /**
   * Failures after which no more hosts are started. One bad host should not keep the others from their backup.
   * @default '100%'
   */
  readonly maxErrors?: string
  /**
   * Each host waits for a random time up to this many minutes.
   * @default 10
   */
  readonly jitterMinutes?: number
  /**
   * Seconds that each backup may take. It stops and cleans up some time before.
   * @default - that of the Backup document
   */
  readonly executionTimeout?: number
}

/** Names of maintenance windows and associations (Systems Manager API reference). */
export const SCHEDULE_NAME = /^[A-Za-z0-9_.-]{1,64}$/
const RATE = /^rate\([1-9][0-9]* (minute|hour|day)s?\)$/
/** Minutes, hours, day of the month, month, day of the week and year: of the two days, one is a question mark. */
const CRON = /^cron\([0-9*,/-]+ [0-9*,/-]+ (\?|[0-9*,/LW-]+) [0-9A-Z*,/-]+ (\?|[0-9A-Z*,/#-]+)( [0-9*,/-]+)?\)$/
const CONCURRENCY = /^([1-9][0-9]{0,6}|[1-9][0-9]?%|100%)$/
const ERRORS = /^(0|[1-9][0-9]{0,6}|[1-9]?[0-9]%|100%)$/
const WINDOW_HOURS_MAX = 24
/** More would be a window of its own. */
const JITTER_MINUTES_MAX = 120

/**
 * Problems, each naming the schedule and the fix.
 *
 * @param backup - the Backup document
 */
export function checkSchedules(
  schedules: readonly Schedule[],
  retention: readonly RetentionClass[],
  backup: CommandDocument,
): string[] {
  const names = schedules.map(({ name }) => name)
  const classes = retention.map(({ name }) => name)
  const repeated = names.filter((name, index) => names.indexOf(name) !== index)
  return [
    ...repeated.map((name) => `schedule '${name}' is defined twice: give each its own name`),
    ...schedules.flatMap((schedule) =>
      [
        ...checkTiming(schedule),
        ...checkRollout(schedule, classes),
        ...checkBackupParameters(schedule, retention, backup),
      ].map((problem) => `schedule '${schedule.name}': ${problem}`),
    ),
  ]
}

/** Of any kind of schedule. */
export function checkTiming({
  kind,
  cron,
  timezone,
  durationHours = 4,
  cutoffHours = 1,
}: WindowTiming & Pick<Schedule, 'kind'>): string[] {
  const problems: string[] = []
  if (!RATE.test(cron) && !CRON.test(cron)) {
    problems.push(`'${cron}' is no schedule: write it like cron(0 2 ? * * *) or rate(1 day)`)
  }
  if (kind === 'association' && timezone !== undefined) {
    problems.push("State Manager knows UTC only: leave timezone out, or use kind 'window'")
  }
  if (timezone !== undefined && !isTimezone(timezone)) {
    problems.push(`'${timezone}' is no time zone: use a name such as Europe/Berlin`)
  }
  if (!Number.isInteger(durationHours) || durationHours < 1 || durationHours > WINDOW_HOURS_MAX) {
    problems.push(`durationHours is ${durationHours}: use 1 to ${WINDOW_HOURS_MAX}`)
  }
  if (!Number.isInteger(cutoffHours) || cutoffHours < 0 || cutoffHours >= durationHours) {
    problems.push(`cutoffHours is ${cutoffHours}: use 0 to ${durationHours - 1}, less than durationHours`)
  }
  return problems
}

function checkRollout(schedule: Schedule, classes: readonly string[]): string[] {
  const { name, tag, maxConcurrency = '1', maxErrors = '0', jitterMinutes = 0 } = schedule
  const problems: string[] = []
  if (!SCHEDULE_NAME.test(name)) problems.push(`the name does not match ${SCHEDULE_NAME.source}: rename it`)
  if (!classes.includes(schedule.class)) {
    problems.push(`there is no retention class '${schedule.class}': use one of ${classes.join(', ')}`)
  }
  if (tag.key === '' || tag.value === '') problems.push('the tag is empty: give it a key and a value')
  if (!CONCURRENCY.test(maxConcurrency)) {
    problems.push(`maxConcurrency is '${maxConcurrency}': use a number such as 10, or a percentage such as 25%`)
  }
  if (!ERRORS.test(maxErrors)) {
    problems.push(`maxErrors is '${maxErrors}': use a number such as 10, or a percentage such as 100%`)
  }
  if (!Number.isInteger(jitterMinutes) || jitterMinutes < 0 || jitterMinutes > JITTER_MINUTES_MAX) {
    problems.push(`jitterMinutes is ${jitterMinutes}: use 0 to ${JITTER_MINUTES_MAX}`)
  }
  return problems
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    // The only way in which Intl says that it does not know a name.
    return false
  }
}
