/** What a host can do in EC2 with the right to be backed up through EBS: each request of a backup, and what an intruder would try. */
import { Ec2Tag } from '../../agent/contract'
import { hostA, hostB, policyOf, run, type Decision, type Policy } from './simulate'
import type { Ec2Request, Ec2Resource, Tags } from '../servers/ec2/authorization'
import { decideEc2, instanceOf, newSnapshot, newVolume, snapshot, volume } from './simulate-ec2'
import { ACCOUNT, REGION, resourcesOf, synthesize } from './synthesize'

const template = synthesize({ hosts: { ebs: true, attachToRoles: ['web-servers'] } })
const policy = policyOf(template, 'AWS::IAM::ManagedPolicy', 'HostAccessEbs')
/** A role that may tag, as many may. */
const mayTag: Policy = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['ec2:CreateTags', 'ec2:DeleteTags'], Resource: '*' }],
}

const marksOf = (host: string): Tags => ({
  [Ec2Tag.host]: host,
  [Ec2Tag.run]: run,
  [Ec2Tag.expires]: '2026-02-01T02:00:00Z',
})
const [ownRoot, rootOfB] = [volume('0aaa'), volume('0bbb', { Name: 'root of B' })]
const [ownSnapshot, snapshotOfB] = [snapshot('0aaa', marksOf(hostA)), snapshot('0bbb', marksOf(hostB))]
const [ownClone, cloneOfB] = [volume('0ca', marksOf(hostA)), volume('0cb', marksOf(hostB))]
const GP3 = { 'ec2:VolumeType': 'gp3' }

const snapshotAll = (host: string, tags: Tags, volumes = [ownRoot]): Ec2Request => ({
  action: 'CreateSnapshots',
  about: [instanceOf(host), ...volumes],
  makes: newSnapshot(tags),
})
const volumeOf = (source: Ec2Resource, tags: Tags, type = 'gp3'): Ec2Request => ({
  action: 'CreateVolume',
  about: [source],
  makes: newVolume(tags),
  context: { 'ec2:VolumeType': type },
})
const cloneOf = (source: Ec2Resource, tags: Tags): Ec2Request => ({
  action: 'CopyVolumes',
  about: [source],
  makes: newVolume(tags),
  context: GP3,
})
const on = (action: string, ...about: Ec2Resource[]): Ec2Request => ({ action, about })
const terminate = (host: string, ...volumes: Ec2Resource[]): Ec2Request => ({
  action: 'ModifyInstanceAttribute',
  about: [instanceOf(host), ...volumes],
  context: { 'ec2:Attribute': 'blockDeviceMapping' },
})
const tag = (resource: Ec2Resource, requestTags: Tags): Ec2Request => ({
  action: 'CreateTags',
  about: [resource],
  requestTags,
})

const anything: Ec2Resource = { arn: '*' }

describe('a host', () => {
  test.each<[string, Ec2Request]>([
    ['finds itself', on('DescribeInstances', anything)],
    ['finds how many volumes it can have', on('DescribeInstanceTypes', anything)],
    ['finds its volumes', on('DescribeVolumes', anything)],
    ['finds its snapshots', on('DescribeSnapshots', anything)],
    ['takes snapshots of all of its disks', snapshotAll(hostA, marksOf(hostA), [ownRoot, volume('0data')])],
    ['makes a volume of one', volumeOf(ownSnapshot, marksOf(hostA))],
    ['attaches it', on('AttachVolume', instanceOf(hostA), ownClone)],
    ['has it deleted with the instance', terminate(hostA, ownClone)],
    ['has it deleted with the instance, where EC2 asks about the instance only', terminate(hostA)],
    ['detaches it', on('DetachVolume', instanceOf(hostA), ownClone)],
    ['detaches it, where EC2 asks about the volume only', on('DetachVolume', ownClone)],
    ['deletes it', on('DeleteVolume', ownClone)],
    ['deletes the snapshot', on('DeleteSnapshot', ownSnapshot)],
    [
      'clones a volume that an operator tagged for it',
      cloneOf(volume('0aaa', { [Ec2Tag.source]: hostA }), marksOf(hostA)),
    ],
  ])('%s', async (_, request) => {
    expect(await decideEc2(hostA, [policy], request)).toBe('allowed')
    // With the same rights, in its own name.
    expect(await decideEc2(hostB, [policy], request)).toBe(request.action.startsWith('Describe') ? 'allowed' : 'denied')
  })
})

describe('an intruder on a host', () => {
  test.each<[string, Ec2Request]>([
    // Of another host.
    ["takes snapshots of another host's disks", snapshotAll(hostB, marksOf(hostA), [rootOfB])],
    [
      "takes a snapshot of another host's disk alone",
      { ...on('CreateSnapshot', rootOfB), makes: newSnapshot(marksOf(hostA)) },
    ],
    ["makes a volume of another host's snapshot", volumeOf(snapshotOfB, marksOf(hostA))],
    ["clones another host's disk", cloneOf(rootOfB, marksOf(hostA))],
    ['clones what another host is reading', cloneOf(cloneOfB, marksOf(hostA))],
    [
      'clones what an operator tagged for another host',
      cloneOf(volume('0b', { [Ec2Tag.source]: hostB }), marksOf(hostA)),
    ],
    ["attaches another host's disk to itself", on('AttachVolume', instanceOf(hostA), rootOfB)],
    ["attaches another host's clone to itself", on('AttachVolume', instanceOf(hostA), cloneOfB)],
    ['attaches its clone to another host', on('AttachVolume', instanceOf(hostB), ownClone)],
    ["detaches another host's disk", on('DetachVolume', instanceOf(hostB), rootOfB)],
    ["detaches another host's clone", on('DetachVolume', instanceOf(hostB), cloneOfB)],
    ["detaches another host's clone, where EC2 asks about the volume only", on('DetachVolume', cloneOfB)],
    ["deletes another host's clone", on('DeleteVolume', cloneOfB)],
    ["deletes another host's snapshot", on('DeleteSnapshot', snapshotOfB)],
    ["has another host's disks deleted with it", terminate(hostB)],
    // Forged marks.
    ['marks its snapshots as those of another host', snapshotAll(hostA, marksOf(hostB))],
    ['marks its volume as that of another host', volumeOf(ownSnapshot, marksOf(hostB))],
    ['marks nothing', snapshotAll(hostA, {})],
    ['makes an unmarked volume', volumeOf(ownSnapshot, {})],
    [
      'gives its snapshot a tag that others go by',
      snapshotAll(hostA, { ...marksOf(hostA), 'snapstream:source': hostB }),
    ],
    [
      'gives its volume a tag that others go by',
      volumeOf(ownSnapshot, { ...marksOf(hostA), 'ebs.csi.aws.com/cluster': 'true' }),
    ],
    // Of nobody, or everybody.
    ['makes a volume of an unmarked snapshot', volumeOf(snapshot('0old'), marksOf(hostA))],
    ['makes a volume of a public snapshot', volumeOf(snapshot('0public'), marksOf(hostA))],
    ['deletes an unmarked volume', on('DeleteVolume', volume('0old'))],
    ['deletes an unmarked snapshot', on('DeleteSnapshot', snapshot('0old'))],
    // Its own disks.
    ['detaches its own root', on('DetachVolume', instanceOf(hostA), ownRoot)],
    ['deletes its own root', on('DeleteVolume', ownRoot)],
    ['has its own root deleted with it', terminate(hostA, ownRoot)],
    ['clones its own root, which nobody tagged for it', cloneOf(ownRoot, marksOf(hostA))],
    ['detaches what an operator tagged for it', on('DetachVolume', volume('0aaa', { [Ec2Tag.source]: hostA }))],
    ['deletes what an operator tagged for it', on('DeleteVolume', volume('0aaa', { [Ec2Tag.source]: hostA }))],
    ['changes its security groups', on('ModifyInstanceAttribute', instanceOf(hostA))],
    ['changes its user data', { ...terminate(hostA), context: { 'ec2:Attribute': 'userData' } }],
    // Out of the account, or out of sight.
    ['shares a snapshot', on('ModifySnapshotAttribute', ownSnapshot)],
    ['copies a snapshot out', { ...on('CopySnapshot', ownSnapshot), makes: newSnapshot(marksOf(hostA)) }],
    ['makes an image of itself', on('CreateImage', instanceOf(hostA))],
    ['reads the blocks of its snapshot', on('ebs:GetSnapshotBlock', ownSnapshot)],
    ['grows its volume', on('ModifyVolume', ownClone)],
    ['archives its snapshot', on('ModifySnapshotTier', ownSnapshot)],
    // What costs more than a backup.
    ['makes a volume of the most expensive kind', volumeOf(ownSnapshot, marksOf(hostA), 'io2')],
    [
      'makes a clone of no kind',
      { ...cloneOf(volume('0aaa', { [Ec2Tag.source]: hostA }), marksOf(hostA)), context: {} },
    ],
  ])('%s: denied', async (_, request) => {
    expect(await decideEc2(hostA, [policy], request)).toBe('denied')
  })

  test.each<[string, Ec2Request]>([
    ['its own root, so as to delete it', tag(ownRoot, { [Ec2Tag.host]: hostA })],
    ["another host's disk, so as to attach it", tag(rootOfB, { [Ec2Tag.host]: hostA })],
    ["another host's disk, so as to clone it", tag(rootOfB, { [Ec2Tag.source]: hostA })],
    ["another host's snapshot, so as to read it", tag(snapshotOfB, { [Ec2Tag.host]: hostA })],
    ['in capital letters, which IAM takes for the same', tag(snapshot('0old'), { 'SnapStream:Host': hostA })],
    ["another host's snapshot, so that it outlives its time", tag(snapshotOfB, { [Ec2Tag.expires]: '2099-01-01' })],
    ["another host's snapshot with anything", tag(snapshotOfB, { Name: 'mine' })],
    ['its own clone as that of another host', tag(ownClone, { [Ec2Tag.host]: hostB })],
    ['nothing, but takes the tag away', { ...tag(cloneOfB, { [Ec2Tag.host]: hostB }), action: 'DeleteTags' }],
    ['nothing, but takes all tags away', on('DeleteTags', cloneOfB)],
  ])('tags %s: denied, even where another policy lets it tag', async (_, request) => {
    expect(await decideEc2(hostA, [policy], request)).toBe('denied')
    expect(await decideEc2(hostA, [policy, mayTag], request)).toBe('denied')
  })

  test('may tag what has nothing to do with backups, where another policy lets it', async () => {
    expect(await decideEc2(hostA, [policy, mayTag], tag(ownRoot, { Name: 'root' }))).toBe('allowed')
    expect(await decideEc2(hostA, [policy], tag(ownRoot, { Name: 'root' }))).toBe('denied')
  })
})

describe('keys of encrypted volumes', () => {
  const keyArn = `arn:aws:kms:${REGION}:${ACCOUNT}:key/0b6a4a3c-0d3b-4b58-9d0c-6b9a9b1f2c11`
  const withKey = policyOf(
    synthesize({ hosts: { ebs: { keyArns: [keyArn] } } }),
    'AWS::IAM::ManagedPolicy',
    'HostAccessEbs',
  )
  const key = { arn: keyArn }
  const viaEc2 = { 'kms:ViaService': `ec2.${REGION}.amazonaws.com` }
  const forEc2 = { ...viaEc2, 'kms:GrantIsForAWSResource': 'true' }
  const another = { arn: keyArn.replace('0b6a', 'ffff') }

  test.each<[string, Decision, Ec2Request]>([
    ['EC2 attaches a volume', 'allowed', { ...on('kms:CreateGrant', key), context: forEc2 }],
    ['EC2 decrypts', 'allowed', { ...on('kms:Decrypt', key), context: viaEc2 }],
    ['the host decrypts by itself', 'denied', on('kms:Decrypt', key)],
    ['the host grants the key to somebody', 'denied', { ...on('kms:CreateGrant', key), context: viaEc2 }],
    ['EC2 uses another key', 'denied', { ...on('kms:CreateGrant', another), context: forEc2 }],
  ])('%s: %s', async (_, expected, request) => {
    expect(await decideEc2(hostA, [withKey], request)).toBe(expected)
    expect(await decideEc2(hostA, [policy], request)).toBe('denied')
  })

  test('are named by their ARNs, since an alias could be pointed at another', () => {
    const ebs = { keyArns: [`arn:aws:kms:${REGION}:${ACCOUNT}:alias/disks`] }
    expect(() => synthesize({ hosts: { ebs } })).toThrow('alias/disks is no ARN of a key')
  })

  test('fit in a policy', () => {
    expect(JSON.stringify(withKey).length).toBeLessThanOrEqual(6144)
  })
})

test('hosts have none of this unless the stage says so', () => {
  for (const usual of [synthesize(), synthesize({ hosts: { ebs: false } })]) {
    const policies = resourcesOf(usual, 'AWS::IAM::ManagedPolicy')
    expect(JSON.stringify(Object.entries(policies).filter(([id]) => id.startsWith('HostAccess')))).not.toContain(
      '"ec2:',
    )
  }
})

test('the policy is attached where that for the vault is', () => {
  const rolesOf = (idPrefix: string) =>
    Object.entries(resourcesOf(template, 'AWS::IAM::ManagedPolicy')).find(([id]) => id.startsWith(idPrefix))?.[1]
      .Properties.Roles
  expect(rolesOf('HostAccessEbs')).toEqual(rolesOf('HostAccessPolicy'))
  expect(rolesOf('HostAccessEbs')).toContain('web-servers')
})
