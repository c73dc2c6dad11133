import { instanceSchema } from '../../agent/bucket/instance-record'

const instance = {
  ...{ instanceType: 'm7g.large', imageId: 'ami-0abc1234', availabilityZone: 'eu-west-1a', securityGroupIds: ['sg-0abc1234'] }, // prettier-ignore
}

test('an instance is what EC2 says of one', () => {
  expect(instanceSchema.parse(instance)).toEqual(instance)
})

test.each<[string, object]>([
  ['an image that is a path', { imageId: 'ami-../../x' }],
  ['a type with a line of its own', { instanceType: 'm7g.large\nx' }],
  ['a security group that is none', { securityGroupIds: ['--all'] }],
  ['a profile of elsewhere', { instanceProfileArn: 'https://example.net' }],
  ['user data in the place of their hash', { userDataSha256: '#!/bin/sh' }],
])('%s is refused', (_, changes) => {
  expect(instanceSchema.safeParse({ ...instance, ...changes }).success).toBe(false)
})
