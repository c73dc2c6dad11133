/**
 * Bootstraps an account and deploys the app to it as an operator would, twice, with moto in the place of AWS; then asks
 * it what is there. Moto knows neither maintenance windows nor bucket policies, alarms, topic policies or what becomes of failed
 * invocations, so this shows that the deployment goes through, and test/infra what is in it: alarms in alarms.test.ts, and all of it
 * against the schemas of CloudFormation in cfn-lint.system.test.ts.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { CloudWatchClient, GetDashboardCommand, ListDashboardsCommand } from '@aws-sdk/client-cloudwatch'
import { EventBridgeClient, ListRulesCommand } from '@aws-sdk/client-eventbridge'
import { GetDocumentCommand, SSMClient } from '@aws-sdk/client-ssm'
import { DOCUMENT_NAMES } from '../../infra/documents'
import { startMoto } from '../servers/index'

const ROOT = resolve(__dirname, '../..')
/** The account of moto's credentials. */
const ACCOUNT = '123456789012'
const COMMAND_SECONDS = 300
const LOG_CHARACTERS = 4000

async function main(): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'snapstream-deploy-'))
  const moto = await startMoto()
  const cdk = (...args: string[]) => {
    console.log(`cdk ${args.join(' ')}`)
    const { status } = spawnSync('npx', ['cdk', ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: COMMAND_SECONDS * 1000,
      env: {
        PATH: process.env.PATH,
        HOME: home,
        CDK_HOME: home,
        CDK_DISABLE_CLI_TELEMETRY: 'true',
        AWS_ENDPOINT_URL: moto.endpoint,
        AWS_ACCESS_KEY_ID: moto.accessKeyId,
        AWS_SECRET_ACCESS_KEY: moto.secretAccessKey,
        AWS_REGION: moto.region,
      },
    })
    if (status !== 0) throw new Error(`cdk ${args.join(' ')} ended with status ${status ?? 'none'}`)
  }
  try {
    const assembly = join(home, 'cdk.out')
    cdk('synth', '--quiet', '--output', assembly)
    withoutTerminationProtection(join(assembly, 'manifest.json'))
    withoutFunctionCalls(join(assembly, 'Snapstream.template.json'))
    withoutAlarmArns(join(assembly, 'Snapstream.template.json'))
    cdk('bootstrap', `aws://${ACCOUNT}/${moto.region}`)
    const deploy = () => cdk('deploy', '--app', assembly, '--require-approval', 'never')
    deploy()
    deploy() // over what is there
    const client = { endpoint: moto.endpoint, region: moto.region, credentials: moto }
    await expectDocuments(new SSMClient(client))
    await expectDashboard(new CloudWatchClient(client))
    await expectSchedule(new EventBridgeClient(client))
    console.log('1 passed, 0 failed')
  } catch (error) {
    console.error(readFileSync(join(moto.directory, 'moto.log'), 'utf8').slice(-LOG_CHARACTERS))
    throw error
  } finally {
    await moto.stop()
    rmSync(home, { recursive: true, force: true })
  }
}

/** Moto does not know the call that protects a stack. */
function withoutTerminationProtection(file: string): void {
  const manifest = readFileSync(file, 'utf8')
  const changed = manifest.replace(/"terminationProtection": ?true,?/, '')
  if (changed === manifest) throw new Error('the stack is not protected from being deleted')
  writeFileSync(file, changed)
}

/** Moto has no Lambda to call: it notes the failure in a log group, which it may have made before the stack does. */
function withoutFunctionCalls(file: string): void {
  const template = JSON.parse(readFileSync(file, 'utf8')) as { Resources: Record<string, { Type: string }> }
  const kept = Object.entries(template.Resources).filter(([, { Type }]) => Type !== 'Custom::CDKBucketDeployment')
  writeFileSync(file, JSON.stringify({ ...template, Resources: Object.fromEntries(kept) }))
}

/** Moto makes no alarms, and so knows no ARN of one, for which the dashboard asks. */
function withoutAlarmArns(file: string): void {
  const template = readFileSync(file, 'utf8')
  const changed = template.replaceAll(/\{\s*"Fn::GetAtt":\s*\[\s*"AuditorAlarms\w+",\s*"Arn"\s*\]\s*\}/g, '"an-alarm"')
  if (changed === template) throw new Error('the dashboard shows no alarms')
  writeFileSync(file, changed)
}

async function expectDashboard(cloudwatch: CloudWatchClient): Promise<void> {
  const { DashboardEntries = [] } = await cloudwatch.send(new ListDashboardsCommand({}))
  const [name] = DashboardEntries.map(({ DashboardName }) => DashboardName)
  const { DashboardBody = '' } = await cloudwatch.send(new GetDashboardCommand({ DashboardName: name }))
  if (!DashboardBody.includes('HostsOverdue')) throw new Error(`dashboard ${name ?? ''} does not show the fleet`)
}

async function expectSchedule(events: EventBridgeClient): Promise<void> {
  const { Rules = [] } = await events.send(new ListRulesCommand({}))
  const schedules = Rules.flatMap(({ ScheduleExpression }) => ScheduleExpression ?? []).sort()
  if (schedules.join() !== 'cron(37 6 ? * MON *),cron(7 * * * ? *)') {
    throw new Error(`the auditor runs ${schedules.join(' and ')}`)
  }
}

async function expectDocuments(ssm: SSMClient): Promise<void> {
  for (const name of DOCUMENT_NAMES) {
    const { Content = '' } = await ssm.send(new GetDocumentCommand({ Name: `Snapstream-${name}` }))
    // Moto gives the content back as Python writes it.
    if (!Content.includes('aws:runShellScript'))
      throw new Error(`document Snapstream-${name} was deployed without steps`)
  }
}

main().catch((error: unknown) => {
  console.error(error)
  console.log('0 passed, 1 failed')
  process.exitCode = 1
})
