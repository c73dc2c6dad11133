/** Restores on trial as they are configured, and what Systems Manager would refuse about them. */
import type { RetentionClass } from './retention'
import { checkTiming, SCHEDULE_NAME, type InstanceTag, type WindowTiming } from './schedule'
import { checkPatterns } from './schedule-options'
import type { CommandDocument } from './ssm-document'

/** A maintenance window in which machines restore backups of hosts on trial. */
export interface DrillSchedule extends WindowTiming {
  /** No schedule of backups may have the same. */
  readonly name: string
  /** Retention class of the runs that are restored: one that stays readable. */
  readonly class: string
  /** Machines that drill bear this tag: each restores one host in each window. */
  readonly tag: InstanceTag
  /**
   * Whose backup is restored.
   * @default - the host whose last drill is the longest ago
   */
  readonly host?: string
  /**
   * How much of each volume is restored, whichever part: `1/7`.
   * @default - everything
   */
  readonly share?: string
  /**
   * Directory with room for what is restored; only root may be able to write to it.
   * @default - what the machine's configuration file says, or `/var/lib/snapstream/drills`
   */
  readonly scratch?: string
  /**
   * Seconds that a drill may take. What could not be restored within three quarters of them is a finding.
   * @default - that of the Drill document
   */
  readonly executionTimeout?: number
}

export interface DrillsOptions {
  /**
   * ARNs of the roles of the machines that drill. Whoever is root on one of them can read the backups of all hosts: give them
   * no other work, and nobody else their role.
   */
  readonly hostRoles: readonly string[]
  readonly schedules: readonly DrillSchedule[]
}

const ROLE_ARN = /^arn:aws[a-z-]*:iam::[0-9]{12}:role\/[\w+=,.@/-]{1,512}$/

/** Of the time that the command has: a drill that is cut off later than that would be on no record. */
const DEADLINE = 3 / 4

/** The parameters of the Drill document that a schedule sets. */
export function drillParameters(schedule: DrillSchedule): Readonly<Record<string, string>> {
  const { host, share, scratch, executionTimeout } = schedule
  return {
    class: schedule.class,
    ...(host !== undefined && { host }),
    ...(share !== undefined && { share }),
    ...(scratch !== undefined && { scratch }),
    ...(executionTimeout !== undefined && {
      executionTimeout: String(executionTimeout),
      deadline: String(Math.floor(executionTimeout * DEADLINE)),
    }),
  }
}

/**
 * Problems, each with the fix.
 *
 * @param backups - names of the schedules of backups
 * @param drill - the Drill document
 */
export function checkDrills(
  { hostRoles, schedules }: DrillsOptions,
  retention: readonly RetentionClass[],
  backups: readonly string[],
  drill: CommandDocument,
): string[] {
  const classes = retention.map(({ name }) => name)
  const names = [...backups, ...schedules.map(({ name }) => name)]
  const repeated = schedules.map(({ name }) => name).filter((name) => names.filter((one) => one === name).length > 1)
  return [
    ...hostRoles
      .filter((arn) => !ROLE_ARN.test(arn))
      .map((arn) => `drills: '${arn}' is no role's ARN: write it like arn:aws:iam::111122223333:role/drills`),
    ...[...new Set(repeated)].map((name) => `drill '${name}': another schedule has that name: give each its own name`),
    ...schedules.flatMap((schedule) =>
      [
        ...checkTiming(schedule),
        ...(SCHEDULE_NAME.test(schedule.name) ? [] : [`the name does not match ${SCHEDULE_NAME.source}: rename it`]),
        ...(classes.includes(schedule.class)
          ? []
          : [`there is no retention class '${schedule.class}': use one of ${classes.join(', ')}`]),
        ...(schedule.tag.key === '' || schedule.tag.value === ''
          ? ['the tag is empty: give it a key and a value']
          : []),
        ...checkPatterns(drillParameters(schedule), drill, 'Drill'),
      ].map((problem) => `drill '${schedule.name}': ${problem}`),
    ),
  ]
}
