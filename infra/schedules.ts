/** When which hosts are backed up. */
import { Stack } from 'aws-cdk-lib'
import { PolicyStatement, Role, ServicePrincipal, type IRole } from 'aws-cdk-lib/aws-iam'
import type { ILogGroup } from 'aws-cdk-lib/aws-logs'
import {
  CfnAssociation,
  CfnMaintenanceWindow,
  CfnMaintenanceWindowTarget,
  CfnMaintenanceWindowTask,
} from 'aws-cdk-lib/aws-ssm'
import { Construct } from 'constructs'
import { suppressNag, failSynthesis } from './nag'
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
}

/** A host that does not take the command up within this time is down, and would start in the middle of the day. */
const DELIVERY_SECONDS = 3600
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
    const role = this.createWindowRole(schedules)
    return Object.fromEntries(schedules.map((schedule) => [schedule.name, this.createWindow(schedule, role)]))
  }

  private createWindow(schedule: Schedule, role: IRole): string {
    const name = `${Stack.of(this).stackName}-${schedule.name}`
    const window = new CfnMaintenanceWindow(this, `Window-${schedule.name}`, {
      name,
      description: `Backs up hosts tagged ${schedule.tag.key}=${schedule.tag.value}, retention class ${schedule.class}`,
      schedule: schedule.cron,
      scheduleTimezone: schedule.timezone ?? 'UTC',
      duration: schedule.durationHours ?? 4,
      cutoff: schedule.cutoffHours ?? 1,
      allowUnassociatedTargets: false,
    })
    const target = new CfnMaintenanceWindowTarget(this, `Target-${schedule.name}`, {
      windowId: window.ref,
      name,
      resourceType: 'INSTANCE',
      targets: [tagTarget(schedule.tag.key, [schedule.tag.value])],
    })
    this.createTask(schedule, window, target, role)
    return window.ref
  }

  private createTask(
    schedule: Schedule,
    window: CfnMaintenanceWindow,
    target: CfnMaintenanceWindowTarget,
    role: IRole,
  ): void {
    const { documents, notifications, logGroup } = this.props
    new CfnMaintenanceWindowTask(this, `Task-${schedule.name}`, {
      windowId: window.ref,
      taskType: 'RUN_COMMAND',
      taskArn: documents.get('Backup').ref,
      priority: 0,
      targets: [{ key: 'WindowTargetIds', values: [target.ref] }],
      ...rolloutOf(schedule),
      // The alternative kills backups that are under way.
      cutoffBehavior: 'CONTINUE_TASK',
      serviceRoleArn: role.roleArn,
      taskInvocationParameters: {
        maintenanceWindowRunCommandParameters: {
          comment: `Snapstream ${schedule.name}`,
          parameters: this.parametersOf(schedule),
          timeoutSeconds: DELIVERY_SECONDS,
          serviceRoleArn: notifications.publisher.roleArn,
          notificationConfig: {
            notificationArn: notifications.topic.topicArn,
            notificationType: 'Invocation',
            notificationEvents: ['Failed', 'TimedOut', 'Cancelled'],
          },
          cloudWatchOutputConfig: { cloudWatchOutputEnabled: true, cloudWatchLogGroupName: logGroup.logGroupName },
        },
      },
    })
  }

  /** Systems Manager takes a list of values for each parameter. */
  private parametersOf(schedule: Schedule): Record<string, string[]> {
    const parameters = Object.entries(backupParameters(schedule, this.props.retention))
    return Object.fromEntries(parameters.map(([key, value]) => [key, [value]]))
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
      parameters: this.parametersOf(schedule),
      ...rolloutOf(schedule),
    })
  }

  /** Keeps the agent on every host that a schedule backs up; a new version reaches them as soon as it is deployed. */
  private createInstallations(): void {
    const valuesByKey = new Map<string, Set<string>>()
    for (const { tag } of this.props.schedules) {
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

  /** What Systems Manager itself needs to run the windows: to send this document to these hosts, and to look them up. */
  private createWindowRole(schedules: readonly Schedule[]): Role {
    const stack = Stack.of(this)
    const { documents, notifications } = this.props
    const role = new Role(this, 'WindowRole', {
      description: 'Lets maintenance windows start backups',
      assumedBy: new ServicePrincipal('ssm.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
      }),
    })
    const document = stack.formatArn({
      service: 'ssm',
      resource: 'document',
      resourceName: documents.get('Backup').ref,
    })
    role.addToPolicy(new PolicyStatement({ sid: 'Document', actions: ['ssm:SendCommand'], resources: [document] }))
    for (const [index, { key, value }] of distinctTags(schedules).entries()) {
      role.addToPolicy(
        new PolicyStatement({
          sid: `Hosts${index}`,
          actions: ['ssm:SendCommand'],
          resources: [stack.formatArn({ service: 'ec2', resource: 'instance', resourceName: '*' })],
          conditions: { StringEquals: { [`ssm:resourceTag/${key}`]: value } },
        }),
      )
    }
    role.addToPolicy(
      new PolicyStatement({
        sid: 'FollowCommands',
        actions: [
          'ssm:CancelCommand',
          'ssm:GetCommandInvocation',
          'ssm:ListCommandInvocations',
          'ssm:ListCommands',
          'ssm:DescribeInstanceInformation',
          'ssm:ListTagsForResource',
          'tag:GetResources',
        ],
        resources: ['*'],
      }),
    )
    role.addToPolicy(
      new PolicyStatement({
        sid: 'LetRunCommandPublish',
        actions: ['iam:PassRole'],
        resources: [notifications.publisher.roleArn],
        conditions: { StringEquals: { 'iam:PassedToService': 'ssm.amazonaws.com' } },
      }),
    )
    suppressNag(
      role,
      ['AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:instance/*]'],
      'Hosts come and go: their tag decides.',
    )
    suppressNag(role, ['AwsSolutions-IAM5[Resource::*]'], 'What follows a command knows no narrower resource.')
    return role
  }
}

function rolloutOf({ maxConcurrency, maxErrors }: Schedule) {
  return { maxConcurrency: maxConcurrency ?? '25%', maxErrors: maxErrors ?? '100%' }
}

function tagTarget(key: string, values: string[]) {
  return { key: `tag:${key}`, values }
}

/** The tags of all hosts that are backed up, each once. */
export function distinctTags(schedules: readonly Schedule[]): readonly InstanceTag[] {
  const tags = new Map(schedules.map(({ tag }) => [`${tag.key}=${tag.value}`, tag]))
  return [...tags.values()]
}
