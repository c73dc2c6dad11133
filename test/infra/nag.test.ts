/** cdk-nag has nothing to say that is not acknowledged, with a reason, where it belongs. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import type { StageConfig } from '../../infra/config'
import { SnapstreamStack } from '../../infra/stack'
import { DEFAULT_STAGE, newApp, stubFiles } from './synthesize'

function findings(config: StageConfig): string[] {
  const app = newApp()
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
  new SnapstreamStack(app, 'Snapstream', config, stubFiles())
  try {
    app.synth()
    return []
  } catch (error) {
    const report = readFileSync(join(app.outdir, 'validation-report.json'), 'utf8')
    return [...report.matchAll(/"ruleName": ?"([^"]+)"/g)].map(([, rule]) => rule ?? String(error))
  }
}

test('as it is deployed by default', () => {
  expect(findings(DEFAULT_STAGE)).toEqual([])
})

test('with every option', () => {
  const [nightly, monthly] = DEFAULT_STAGE.schedules
  const config: StageConfig = {
    ...DEFAULT_STAGE,
    schedules: [nightly!, { ...monthly!, kind: 'association' }],
    vault: {
      encryption: 'kms',
      objectLock: { mode: 'governance', days: 30 },
      accessLogs: true,
      gatewayEndpoint: { vpcId: 'vpc-0123456789abcdef0', routeTableIds: ['rtb-0123456789abcdef0'] },
    },
    hosts: {
      read: false,
      defaultHostManagement: true,
      attachToRoles: ['web-servers'],
      ebs: { keyArns: ['arn:aws:kms:eu-west-1:111111111111:key/0b6a4a3c-0d3b-4b58-9d0c-6b9a9b1f2c11'] },
    },
    notifications: { emails: ['operators@example.com'], completed: true },
    fleet: { accounts: [{ account: '222222222222', region: 'eu-central-1' }], perHostMetrics: true },
    drills: {
      hostRoles: ['arn:aws:iam::111111111111:role/drills'],
      schedules: [
        {
          name: 'drill',
          cron: 'cron(0 12 ? * WED *)',
          class: 'daily',
          tag: { key: 'Drill', value: 'true' },
          share: '1/7',
        },
      ],
    },
  }
  expect(findings(config)).toEqual([])
})

test('with a second copy, and hosts of other accounts', () => {
  const vault = { hostAccounts: ['222222222222'], replication: { bucketArn: 'arn:aws:s3:::the-copy' } }
  expect(findings({ ...DEFAULT_STAGE, vault })).toEqual([])
})

test('with the vault of another account', () => {
  const auditor = 'arn:aws:iam::222222222222:role/Snapstream-auditor-eu-central-1'
  const vault = { bucketName: 'the-central-vault', region: 'eu-central-1', auditor }
  expect(findings({ ...DEFAULT_STAGE, vault })).toEqual([])
})
