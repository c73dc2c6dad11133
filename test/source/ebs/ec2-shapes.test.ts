import {
  filterInput,
  snapshotsInput,
  toFacts,
  toLimit,
  toSnapshot,
  toVolume,
} from '../../../agent/source/ebs/ec2-shapes'

const metadata = { $metadata: {} }

test('nothing is left out of a snapshot where nothing is to be', () => {
  const input = snapshotsInput('i-0abc', { withoutRoot: false, without: [], tags: { a: 'b' } })
  expect(input).toEqual({
    InstanceSpecification: { InstanceId: 'i-0abc', ExcludeBootVolume: false },
    TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'a', Value: 'b' }] }],
  })
})

test('pages are asked for where no ids are, as EC2 takes not both', () => {
  expect(filterInput({ tags: { a: 'b' } }, undefined)).toEqual({
    Filters: [{ Name: 'tag:a', Values: ['b'] }],
    MaxResults: 500,
  })
  expect(filterInput({ ids: ['vol-1'] }, undefined)).toEqual({})
  expect(filterInput({}, 'next')).toEqual({ MaxResults: 500, NextToken: 'next' })
})

test('an instance whose root is instance store has no root volume', () => {
  const instance = {
    InstanceId: 'i-0abc',
    RootDeviceName: '/dev/sda1',
    BlockDeviceMappings: [{ DeviceName: '/dev/sdf' }],
  }
  expect(toFacts({ Reservations: [{ Instances: [instance] }], ...metadata }, 'i-0abc')).toEqual({
    ...{ volumes: [], networkInterfaces: 0 },
  })
})

test('an answer without what was asked for is none', () => {
  expect(() => toFacts({ ...metadata }, 'i-0abc')).toThrow('DescribeInstances answered without i-0abc')
  expect(() => toSnapshot({})).toThrow('EC2 answered without SnapshotId')
  expect(() => toVolume({})).toThrow('EC2 answered without VolumeId')
})

test('what EC2 does not say of attachments is not known', () => {
  expect(toLimit({ ...metadata })).toBeUndefined()
  const EbsInfo = { MaximumEbsAttachments: 28, AttachmentLimitType: 'shared' } as const
  expect(toLimit({ InstanceTypes: [{ EbsInfo }], ...metadata })).toEqual({ attachmentsMax: 28, shared: true })
})

test('a volume that was detached is attached to nothing', () => {
  expect(toVolume({ VolumeId: 'vol-1', Attachments: [{ State: 'detached', InstanceId: 'i-0abc' }] })).toEqual({
    ...{ volumeId: 'vol-1', state: 'creating', createdAt: new Date(0), tags: {} },
  })
})

test('a snapshot that failed says why rather than how far it was', () => {
  const snapshot = { SnapshotId: 'snap-1', State: 'error', Progress: '10%', StateMessage: 'no key' } as const
  expect(toSnapshot(snapshot)).toMatchObject({ state: 'error', detail: 'no key' })
})

test('a volume is what it was made as, as far as EC2 says', () => {
  const made = {
    VolumeId: 'vol-1',
    Size: 8,
    VolumeType: 'gp3',
    Iops: 3000,
    Throughput: 125,
    Encrypted: true,
    KmsKeyId: 'k',
  } as const
  expect(toVolume(made).makeup).toEqual({
    ...{ sizeGiB: 8, type: 'gp3', iops: 3000, throughputMiB: 125, encrypted: true, kmsKeyId: 'k' },
  })
  expect(toVolume({ VolumeId: 'vol-1', Size: 8, VolumeType: 'st1' }).makeup).toEqual({
    ...{ sizeGiB: 8, type: 'st1', encrypted: false },
  })
})
