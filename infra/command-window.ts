/** A maintenance window that has hosts run one of the documents, and the role with which Systems Manager does so. */
import { Stack } from 'aws-cdk-lib'
import { PolicyStatement, Role, ServicePrincipal, type IRole } from 'aws-cdk-lib/aws-iam'
import type { ILogGroup } from 'aws-cdk-lib/aws-logs'
import {
  CfnMaintenanceWindow,
  CfnMaintenanceWindowTarget,
  CfnMaintenanceWindowTask,
  type CfnDocument,
} from 'aws-cdk-lib/aws-ssm'
import type { Construct } from 'constructs'
import { suppressNag } from './nag'
import type { Notifications } from './notifications'
import type { InstanceTag, WindowTiming } from './schedule'

/** A host that does not take the command up within this time is down, and would start in the middle of the day. */
const DELIVERY_SECONDS = 3600

export interface CommandWindowProps {
  readonly schedule: WindowTiming & { readonly name: string; readonly tag: InstanceTag }
  readonly description: string
  readonly document: CfnDocument
  /** Of the document. */
  readonly parameters: Readonly<Record<string, string>>
  readonly rollout: { readonly maxConcurrency: string; readonly maxErrors: string }
  readonly role: IRole
  readonly notifications: Notifications
  readonly logGroup: ILogGroup
}

/** @returns its id */
export function createCommandWindow(scope: Construct, props: CommandWindowProps): string {
  const { schedule } = props
  const name = `${Stack.of(scope).stackName}-${schedule.name}`
  const window = new CfnMaintenanceWindow(scope, `Window-${schedule.name}`, {
    name,
    description: props.description,
    schedule: schedule.cron,
    scheduleTimezone: schedule.timezone ?? 'UTC',
    duration: schedule.durationHours ?? 4,
    cutoff: schedule.cutoffHours ?? 1,
    allowUnassociatedTargets: false,
  })
  const target = new CfnMaintenanceWindowTarget(scope, `Target-${schedule.name}`, {
    windowId: window.ref,
    name,
    resourceType: 'INSTANCE',
    targets: [tagTarget(schedule.tag.key, [schedule.tag.value])],
  })
  new CfnMaintenanceWindowTask(scope, `Task-${schedule.name}`, taskOf(props, window, target))
  return window.ref
}

function taskOf(
  { schedule, document, parameters, rollout, role, notifications, logGroup }: CommandWindowProps,
  window: CfnMaintenanceWindow,
  target: CfnMaintenanceWindowTarget,
) {
  return {
    windowId: window.ref,
    taskType: 'RUN_COMMAND',
    taskArn: document.ref,
    priority: 0,
    targets: [{ key: 'WindowTargetIds', values: [target.ref] }],
    ...rollout,
    // The alternative kills what is under way.
    cutoffBehavior: 'CONTINUE_TASK',
    serviceRoleArn: role.roleArn,
    taskInvocationParameters: {
      maintenanceWindowRunCommandParameters: {
        comment: `Snapstream ${schedule.name}`,
        parameters: inLists(parameters),
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
  }
}

/** Systems Manager takes a list of values for each parameter. */
export function inLists(parameters: Readonly<Record<string, string>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(parameters).map(([key, value]) => [key, [value]]))
}

export function tagTarget(key: string, values: string[]) {
  return { key: `tag:${key}`, values }
}

export interface WindowRoleProps {
  readonly description: string
  readonly document: CfnDocument
  /** Of the hosts that the windows reach. */
  readonly tags: readonly InstanceTag[]
  readonly notifications: Notifications
}

/** What Systems Manager itself needs to run the windows: to send this document to these hosts, and to look them up. */
export function createWindowRole(scope: Construct, props: WindowRoleProps): Role {
  const stack = Stack.of(scope)
  const { description, document, tags, notifications } = props
  const role = new Role(scope, 'WindowRole', {
    description,
    assumedBy: new ServicePrincipal('ssm.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
    }),
  })
  const documentArn = stack.formatArn({ service: 'ssm', resource: 'document', resourceName: document.ref })
  role.addToPolicy(new PolicyStatement({ sid: 'Document', actions: ['ssm:SendCommand'], resources: [documentArn] }))
  for (const [index, { key, value }] of tags.entries()) {
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
