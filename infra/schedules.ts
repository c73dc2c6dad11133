/** When which hosts are backed up. */
import { Stack } from 'aws-cdk-lib'
import type { IRole } from 'aws-cdk-lib/aws-iam'
import type { ILogGroup } from 'aws-cdk-lib/aws-logs'
import { CfnAssociation } from 'aws-cdk-lib/aws-ssm'
import { Construct } from 'constructs'
import { createCommandWindow, createWindowRole, inLists, tagTarget } from './command-window'
import { failSynthesis } from './nag'
import { DOCUMENTS_DIRECTORY, type Documents } from './documents'
import type { Notifications } from './notifications'
import type { RetentionClass } from './retention'
import { checkSchedules, type InstanceTag, type Schedule } from './schedule'
import { backupParameters } from './schedule-options'
import { readDocument } from './ssm-document'

export interface SchedulesProps {
  readonly schedules: readonly Schedule[]
  readonly retention: readonly RetentionClass[]
  readonly documents: Documents
  readonly notifications: Notifications
  readonly logGroup: ILogGroup
  /** Of machines that need the agent for other work. */
  readonly moreTags?: readonly InstanceTag[]
}

/** The agent is brought to new hosts at once; this is how soon a damaged installation is repaired. */
const INSTALL_EVERY = 'rate(1 day)'
/** @throws Error where Systems Manager would refuse a schedule, or one asks for a retention class that is not there */
export class Schedules extends Construct {
  /** Ids of the maintenance windows, by the name of their schedule. */
  readonly windowIds: Readonly<Record<string, string>>
  private readonly props: SchedulesProps

  constructor(scope: Construct, id: string, props: SchedulesProps) {
    super(scope, id)
    this.props = props
    const backup = readDocument(DOCUMENTS_DIRECTORY, 'Backup')
    failSynthesis(this, checkSchedules(props.schedules, props.retention, backup))
    const windows = props.schedules.filter(({ kind }) => kind !== 'association')
    const associations = props.schedules.filter(({ kind }) => kind === 'association')

    this.windowIds = windows.length > 0 ? this.createWindows(windows) : {}
    for (const schedule of associations) this.createAssociation(schedule)
    this.createInstallations()
  }

  private createWindows(schedules: readonly Schedule[]): Record<string, string> {
    const { documents, notifications } = this.props
    const role = createWindowRole(this, {
      ...{ description: 'Lets maintenance windows start backups', document: documents.get('Backup'), notifications },
      tags: distinctTags(schedules),
    })
    return Object.fromEntries(schedules.map((schedule) => [schedule.name, this.createWindow(schedule, role)]))
  }

  private createWindow(schedule: Schedule, role: IRole): string {
    const { documents, notifications, logGroup, retention } = this.props
    return createCommandWindow(this, {
      ...{ schedule, role, notifications, logGroup, rollout: rolloutOf(schedule) },
      description: `Backs up hosts tagged ${schedule.tag.key}=${schedule.tag.value}, retention class ${schedule.class}`,
      document: documents.get('Backup'),
      parameters: backupParameters(schedule, retention),
    })
  }

  private createAssociation(schedule: Schedule): void {
    new CfnAssociation(this, `Association-${schedule.name}`, {
      name: this.props.documents.get('Backup').ref,
      associationName: `${Stack.of(this).stackName}-${schedule.name}`,
      targets: [tagTarget(schedule.tag.key, [schedule.tag.value])],
      scheduleExpression: schedule.cron,
      // Otherwise each change of the document would start a backup of the whole fleet at once.
      applyOnlyAtCronInterval: true,
      complianceSeverity: 'HIGH',
      parameters: inLists(backupParameters(schedule, this.props.retention)),
      ...rolloutOf(schedule),
    })
  }

  /** Keeps the agent on every host that a schedule backs up, and on those that drill; a new version reaches them as soon as it is deployed. */
  private createInstallations(): void {
    const valuesByKey = new Map<string, Set<string>>()
    const tags = [...this.props.schedules.map(({ tag }) => tag), ...(this.props.moreTags ?? [])]
    for (const tag of tags) {
      valuesByKey.set(tag.key, (valuesByKey.get(tag.key) ?? new Set()).add(tag.value))
    }
    // Several targets of one association would have to hold together, so each key has one of its own.
    for (const [index, [key, values]] of [...valuesByKey].entries()) {
      new CfnAssociation(this, `Installation-${index}`, {
        name: this.props.documents.get('Install').ref,
        associationName: `${Stack.of(this).stackName}-Install-${index}`,
        targets: [tagTarget(key, [...values])],
        scheduleExpression: INSTALL_EVERY,
        complianceSeverity: 'MEDIUM',
        maxConcurrency: '10%',
        maxErrors: '10%',
      })
    }
  }
}

function rolloutOf({ maxConcurrency, maxErrors }: Schedule) {
  return { maxConcurrency: maxConcurrency ?? '25%', maxErrors: maxErrors ?? '100%' }
}

/** The tags of all hosts that are backed up, each once. */
export function distinctTags(schedules: readonly { readonly tag: InstanceTag }[]): readonly InstanceTag[] {
  const tags = new Map(schedules.map(({ tag }) => [`${tag.key}=${tag.value}`, tag]))
  return [...tags.values()]
}
