import type { InstanceRecord } from '../../agent/bucket/instance-record'
import { notesOnLaunchTemplate, planLaunchTemplate } from '../../agent/rebuild/launch-template'
import type { AttachedVolume } from '../../agent/source/ebs/record'

const instance: InstanceRecord = {
  ...{ instanceType: 'm7g.large', imageId: 'ami-0abc1234def567890', availabilityZone: 'eu-west-1a' },
  ...{ subnetId: 'subnet-0abc1234', securityGroupIds: ['sg-0abc1234', 'sg-0def5678'] },
  instanceProfileArn: 'arn:aws:iam::111122223333:instance-profile/web',
  ...{ keyName: 'ops key', userDataSha256: 'a'.repeat(64) },
}
const volume: AttachedVolume = {
  ...{ volumeId: 'vol-0abc1234def567890', deviceName: '/dev/xvda', sizeGiB: 30, type: 'gp3' },
  ...{ iops: 4000, throughputMiB: 250, encrypted: true },
  kmsKeyId: 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
}
const ebsOf = (changes: Partial<AttachedVolume>) => {
  const template = planLaunchTemplate(instance, [{ ...volume, ...changes }])
  return (template['BlockDeviceMappings'] as readonly { Ebs: object }[])[0]?.Ebs
}

test('an instance like the lost one is launched, and gives its metadata to none without a token', () => {
  expect(planLaunchTemplate(instance, [volume])).toEqual({
    ImageId: 'ami-0abc1234def567890',
    InstanceType: 'm7g.large',
    Placement: { AvailabilityZone: 'eu-west-1a' },
    KeyName: 'ops key',
    IamInstanceProfile: { Arn: 'arn:aws:iam::111122223333:instance-profile/web' },
    MetadataOptions: { HttpEndpoint: 'enabled', HttpTokens: 'required' },
    NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: 'subnet-0abc1234', Groups: ['sg-0abc1234', 'sg-0def5678'] }],
    BlockDeviceMappings: [
      {
        DeviceName: '/dev/xvda',
        Ebs: {
          ...{ VolumeSize: 30, VolumeType: 'gp3', Iops: 4000, Throughput: 250, Encrypted: true },
          ...{ KmsKeyId: volume.kmsKeyId, DeleteOnTermination: false },
        },
      },
    ],
  })
})

test('what is not known is left to EC2', () => {
  const { instanceType, imageId, availabilityZone } = instance
  expect(planLaunchTemplate({ instanceType, imageId, availabilityZone, securityGroupIds: [] }, undefined)).toEqual({
    ...{ ImageId: imageId, InstanceType: instanceType, Placement: { AvailabilityZone: availabilityZone } },
    MetadataOptions: { HttpEndpoint: 'enabled', HttpTokens: 'required' },
  })
})

test('without a subnet, security groups are those of the instance', () => {
  const template = planLaunchTemplate({ ...instance, subnetId: undefined }, undefined)
  expect(template).toMatchObject({ SecurityGroupIds: ['sg-0abc1234', 'sg-0def5678'] })
  expect(template).not.toHaveProperty('NetworkInterfaces')
})

test.each<[string, Partial<AttachedVolume>, string[]]>([
  ['gp2, whose IOPS go by its size', { type: 'gp2' }, ['Encrypted', 'KmsKeyId']],
  ['io2', { type: 'io2' }, ['Iops', 'Encrypted', 'KmsKeyId']],
  ['one that is not encrypted', { encrypted: false, kmsKeyId: undefined }, ['Iops', 'Throughput']],
])('a volume of %s has what EC2 takes of it', (_, changes, fields) => {
  expect(Object.keys(ebsOf(changes) ?? {}).sort()).toEqual(
    ['VolumeSize', 'VolumeType', 'DeleteOnTermination', ...fields].sort(),
  )
})

const HOST = 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc'

test('what the host said of itself is to be compared before others grant it', () => {
  expect(notesOnLaunchTemplate(HOST, instance)).toEqual([
    'The launch template asks for what the host said it had: hold image ami-0abc1234def567890, instance profile ' +
      'arn:aws:iam::111122223333:instance-profile/web, security group sg-0abc1234, security group sg-0def5678, key pair ops key ' +
      'against your own records before you use it.',
  ])
})

test.each([
  [HOST, 'arn:aws:iam::999999999999:instance-profile/admin', true],
  ['db1', 'arn:aws:iam::999999999999:instance-profile/admin', false],
])('a host %s with the profile %s', (host, instanceProfileArn, isForged) => {
  const [first] = notesOnLaunchTemplate(host, { ...instance, instanceProfileArn })
  expect(first!.startsWith('FORGED? ')).toBe(isForged)
})
