/** Restores on trial: who may read what for them, and when they are done. */
import { ArnPrincipal, CompositePrincipal, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { ILogGroup } from 'aws-cdk-lib/aws-logs'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { Prefix } from '../agent/contract'
import { createCommandWindow, createWindowRole } from './command-window'
import { DOCUMENTS_DIRECTORY, type Documents } from './documents'
import { checkDrills, drillParameters, type DrillsOptions } from './drill-schedule'
import { failSynthesis, suppressNag, wildcardIn } from './nag'
import type { Notifications } from './notifications'
import type { RetentionClass } from './retention'
import { distinctTags } from './schedules'
import { readDocument } from './ssm-document'

/** What a drill reads: of nothing else that the bucket holds. */
const RESTORED = [Prefix.manifests, Prefix.catalogs, Prefix.data]

export interface DrillerProps {
  readonly bucket: IBucket
  readonly key: IKey | undefined
  /** ARNs of roles of machines. */
  readonly hostRoles: readonly string[]
}

/**
 * Reads the backups of all hosts, and records what drills came to. It can have nothing brought back from Glacier, and records
 * no verdicts: a machine that drills is a machine that can be taken over.
 *
 * @throws Error where no role may assume it
 */
export class Driller extends Construct {
  readonly role: Role

  constructor(scope: Construct, id: string, { bucket, key, hostRoles }: DrillerProps) {
    super(scope, id)
    // Each role by its name: an account that is trusted as a whole would be all of its machines.
    if (hostRoles.length === 0) failSynthesis(this, ['no role may drill: name those of the machines in hostRoles'])
    this.role = new Role(this, 'Role', {
      description: 'Restores backups of Snapstream on trial, on machines that do nothing else',
      assumedBy: new CompositePrincipal(...hostRoles.map((arn) => new ArnPrincipal(arn))),
    })
    this.role.addToPolicy(
      new PolicyStatement({
        sid: 'FindBackups',
        actions: ['s3:GetBucketLocation', 's3:GetBucketVersioning', 's3:ListBucket'],
        resources: [bucket.bucketArn],
      }),
    )
    this.role.addToPolicy(
      new PolicyStatement({
        sid: 'ReadBackups',
        actions: ['s3:GetObject'],
        resources: RESTORED.map((prefix) => bucket.arnForObjects(`${prefix}/*`)),
      }),
    )
    this.role.addToPolicy(recordDrills(bucket))
    key?.grant(this.role, 'kms:Decrypt', 'kms:GenerateDataKey')
    const findings = [...RESTORED, Prefix.drills].map((prefix) => wildcardIn(bucket, `${prefix}/*`))
    suppressNag(this.role, findings, 'A drill restores whichever host has its turn.')
  }
}

/** What restores on trial came to, where no host can have its own say. */
export function recordDrills(bucket: IBucket): PolicyStatement {
  return new PolicyStatement({
    sid: 'RecordDrills',
    actions: ['s3:PutObject'],
    resources: [bucket.arnForObjects(`${Prefix.drills}/*`)],
  })
}

export interface DrillsProps extends DrillsOptions {
  readonly retention: readonly RetentionClass[]
  /** Names of the schedules of backups. */
  readonly backups: readonly string[]
  readonly documents: Documents
  readonly notifications: Notifications
  readonly logGroup: ILogGroup
}

/** @throws Error where Systems Manager would refuse a schedule, or one asks for a retention class that is not there */
export class Drills extends Construct {
  /** Ids of the maintenance windows, by the name of their schedule. */
  readonly windowIds: Readonly<Record<string, string>>

  constructor(scope: Construct, id: string, props: DrillsProps) {
    super(scope, id)
    const { schedules, retention, backups, documents, notifications, logGroup } = props
    failSynthesis(this, checkDrills(props, retention, backups, readDocument(DOCUMENTS_DIRECTORY, 'Drill')))
    const document = documents.get('Drill')
    const role = createWindowRole(this, {
      ...{ description: 'Lets maintenance windows start drills', document, notifications },
      tags: distinctTags(schedules),
    })
    const windows = schedules.map((schedule) => {
      const { key, value } = schedule.tag
      const windowId = createCommandWindow(this, {
        ...{ schedule, document, role, notifications, logGroup, parameters: drillParameters(schedule) },
        description: `Restores backups of class ${schedule.class} on trial, on hosts tagged ${key}=${value}`,
        rollout: { maxConcurrency: '100%', maxErrors: '100%' },
      })
      return [schedule.name, windowId] as const
    })
    this.windowIds = Object.fromEntries(windows)
  }
}
