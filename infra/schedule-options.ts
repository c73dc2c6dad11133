/**
 * What the backups of a schedule are asked to do: every option of the agent that the Backup document has, written as in the
 * configuration file of a host.
 */
import { COMMANDS, type BackupRequest } from '../agent/options/commands'
import { findContradiction } from '../agent/options/contradictions'
import { OPTION_NAMES, OPTIONS, type OptionName, type Written } from '../agent/options/table'
import type { RetentionClass } from './retention'
import type { Schedule } from './schedule'
import type { CommandDocument } from './ssm-document'
import { compileForAgent } from './ssm-pattern'

/**
 * The deployment says these, and the retention class of the schedule, since the bucket's rules go by it; what only tries backs nothing up; and a URL to ping is a
 * secret, which everybody who may look at commands would read.
 */
const NOT_FOR_SCHEDULES = ['bucket', 'region', 'class', 'storageClass', 'fullEvery', 'dryRun', 'pingUrl'] as const

type BackupOption = (typeof COMMANDS)['backup']['options'][number]
/** By the name of the option. What the Backup document does not have is refused while the template is made. */
export type ScheduleOptions = {
  readonly [K in Exclude<BackupOption, (typeof NOT_FOR_SCHEDULES)[number]>]?: Written<K>
}

/** What a schedule says itself, and no option. */
const OWN_FIELDS: Readonly<Record<Exclude<keyof Schedule, keyof ScheduleOptions>, true>> = {
  name: true,
  kind: true,
  cron: true,
  timezone: true,
  class: true,
  tag: true,
  durationHours: true,
  cutoffHours: true,
  maxConcurrency: true,
  maxErrors: true,
  jitterMinutes: true,
  executionTimeout: true,
}

function optionsOf(schedule: Schedule): readonly (readonly [string, unknown])[] {
  return Object.entries(schedule).filter(([name, value]) => !(name in OWN_FIELDS) && value !== undefined)
}

/** The parameters of the Backup document that a schedule sets. */
export function backupParameters(
  schedule: Schedule,
  retention: readonly RetentionClass[],
): Readonly<Record<string, string>> {
  const { jitterMinutes = 10, executionTimeout } = schedule
  const storageClass = storageClassOf(schedule, retention)
  return {
    class: schedule.class,
    jitterSeconds: String(jitterMinutes * 60),
    ...(storageClass && { storageClass }),
    ...(executionTimeout !== undefined && { executionTimeout: String(executionTimeout) }),
    ...levelOf(schedule, retention),
    ...Object.fromEntries(optionsOf(schedule).map(([name, value]) => [name, formatValue(name, value)])),
  }
}

/** As its class has it: how long a base is there is a matter of the bucket's rules. A schedule may have its runs full all the same. */
function levelOf({ class: className, level }: Schedule, retention: readonly RetentionClass[]) {
  const { fullEveryDays = 0 } = retention.find(({ name }) => name === className) ?? {}
  return fullEveryDays === 0 || level === 'full' ? {} : { level: 'auto', fullEvery: `${fullEveryDays}d` }
}

function checkLevel({ class: className, level = 'full' }: Schedule, retention: readonly RetentionClass[]): string[] {
  const { fullEveryDays = 0 } = retention.find(({ name }) => name === className) ?? {}
  if (level === 'full' || fullEveryDays > 0) return []
  return [
    `level is '${level}', and bases of class '${className}' are not kept for it: set fullEveryDays of the class, for example to 7`,
  ]
}

function storageClassOf(schedule: Schedule, retention: readonly RetentionClass[]) {
  return retention.find(({ name }) => name === schedule.class)?.storageClass
}

function formatValue(name: string, value: unknown): string {
  return Array.isArray(value) ? value.join(OPTIONS[name as OptionName].type.separator) : String(value)
}

/**
 * Problems, each with the fix: what the agent would refuse, or the document would.
 *
 * @param backup - the Backup document
 */
export function checkBackupParameters(
  schedule: Schedule,
  retention: readonly RetentionClass[],
  backup: CommandDocument,
): string[] {
  const settable = OPTION_NAMES.filter(
    (name) => name in backup.parameters && !(NOT_FOR_SCHEDULES as readonly string[]).includes(name),
  )
  const given = optionsOf(schedule)
  const unknown = given.filter(([name]) => !settable.some((each) => each === name))
  if (unknown.length > 0) {
    return unknown.map(
      ([name]) =>
        `it cannot set '${name}': use ${settable.join(', ')}, or add an option of backup to ssm-documents/Backup.yaml`,
    )
  }
  const problems = given.flatMap(([name, value]) => checkValue(name as OptionName, value))
  if (problems.length > 0) return problems
  return [
    ...checkPatterns(backupParameters(schedule, retention), backup, 'Backup'),
    ...checkLevel(schedule, retention),
    ...checkTogether(given, storageClassOf(schedule, retention)),
  ]
}

function checkValue(name: OptionName, value: unknown): string[] {
  const { schema, separator, expected } = OPTIONS[name].type
  const written = typeof value === 'string' ? `'${value}'` : JSON.stringify(value)
  if (!schema.safeParse(value).success) {
    return [`${name} is ${written}: use ${separator ? `a list, each item ${expected}` : expected}`]
  }
  // A parameter is one text, in which an item that holds what parts items would be two.
  const parted = separator && Array.isArray(value) && value.some((item) => String(item).includes(separator))
  return parted ? [`${name} is ${written}: no item can have a '${separator}' in it`] : []
}

/**
 * A document takes less than the agent does: nothing that means something to a shell, for one.
 *
 * @param documentName - for messages
 */
export function checkPatterns(
  parameters: Readonly<Record<string, string>>,
  document: CommandDocument,
  documentName: string,
): string[] {
  return Object.entries(parameters).flatMap(([name, text]) => {
    const pattern = document.parameters[name]?.allowedPattern
    if (pattern !== undefined && compileForAgent(pattern).test(text)) return []
    return [`${name} is '${text}', and the ${documentName} document takes ${pattern ?? 'none'}: use another value`]
  })
}

function checkTogether(given: readonly (readonly [string, unknown])[], storageClass: string | undefined): string[] {
  const defaults = COMMANDS.backup.options.map((name) => [name, OPTIONS[name].default] as const)
  const values = given.map(([name, value]) => [name, OPTIONS[name as OptionName].type.schema.parse(value)] as const)
  // The tables that this is built from are those that the type is made from.
  const request = Object.fromEntries<unknown>([
    ['command', 'backup'],
    ...defaults,
    ...values,
    ['storageClass', storageClass],
  ]) as unknown as BackupRequest
  const contradiction = findContradiction(request)
  return contradiction ? [`${contradiction.what}. ${contradiction.fix}`] : []
}
