import { Match } from 'aws-cdk-lib/assertions'
import { distinctTags } from '../../infra/schedules'
import { DEFAULT_STAGE, documentOf, resolve, resourceOf, resourcesOf, synthesize, type Json } from './synthesize'

const usual = synthesize()

test('a window backs up the tagged hosts, in the class and storage class that its schedule says', () => {
  usual.hasResourceProperties('AWS::SSM::MaintenanceWindow', {
    Name: 'Snapstream-monthly',
    Schedule: 'cron(0 7 1 * ? *)',
    ScheduleTimezone: 'UTC',
  })
  usual.hasResourceProperties('AWS::SSM::MaintenanceWindowTarget', {
    Targets: [{ Key: 'tag:Backup', Values: ['true'] }],
  })
  usual.hasResourceProperties('AWS::SSM::MaintenanceWindowTask', {
    CutoffBehavior: 'CONTINUE_TASK',
    MaxErrors: '100%',
    TaskInvocationParameters: {
      MaintenanceWindowRunCommandParameters: Match.objectLike({
        Parameters: { class: ['monthly'], storageClass: ['GLACIER_IR'], jitterSeconds: ['600'] },
      }),
    },
  })
})

test('the parameters of every task are parameters of the document, and match', () => {
  const { parameters } = documentOf(usual, 'Backup') as { parameters: Record<string, { allowedPattern: string }> }
  for (const { Properties } of Object.values(resourcesOf(usual, 'AWS::SSM::MaintenanceWindowTask'))) {
    const invocation = Properties.TaskInvocationParameters as unknown as {
      MaintenanceWindowRunCommandParameters: { Parameters: Record<string, string[]> }
    }
    for (const [name, [value]] of Object.entries(invocation.MaintenanceWindowRunCommandParameters.Parameters)) {
      expect(value).toMatch(new RegExp(parameters[name]!.allowedPattern))
    }
  }
})

test('an association asks for what its schedule says, and does not start at once when it is changed', () => {
  const verified = { verify: 'source', sample: '1/7' } as const
  const schedules = [{ ...DEFAULT_STAGE.schedules[0]!, kind: 'association' as const, ...verified }]
  const template = synthesize({ schedules })
  template.resourceCountIs('AWS::SSM::MaintenanceWindow', 0)
  template.hasResourceProperties('AWS::SSM::Association', {
    AssociationName: 'Snapstream-nightly',
    ApplyOnlyAtCronInterval: true,
    Parameters: { class: ['daily'], jitterSeconds: ['600'], verify: ['source'], sample: ['1/7'] },
  })
})

test('every host that is backed up has the agent: one association for each tag', () => {
  const [nightly] = DEFAULT_STAGE.schedules
  const schedules = [
    nightly!,
    { ...nightly!, name: 'weekly', tag: { key: 'Backup', value: 'weekly' } },
    { ...nightly!, name: 'databases', tag: { key: 'Role', value: 'database' } },
  ]
  const targets = Object.values(resourcesOf(synthesize({ schedules }), 'AWS::SSM::Association')).map(
    ({ Properties }) => Properties.Targets,
  )
  expect(targets).toEqual([
    [{ Key: 'tag:Backup', Values: ['true', 'weekly'] }],
    [{ Key: 'tag:Role', Values: ['database'] }],
  ])
})

test('windows may send the one document to the tagged hosts, and nothing to others', () => {
  const policy = resolve(resourceOf(usual, 'AWS::IAM::Policy', 'SchedulesWindowRole').Properties.PolicyDocument!)
  const sending = (policy as { Statement: readonly Record<string, Json>[] }).Statement.filter(
    ({ Action }) => Action === 'ssm:SendCommand',
  )
  expect(sending.map(({ Resource, Condition }) => [Resource, Condition])).toEqual([
    [expect.stringContaining(':document/'), undefined],
    [expect.stringContaining(':instance/*'), { StringEquals: { 'ssm:resourceTag/Backup': 'true' } }],
  ])
})

test('a schedule that cannot be is refused, naming the construct', () => {
  const schedules = [{ ...DEFAULT_STAGE.schedules[0]!, class: 'hourly' }]
  expect(() => synthesize({ schedules })).toThrow("Snapstream/Schedules: schedule 'nightly'")
})

test('a tag of several schedules is one tag', () => {
  const [nightly] = DEFAULT_STAGE.schedules
  const tagged = (key: string, value: string) => ({ ...nightly!, tag: { key, value } })
  const schedules = [tagged('Backup', 'true'), tagged('Backup', 'weekly'), tagged('Backup', 'true')]
  expect(distinctTags(schedules)).toEqual([
    { key: 'Backup', value: 'true' },
    { key: 'Backup', value: 'weekly' },
  ])
})
