import { CfnOutput, RemovalPolicy, Stack, type App } from 'aws-cdk-lib'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { AgentDistribution, type AgentFiles } from './agent-distribution'
import type { StageConfig } from './config'
import { DOCUMENT_NAMES, Documents } from './documents'
import { HostAccess } from './host-access'
import { Notifications } from './notifications'
import { OperatorRoles } from './operator-roles'
import { Schedules } from './schedules'
import { Vault } from './vault'

/** Everything that one account and region needs to back up its hosts. */
export class SnapstreamStack extends Stack {
  constructor(app: App, id: string, config: StageConfig, files: AgentFiles) {
    super(app, id, {
      description: 'Snapstream: consistent, complete, verified backups of hosts on LVM',
      terminationProtection: true,
      ...(config.env && { env: config.env }),
    })
    const { retention } = config
    const vault = new Vault(this, 'Vault', {
      ...config.vault,
      retention,
      hostRead: config.hosts?.read ?? true,
      events: config.notifications?.completed ?? false,
    })
    const { bucket, key, places } = vault
    const logGroup = new LogGroup(this, 'CommandOutput', {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.RETAIN,
    })
    const access = new HostAccess(this, 'HostAccess', { ...config.hosts, places, key, logGroup })
    const roles = new OperatorRoles(this, 'OperatorRoles', { ...config.operators, bucket, key })
    const agent = new AgentDistribution(this, 'Agent', { bucket, files })
    const documents = new Documents(this, 'Documents', { bucket, region: this.region, agent })
    const notifications = new Notifications(this, 'Notifications', { ...config.notifications, bucket })
    const { schedules } = config
    const { windowIds } = new Schedules(this, 'Schedules', { schedules, retention, documents, notifications, logGroup })

    this.say('Bucket', 'Holds the backups', bucket.bucketName)
    this.say('HostPolicy', 'Attach it to the roles of hosts', access.policy.managedPolicyArn)
    this.say('InstanceProfile', 'For hosts that have none', access.profile.instanceProfileName)
    if (access.defaultHostManagementPolicy) {
      const { managedPolicyArn } = access.defaultHostManagementPolicy
      this.say('DefaultHostManagementPolicy', 'Attach it to the role of Default Host Management', managedPolicyArn)
    }
    this.say('RestorerRole', 'Assume it to read any backup', roles.restorer.roleArn)
    this.say('AuditorRole', 'Assume it to see which backups there are', roles.auditor.roleArn)
    this.say('Topic', 'Tells of backups that failed', notifications.topic.topicArn)
    for (const name of DOCUMENT_NAMES) this.say(`${name}Document`, `The document ${name}`, documents.get(name).ref)
    for (const [name, windowId] of Object.entries(windowIds)) {
      this.say(`Window-${name}`, `The maintenance window ${name}`, windowId)
    }
    const tag = schedules[0]?.tag
    if (tag) {
      const backup = documents.get('Backup').ref
      const targets = `'Key=tag:${tag.key},Values=${tag.value}'`
      const command = `aws ssm send-command --region ${this.region} --document-name ${backup} --targets ${targets}`
      this.say('BackupNow', 'Backs up the hosts now', command)
    }
  }

  private say(name: string, description: string, value: string): void {
    new CfnOutput(this, name.replace(/[^A-Za-z0-9]/g, ''), { description, value })
  }
}
