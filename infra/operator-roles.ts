/** Roles for people and programs that restore backups, or look after them: hosts have neither. */
import { Duration } from 'aws-cdk-lib'
import {
  AccountRootPrincipal,
  ArnPrincipal,
  CompositePrincipal,
  PolicyStatement,
  Role,
  type PrincipalBase,
} from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { Prefix } from '../agent/contract'
import { AUDITED, lookStatements } from './auditor-permissions'
import { recordDrills } from './drills'
import { HostKey } from './host-permissions'
import { inventoryStatements } from './inventory-access'
import { suppressNag, wildcardIn } from './nag'

export interface OperatorRolesOptions {
  /**
   * ARNs of who may assume the roles.
   * @default - everybody in this account whom a policy of their own allows to
   */
  readonly operators?: readonly string[]
  /**
   * Let instances assume the roles too, such as one from which hosts are rescued: whoever is on it can then read the backups
   * of all hosts.
   * @default false
   */
  readonly instancesMayAssume?: boolean
}

export interface OperatorRolesProps extends OperatorRolesOptions {
  readonly bucket: IBucket
  readonly key: IKey | undefined
}

/** Big restores are long: the longest session that IAM allows. */
const SESSION = Duration.hours(12)

export class OperatorRoles extends Construct {
  /** Reads every backup of the fleet, and has archived ones brought back. */
  readonly restorer: Role
  /** Sees which backups there are and what became of them; reads no data. */
  readonly auditor: Role

  constructor(scope: Construct, id: string, props: OperatorRolesProps) {
    super(scope, id)
    const { bucket, key } = props
    const assumedBy = assumersOf(props)

    this.restorer = new Role(this, 'Restorer', {
      description: 'Reads the backups of Snapstream, and restores them from Glacier',
      assumedBy,
      maxSessionDuration: SESSION,
    })
    for (const statement of restorerStatements(bucket)) this.restorer.addToPolicy(statement)
    key?.grant(this.restorer, 'kms:Decrypt', 'kms:GenerateDataKey')

    this.auditor = new Role(this, 'Auditor', {
      description: 'Sees which backups Snapstream made, and not what is in them',
      assumedBy,
    })
    for (const statement of [...lookStatements(bucket), ...inventoryStatements()]) this.auditor.addToPolicy(statement)
    key?.grantDecrypt(this.auditor)

    const restorable = [
      wildcardIn(bucket, '*'),
      ...[Prefix.verdicts, Prefix.drills].map((prefix) => wildcardIn(bucket, `${prefix}/*`)),
    ]
    suppressNag(this.restorer, restorable, 'A restorer reads the backups of all hosts, and records what it found.')
    const audited = AUDITED.map((prefix) => wildcardIn(bucket, `${prefix}/*`))
    suppressNag(this.auditor, audited, 'An auditor reads the manifests of all hosts.')
    suppressNag(this.auditor, ['AwsSolutions-IAM5[Resource::*]'], 'To describe knows no narrower resource.')
  }
}

/** A session that an instance's credentials opened bears the instance's ARN, whatever role it is of. */
const NOT_AN_INSTANCE = { Null: Object.fromEntries(Object.values(HostKey).map((key) => [key, 'true'])) }

function assumersOf({ operators = [], instancesMayAssume = false }: OperatorRolesOptions): PrincipalBase {
  const conditions = instancesMayAssume ? {} : NOT_AN_INSTANCE
  const principals =
    operators.length === 0 ? [new AccountRootPrincipal()] : operators.map((arn) => new ArnPrincipal(arn))
  return new CompositePrincipal(...principals.map((principal) => principal.withConditions(conditions)))
}

function restorerStatements(bucket: IBucket): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'FindBackups',
      actions: [
        's3:GetBucketLocation',
        's3:GetBucketVersioning',
        's3:ListBucket',
        's3:ListBucketVersions',
        's3:ListBucketMultipartUploads',
      ],
      resources: [bucket.bucketArn],
    }),
    new PolicyStatement({
      sid: 'ReadBackups',
      actions: ['s3:GetObject', 's3:GetObjectVersion', 's3:RestoreObject'],
      resources: [bucket.arnForObjects('*')],
    }),
    // What a verification found, where no host can have its own say.
    new PolicyStatement({
      sid: 'RecordVerdicts',
      actions: ['s3:PutObject'],
      resources: [bucket.arnForObjects(`${Prefix.verdicts}/*`)],
    }),
    recordDrills(bucket),
  ]
}
