import { Match } from 'aws-cdk-lib/assertions'
import { BUCKET, resolve, resourceOf, synthesize } from './synthesize'

test('the policies of hosts fit, with as many retention classes as there may be', () => {
  const retention = Array.from({ length: 8 }, (_, index) => ({
    name: `a-retention-class-of-some-length-${index}`.slice(-32),
    expireAfterDays: 35,
  }))
  const template = synthesize({ retention, schedules: [] })
  const policy = resolve(resourceOf(template, 'AWS::IAM::ManagedPolicy', 'HostAccessPolicy').Properties.PolicyDocument!)
  // The quota is on characters without white space.
  expect(JSON.stringify(policy).replaceAll(BUCKET, 'b'.repeat(63)).length).toBeLessThanOrEqual(6144)
  const bucketPolicy = resolve(resourceOf(template, 'AWS::S3::BucketPolicy').Properties.PolicyDocument!)
  expect(JSON.stringify(bucketPolicy).replaceAll(BUCKET, 'b'.repeat(63)).length).toBeLessThanOrEqual(20 * 1024)
})

test('the policy is attached to the roles that the configuration names', () => {
  synthesize({ hosts: { attachToRoles: ['web-servers'] } }).hasResourceProperties('AWS::IAM::ManagedPolicy', {
    Roles: Match.arrayWith(['web-servers']),
  })
})

test('more retention classes than a policy has room for are refused', () => {
  const retention = Array.from({ length: 9 }, (_, index) => ({ name: `c${index}`, expireAfterDays: 35 }))
  expect(() => synthesize({ retention, schedules: [] })).toThrow(
    'Snapstream/HostAccess: 9 retention classes do not fit in a policy',
  )
})
