/** What it takes to ask an account which hosts it has, and why a backup of one is missing; and the role by which the vault's auditor may. */
import { Stack } from 'aws-cdk-lib'
import { AccountPrincipal, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import { failSynthesis, suppressNag } from './nag'

export interface InventoryAccessProps {
  /** ARN of the role that the auditor's function has: output `AuditorFunctionRole` of the vault's stack. */
  readonly auditor: string
  readonly bucketName: string
}

const ROLE_ARN = /^arn:[a-z-]+:iam::(\d{12}):role\/[\w+=,.@/-]+$/

/** Describing knows no narrower resource, but that all of it is reading. */
export function inventoryStatements(): PolicyStatement[] {
  return [
    new PolicyStatement({ sid: 'WhichHosts', actions: ['ec2:DescribeInstances'], resources: ['*'] }),
    new PolicyStatement({
      sid: 'WhatSystemsManagerKnows',
      actions: [
        'ssm:DescribeInstanceInformation',
        'ssm:DescribeMaintenanceWindowExecutions',
        'ssm:DescribeMaintenanceWindowExecutionTaskInvocations',
        'ssm:DescribeMaintenanceWindowExecutionTasks',
        'ssm:DescribeMaintenanceWindows',
        'ssm:ListCommandInvocations',
      ],
      resources: ['*'],
    }),
  ]
}

/** Of the stack of an account whose hosts back up elsewhere. The vault's auditor finds it by its name. */
export function inventoryRoleName(stackName: string, region: string): string {
  return `${stackName}-inventory-${region}`
}

/**
 * Lets the auditor of another account see which hosts this one has, and nothing of them.
 *
 * @throws Error where the auditor is given by anything but the ARN of a role
 */
export class InventoryAccess extends Construct {
  readonly role: Role

  constructor(scope: Construct, id: string, { auditor, bucketName }: InventoryAccessProps) {
    super(scope, id)
    const account = ROLE_ARN.exec(auditor)?.[1]
    if (account === undefined) {
      failSynthesis(this, [`${auditor} is no ARN of a role: use output AuditorFunctionRole of the vault's stack`])
      throw new RangeError(auditor)
    }
    const { stackName, region } = Stack.of(this)
    this.role = new Role(this, 'Role', {
      roleName: inventoryRoleName(stackName, region),
      description: 'Lets the auditor of the vault see which hosts ought to be backed up',
      // By its account and name: as a principal itself, the role would have to be there before, and be the same for ever.
      assumedBy: new AccountPrincipal(account).withConditions({
        ArnEquals: { 'aws:PrincipalArn': auditor },
        // Whatever else the auditor may be made to do, it does not ask here for another vault's sake.
        StringEquals: { 'sts:ExternalId': bucketName },
      }),
    })
    for (const statement of inventoryStatements()) this.role.addToPolicy(statement)
    suppressNag(this.role, ['AwsSolutions-IAM5[Resource::*]'], 'To describe knows no narrower resource.')
  }
}
