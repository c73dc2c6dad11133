/** Who hears of what becomes of the backups. */
import { Stack } from 'aws-cdk-lib'
import { EventField, Rule, RuleTargetInput, type IRuleTarget } from 'aws-cdk-lib/aws-events'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Construct } from 'constructs'
import { Prefix } from '../agent/contract'

export interface NotificationsOptions {
  /**
   * Addresses that are asked to confirm, and then hear of every backup that failed.
   * @default - subscribe to the topic by other means
   */
  readonly emails?: readonly string[]
  /**
   * Tell of each backup that is complete, too: when its manifest is there. The account of the bucket has to ask for it.
   * @default false
   */
  readonly completed?: boolean
}

export interface NotificationsProps extends NotificationsOptions {
  readonly bucket: IBucket
}

export class Notifications extends Construct {
  readonly topic: Topic
  /** What Run Command publishes with. */
  readonly publisher: Role

  constructor(scope: Construct, id: string, props: NotificationsProps) {
    super(scope, id)
    const { account } = Stack.of(this)
    this.topic = new Topic(this, 'Topic', { displayName: 'Snapstream', enforceSSL: true })
    for (const email of props.emails ?? []) this.topic.addSubscription(new EmailSubscription(email))

    this.publisher = new Role(this, 'Publisher', {
      description: 'Lets Run Command tell of backups that failed',
      assumedBy: new ServicePrincipal('ssm.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    })
    this.topic.grantPublish(this.publisher)
    for (const [sid, service] of Object.entries({ EventsOfThisAccount: 'events', AlarmsOfThisAccount: 'cloudwatch' })) {
      this.topic.addToResourcePolicy(
        new PolicyStatement({
          sid,
          actions: ['sns:Publish'],
          principals: [new ServicePrincipal(`${service}.amazonaws.com`)],
          resources: [this.topic.topicArn],
          conditions: { StringEquals: { 'aws:SourceAccount': account } },
        }),
      )
    }
    this.tellOfFailedAssociations()
    if (props.completed) this.tellOfCompleted(props.bucket)
  }

  /** Maintenance windows tell by themselves, State Manager does not. */
  private tellOfFailedAssociations(): void {
    const field = (name: string) => EventField.fromPath(`$.detail.${name}`)
    new Rule(this, 'FailedAssociation', {
      description: 'A host could not be backed up, or the agent not be installed on it, by an association',
      eventPattern: {
        source: ['aws.ssm'],
        detailType: ['EC2 State Manager Instance Association State Change'],
        detail: {
          status: ['Failed', 'TimedOut'],
          'document-name': [{ prefix: `${Stack.of(this).stackName}-` }],
        },
      },
      targets: [
        this.tell(`Snapstream: ${field('document-name')} ended with ${field('status')} on ${field('instance-id')}`),
      ],
    })
  }

  private tellOfCompleted(bucket: IBucket): void {
    new Rule(this, 'Completed', {
      description: 'A manifest is there: the backup is complete',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: { bucket: { name: [bucket.bucketName] }, object: { key: [{ prefix: `${Prefix.manifests}/` }] } },
      },
      targets: [this.tell(`Snapstream: a backup is complete: ${EventField.fromPath('$.detail.object.key')}`)],
    })
  }

  /** CDK's own target would let the rules of every account publish to the topic. */
  private tell(message: string): IRuleTarget {
    return { bind: () => ({ arn: this.topic.topicArn, input: RuleTargetInput.fromText(message) }) }
  }
}
