/** Findings of cdk-nag that are as they should be, suppressed where the reason is known. */
import { Stack, Validations, type CfnElement } from 'aws-cdk-lib'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import type { IConstruct } from 'constructs'

/**
 * @param rules - the findings as cdk-nag prints them, for example `AwsSolutions-S1`
 * @param reason - why the finding is right and the construct stays as it is
 */
export function suppressNag(construct: IConstruct, rules: readonly string[], reason: string): void {
  Validations.of(construct).acknowledge(...rules.map((id) => ({ id, reason })))
}

/** The finding that a policy names objects of a bucket by a wildcard: `AwsSolutions-IAM5[Resource::<Id.Arn>/data/*]`. */
export function wildcardIn(bucket: IBucket, pattern: string): string {
  const made = bucket.node.defaultChild as CfnElement | undefined
  const arn = made ? `<${Stack.of(bucket).getLogicalId(made)}.Arn>` : `arn:<AWS::Partition>:s3:::${bucket.bucketName}`
  return `AwsSolutions-IAM5[Resource::${arn}/${pattern}]`
}

/** Stops synthesis with every problem at once, each naming the construct. */
export function failSynthesis(construct: IConstruct, problems: readonly string[]): void {
  if (problems.length > 0) throw new Error(problems.map((problem) => `${construct.node.path}: ${problem}`).join('\n'))
}
