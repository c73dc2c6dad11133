/** The function as it is deployed. */
import { Match } from 'aws-cdk-lib/assertions'
import { REGION, resolve, resourceOf, resourcesOf, synthesize } from './synthesize'

const usual = synthesize()
const isAuditor = ([id]: [string, unknown]) => id.startsWith('AuditorFunction')
const functionOf = (template: typeof usual) =>
  Object.entries(resourcesOf(template, 'AWS::Lambda::Function')).find(isAuditor)![1].Properties

test('two of it never run at once, and it has all the time that Lambda gives', () => {
  expect(functionOf(usual)).toMatchObject({ ReservedConcurrentExecutions: 1, Timeout: 900, Runtime: 'nodejs24.x' })
})

test('in an account that has no slot to spare, it does without', () => {
  expect(functionOf(synthesize({ fleet: { reserveConcurrency: false } }))).not.toHaveProperty(
    'ReservedConcurrentExecutions',
  )
})

test('it runs each hour, and tells how the fleet is once a week', () => {
  const schedules = Object.entries(resourcesOf(usual, 'AWS::Events::Rule'))
    .filter(([id]) => id.startsWith('Auditor'))
    .map(([, { Properties }]): [string, object] => [
      Properties.ScheduleExpression as string,
      JSON.parse((Properties.Targets as unknown as { Input: string }[])[0]!.Input) as object,
    ])
  expect(Object.fromEntries(schedules)).toEqual({
    'cron(7 * * * ? *)': {},
    'cron(37 6 ? * MON *)': { digest: true },
  })
  usual.hasResourceProperties('AWS::Lambda::Permission', {
    Principal: 'events.amazonaws.com',
    SourceArn: Match.anyValue(),
  })
})

test('what it is told of the deployment, it finds in its environment', () => {
  const { Variables } = resolve(functionOf(synthesize({ fleet: { perHostMetrics: true } })).Environment!) as {
    Variables: Record<string, string>
  }
  expect(Variables).toMatchObject({
    SNAPSTREAM_BUCKET: 'snapstream-vault-1a2b3c',
    SNAPSTREAM_STACK: 'Snapstream',
    SNAPSTREAM_PER_HOST_METRICS: 'yes',
  })
})

test('other accounts know its role by its name', () => {
  const { RoleName } = resourceOf(usual, 'AWS::IAM::Role', 'AuditorRole').Properties
  expect(resolve(RoleName!)).toBe(`Snapstream-auditor-${REGION}`)
})

test("it uses the vault's key, where the vault has one", () => {
  const template = synthesize({ vault: { encryption: 'kms' } })
  const policy = JSON.stringify(resourceOf(template, 'AWS::IAM::Policy', 'AuditorRole').Properties.PolicyDocument)
  expect(policy).toMatch(/kms:Decrypt/)
  expect(policy).toMatch(/kms:GenerateDataKey/)
  expect(policy).not.toMatch(/kms:Encrypt|kms:ReEncrypt/)
})
