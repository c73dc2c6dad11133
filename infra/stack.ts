import { CfnOutput, RemovalPolicy, Stack, type App } from 'aws-cdk-lib'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { AgentDistribution, type AgentFiles } from './agent-distribution'
import { Auditor } from './auditor'
import type { StageConfig } from './config'
import { DOCUMENT_NAMES, Documents } from './documents'
import { Driller, Drills } from './drills'
import type { DrillsOptions } from './drill-schedule'
import { HostAccess } from './host-access'
import { InventoryAccess } from './inventory-access'
import { Notifications } from './notifications'
import { OperatorRoles } from './operator-roles'
import { CommandPolicies } from './command-policies'
import { distinctTags, Schedules, type SchedulesProps } from './schedules'
import { failSynthesis } from './nag'
import { Prefix } from '../agent/contract'
import { Vault, type CentralVault, type VaultOptions } from './vault'

/** Everything that one account and region needs to back up its hosts. */
export class SnapstreamStack extends Stack {
  constructor(app: App, id: string, config: StageConfig, files: AgentFiles) {
    super(app, id, {
      description: 'Snapstream: consistent, complete, verified backups of Linux hosts',
      terminationProtection: true,
      ...(config.env && { env: config.env }),
    })
    const { retention, schedules } = config
    const { own, key, storage, region } = this.openVault(config)
    const { bucket } = storage
    const logGroup = new LogGroup(this, 'CommandOutput', {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.RETAIN,
    })
    const access = new HostAccess(this, 'HostAccess', { ...config.hosts, storage, key, logGroup })
    const agent = new AgentDistribution(this, 'Agent', { files, ...(own && { bucket }) })
    const drillerRoleArn = config.drills && this.createDriller(config.drills, own)
    const documents = new Documents(this, 'Documents', { bucket, region, agent, drillerRoleArn })
    const notifications = new Notifications(this, 'Notifications', { ...config.notifications, bucket })
    if (own) this.createAuditor(config, files, own, notifications)
    const toRun = { retention, documents, notifications, logGroup }
    const moreTags = (config.drills?.schedules ?? []).map(({ tag }) => tag)
    const { windowIds } = new Schedules(this, 'Schedules', { ...toRun, schedules, moreTags })
    const drillIds = config.drills ? this.createDrills(config, toRun) : {}

    this.letAuditorAsk(config)
    this.output('Bucket', 'Holds the backups', bucket.bucketName)
    if (own) this.createOperatorRoles(config, own)
    this.outputHostAccess(access)
    this.output('Topic', 'Reports failed backups', notifications.topic.topicArn)
    for (const name of DOCUMENT_NAMES) this.output(`${name}Document`, `The document ${name}`, documents.get(name).ref)
    for (const [name, windowId] of Object.entries({ ...windowIds, ...drillIds })) {
      this.output(`Window-${name}`, `The maintenance window ${name}`, windowId)
    }
    this.createCommandPolicies(config, documents, logGroup)
    this.sayHowToBackUpNow(config, documents)
  }

  /** @returns `own` only where the vault is this stack's */
  private openVault({ vault, retention, hosts, notifications }: StageConfig) {
    const hostRead = hosts?.read ?? true
    if (vault && isCentral(vault)) {
      const bucket = Bucket.fromBucketAttributes(this, 'CentralVault', vault)
      const storage = { bucket, classes: retention.map(({ name }) => name), hostRead }
      return { own: undefined, key: undefined, storage, region: vault.region }
    }
    const events = notifications?.completed ?? false
    const own = new Vault(this, 'Vault', { ...vault, retention, hostRead, events })
    return { own, key: own.key, storage: own.storage, region: this.region }
  }

  private createOperatorRoles({ operators }: StageConfig, { bucket, key }: Vault): void {
    const { restorer, auditor } = new OperatorRoles(this, 'OperatorRoles', { ...operators, bucket, key })
    this.output('RestorerRole', 'Assume it to read any backup', restorer.roleArn)
    this.output('AuditorRole', 'Assume it to see which backups there are', auditor.roleArn)
  }

  private createAuditor(
    config: StageConfig,
    files: AgentFiles,
    { bucket, key }: Vault,
    { topic }: Notifications,
  ): void {
    const { retention, schedules, fleet } = config
    const props = { retention, schedules, fleet, bucket, key, topic, define: files.define }
    const { role } = new Auditor(this, 'Auditor', props)
    const report = `aws s3 cp s3://${bucket.bucketName}/${Prefix.reports}/index.html .`
    this.output(
      'AuditorFunctionRole',
      'For stacks of other accounts: the auditor may ask them for their hosts',
      role.roleArn,
    )
    this.output('Report', 'Fetches the page that shows all hosts, which is made anew each hour', report)
  }

  /** @returns ARN of its role @throws Error where the backups are another account's */
  private createDriller({ hostRoles }: DrillsOptions, own: Vault | undefined): string | undefined {
    if (!own) {
      failSynthesis(this, ['drills: the backups are in the vault of another account: drill there'])
      return undefined
    }
    const { role } = new Driller(this, 'Driller', { bucket: own.bucket, key: own.key, hostRoles })
    this.output('DrillerRole', 'Drills assume it', role.roleArn)
    return role.roleArn
  }

  private createDrills({ drills, schedules }: StageConfig, toRun: Omit<SchedulesProps, 'schedules'>) {
    if (!drills) return {}
    const backups = schedules.map(({ name }) => name)
    return new Drills(this, 'Drills', { ...drills, ...toRun, backups }).windowIds
  }

  private letAuditorAsk({ vault }: StageConfig): void {
    if (!vault || !isCentral(vault) || vault.auditor === undefined) return
    const { auditor, bucketName } = vault
    const { role } = new InventoryAccess(this, 'InventoryAccess', { auditor, bucketName })
    this.output('InventoryRole', 'For the stack of the vault: by it the auditor asks for the hosts here', role.roleArn)
  }

  private createCommandPolicies({ schedules, drills }: StageConfig, documents: Documents, logGroup: LogGroup): void {
    const tags = distinctTags(schedules)
    const drillTags = distinctTags(drills?.schedules ?? [])
    const policies = new CommandPolicies(this, 'CommandPolicies', { documents, tags, drillTags, logGroup })
    const { backup, restore, install, drill } = policies
    if (drill) this.output('DrillCommands', 'Lets people send Drill to machines that drill', drill.managedPolicyArn)
    this.output('BackupCommands', 'Lets people send Backup, Verify, Cleanup and Cancel', backup.managedPolicyArn)
    this.output('RestoreCommands', 'Lets people send Restore, which writes as root', restore.managedPolicyArn)
    this.output('InstallCommands', 'Lets people send Install', install.managedPolicyArn)
    this.output('CommandLog', 'Has what commands print: --log-group of snapstream-fleet', logGroup.logGroupName)
  }

  private outputHostAccess({ policy, profile, ebsPolicy, defaultHostManagementPolicy }: HostAccess): void {
    this.output('HostPolicy', 'Attach it to the roles of hosts', policy.managedPolicyArn)
    this.output('InstanceProfile', 'For hosts that have none', profile.instanceProfileName)
    if (ebsPolicy) {
      const description = 'Attach it to the roles of hosts that are backed up through EBS'
      this.output('HostEbsPolicy', description, ebsPolicy.managedPolicyArn)
    }
    if (defaultHostManagementPolicy) {
      const { managedPolicyArn } = defaultHostManagementPolicy
      this.output('DefaultHostManagementPolicy', 'Attach it to the role of Default Host Management', managedPolicyArn)
    }
  }

  private sayHowToBackUpNow({ schedules }: StageConfig, documents: Documents): void {
    const [first] = schedules
    if (!first) return
    const document = documents.get('Backup').ref
    const targets = `'Key=tag:${first.tag.key},Values=${first.tag.value}'`
    const command = `aws ssm send-command --region ${this.region} --document-name ${document} --targets ${targets}`
    this.output('BackupNow', 'Backs up the hosts now', command)
  }

  private output(name: string, description: string, value: string): void {
    new CfnOutput(this, name.replace(/[^A-Za-z0-9]/g, ''), { description, value })
  }
}

function isCentral(vault: VaultOptions | CentralVault): vault is CentralVault {
  return 'bucketName' in vault
}
