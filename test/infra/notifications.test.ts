import { runSimulation } from '@cloud-copilot/iam-simulate'
import { Match } from 'aws-cdk-lib/assertions'
import { OTHER_ACCOUNT, policyOf, type Policy } from './simulate'
import { ACCOUNT, REGION, synthesize } from './synthesize'

test('notifications reach the addresses of the configuration', () => {
  const template = synthesize({ notifications: { emails: ['operators@example.com'] } })
  template.hasResourceProperties('AWS::SNS::Subscription', { Endpoint: 'operators@example.com', Protocol: 'email' })
})

test('completed backups are told of by an event of the bucket, without a function for it', () => {
  const template = synthesize({ notifications: { completed: true } })
  template.hasResourceProperties('AWS::S3::Bucket', {
    NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
  })
  template.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: Match.objectLike({ source: ['aws.s3'], 'detail-type': ['Object Created'] }),
  })
  // One function is CDK's, which brings the agent, the other the auditor.
  template.resourceCountIs('AWS::Lambda::Function', 2)
})

test('the topic takes events of this account only', async () => {
  const topic = policyOf(synthesize(), 'AWS::SNS::TopicPolicy', 'Notifications')
  const resource = `arn:aws:sns:${REGION}:${ACCOUNT}:the-topic`
  const here = JSON.parse(JSON.stringify(topic).replace(/"Notifications\w+"/g, JSON.stringify(resource))) as Policy
  const publish = async (account: string) => {
    const result = await runSimulation(
      {
        request: {
          principal: 'events.amazonaws.com',
          action: 'sns:Publish',
          resource: { resource, accountId: ACCOUNT },
          contextVariables: { 'aws:SourceAccount': account, 'aws:SecureTransport': 'true' },
        },
        identityPolicies: [],
        resourcePolicy: here,
        serviceControlPolicies: [],
        resourceControlPolicies: [],
      },
      {},
    )
    if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors))
    return result.overallResult
  }
  expect([await publish(ACCOUNT), await publish(OTHER_ACCOUNT)]).toEqual(['Allowed', 'ImplicitlyDenied'])
})

test('a host that State Manager could not back up is told of, since State Manager does not tell', () => {
  synthesize().hasResourceProperties('AWS::Events::Rule', {
    EventPattern: {
      source: ['aws.ssm'],
      'detail-type': ['EC2 State Manager Instance Association State Change'],
      detail: { status: ['Failed', 'TimedOut'], 'document-name': [{ prefix: 'Snapstream-' }] },
    },
  })
})
