/** Who may have hosts do what: policies for people and programs, one for each kind of command. */
import { Stack } from 'aws-cdk-lib'
import { ManagedPolicy, PolicyStatement, type IManagedPolicy } from 'aws-cdk-lib/aws-iam'
import type { ILogGroup } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { suppressNag } from './nag'
import type { DocumentName, Documents } from './documents'
import type { InstanceTag } from './schedule'

export interface CommandPoliciesProps {
  readonly documents: Documents
  /** Of the hosts that are backed up: commands reach no others. */
  readonly tags: readonly InstanceTag[]
  /** Of the machines that drill. */
  readonly drillTags?: readonly InstanceTag[]
  /** Has what commands print, while they run. */
  readonly logGroup: ILogGroup
}

/**
 * A command runs as root. Whoever may send any document, `AWS-RunShellScript` for one, is root on every host; with one of these
 * policies, an operator can have a host do what its documents say and nothing else. Restore writes files anywhere on a host, and
 * Install can bring back an earlier version of the agent, so neither comes with the right to back up.
 */
export class CommandPolicies extends Construct {
  /** Backup, Verify, Cleanup, Cancel. */
  readonly backup: IManagedPolicy
  readonly restore: IManagedPolicy
  readonly install: IManagedPolicy
  /** Drill, where any machine is to drill. */
  readonly drill: IManagedPolicy | undefined

  constructor(scope: Construct, id: string, props: CommandPoliciesProps) {
    super(scope, id)
    const { drillTags = [] } = props
    const create = (name: string, description: string, names: readonly DocumentName[], tags = props.tags) =>
      new ManagedPolicy(this, name, { description, statements: this.statements({ ...props, tags }, names) })
    this.backup = create('Backup', 'Backs hosts up, verifies and cleans up', ['Backup', 'Verify', 'Cleanup', 'Cancel'])
    this.restore = create('Restore', 'Restores backups on hosts, as root', ['Restore', 'Cancel'])
    this.install = create('Install', 'Installs a version of the agent on hosts', ['Install'])
    this.drill =
      drillTags.length === 0
        ? undefined
        : create('Drill', 'Restores backups on trial, on machines for that', ['Drill', 'Cleanup', 'Cancel'], drillTags)
    suppressNag(
      this,
      ['AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:instance/*]'],
      'Hosts come and go: their tag decides.',
    )
    suppressNag(this, ['AwsSolutions-IAM5[Resource::*]'], 'What follows a command knows no narrower resource.')
  }

  private statements(props: CommandPoliciesProps, names: readonly DocumentName[]): PolicyStatement[] {
    const { documents, tags, logGroup } = props
    const stack = Stack.of(this)
    const arnOf = (name: DocumentName) =>
      stack.formatArn({ service: 'ssm', resource: 'document', resourceName: documents.get(name).ref })
    return [
      new PolicyStatement({ sid: 'Documents', actions: ['ssm:SendCommand'], resources: names.map(arnOf) }),
      ...tags.map(
        ({ key, value }, index) =>
          new PolicyStatement({
            sid: `Hosts${index}`,
            actions: ['ssm:SendCommand'],
            resources: [stack.formatArn({ service: 'ec2', resource: 'instance', resourceName: '*' })],
            conditions: { StringEquals: { [`ssm:resourceTag/${key}`]: value } },
          }),
      ),
      new PolicyStatement({
        sid: 'FollowCommands',
        actions: ['ssm:GetCommandInvocation', 'ssm:ListCommandInvocations', 'ssm:ListCommands'],
        resources: ['*'],
      }),
      new PolicyStatement({
        sid: 'ReadOutput',
        actions: ['logs:FilterLogEvents'],
        resources: [logGroup.logGroupArn],
      }),
    ]
  }
}
