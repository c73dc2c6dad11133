/** An EC2 launch template for a machine like the one that was lost. */
import type { InstanceRecord } from '../bucket/instance-record'
import type { AttachedVolume } from '../source/ebs/record'

/** As `aws ec2 create-launch-template --launch-template-data` takes it (API_RequestLaunchTemplateData). It has no secrets. */
export type LaunchTemplate = Readonly<Record<string, unknown>>

/** Of these alone EC2 takes IOPS, or a throughput. */
const WITH_IOPS = ['gp3', 'io1', 'io2']
const WITH_THROUGHPUT = ['gp3']

/** @param volumes - undefined where they are not known */
export function planLaunchTemplate(
  instance: InstanceRecord,
  volumes: readonly AttachedVolume[] | undefined,
): LaunchTemplate {
  const { instanceType, imageId, availabilityZone, subnetId, securityGroupIds, instanceProfileArn, keyName } = instance
  return {
    ImageId: imageId,
    InstanceType: instanceType,
    Placement: { AvailabilityZone: availabilityZone },
    ...(keyName !== undefined && { KeyName: keyName }),
    ...(instanceProfileArn !== undefined && { IamInstanceProfile: { Arn: instanceProfileArn } }),
    MetadataOptions: { HttpEndpoint: 'enabled', HttpTokens: 'required' },
    ...networkOf(subnetId, securityGroupIds),
    ...(volumes && { BlockDeviceMappings: volumes.map(mappingOf) }),
  }
}

/**
 * The host said it of itself: what it asks for, others would grant. Its name in the bucket is evidence, where that is an ARN: of
 * another account it can have had nothing.
 */
export function notesOnLaunchTemplate(
  host: string,
  { imageId, instanceProfileArn: profile, securityGroupIds, keyName }: InstanceRecord,
): string[] {
  const asked = [
    `image ${imageId}`,
    ...(profile === undefined ? [] : [`instance profile ${profile}`]),
    ...securityGroupIds.map((group) => `security group ${group}`),
    ...(keyName === undefined ? [] : [`key pair ${keyName}`]),
  ]
  const account = accountOf(host)
  const isForeign = account !== undefined && profile !== undefined && accountOf(profile) !== account
  return [
    ...(isForeign
      ? [`FORGED? The instance profile of the launch template is not of account ${account}, as the host was.`]
      : []),
    `The launch template asks for what the host said it had: hold ${asked.join(', ')} against your own records before you use it.`,
  ]
}

function accountOf(arn: string): string | undefined {
  return /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):/.exec(arn)?.[1]
}

/** Security groups are the network interface's where there is one, and else the instance's: EC2 refuses both. */
function networkOf(subnetId: string | undefined, groups: readonly string[]): LaunchTemplate {
  const list = [...groups]
  if (subnetId !== undefined) return { NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: subnetId, Groups: list }] }
  return list.length === 0 ? {} : { SecurityGroupIds: list }
}

function mappingOf({ deviceName, sizeGiB, type, iops, throughputMiB, kmsKeyId, encrypted }: AttachedVolume) {
  return {
    DeviceName: deviceName,
    Ebs: {
      VolumeSize: sizeGiB,
      VolumeType: type,
      ...(iops !== undefined && WITH_IOPS.includes(type) && { Iops: iops }),
      ...(throughputMiB !== undefined && WITH_THROUGHPUT.includes(type) && { Throughput: throughputMiB }),
      ...(encrypted && { Encrypted: true, ...(kmsKeyId !== undefined && { KmsKeyId: kmsKeyId }) }),
      DeleteOnTermination: false,
    },
  }
}
