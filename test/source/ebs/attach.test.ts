import { deviceNames, isTaken, snapshotFailure } from '../../../agent/source/ebs/attach'
import { ec2Error } from '../../../agent/source/ebs/ec2-errors'

test('names come in the order that EC2 recommends, without those that are taken under either name', () => {
  expect(deviceNames(['/dev/xvda']).slice(0, 3)).toEqual(['/dev/sdf', '/dev/sdg', '/dev/sdh'])
  expect(deviceNames(['/dev/sdf', '/dev/xvdg'])[0]).toBe('/dev/sdh')
  const recommended = Array.from('fghijklmnop', (letter) => `/dev/sd${letter}`)
  expect(deviceNames(recommended)[0]).toBe('/dev/xvdba')
  expect(new Set(deviceNames([])).size).toBe(11 + 2 * 26)
})

test.each<[string, string, boolean]>([
  [
    'InvalidParameterValue',
    "Invalid value '/dev/sdf' for unixDevice. Attachment point /dev/sdf is already in use",
    true,
  ],
  ['InvalidParameterValue', '/dev/sdf is not a valid EBS device name.', true],
  ['InvalidParameterValue', 'Volume of 0 GiB is not of a valid size.', false],
  ['VolumeInUse', 'vol-1 is already in use', false],
])('%s: %s means that another name may do: %s', (name, message, expected) => {
  expect(isTaken(ec2Error(Object.assign(new Error(message), { name }), 'AttachVolume'))).toBe(expected)
})

test('a snapshot that failed says why, and what a key has to allow', () => {
  const snapshot = { snapshotId: 'snap-1', volumeId: 'vol-1', state: 'error', detail: 'Client.InvalidKMSKey.Denied' }
  expect(snapshotFailure({ ...snapshot, startedAt: new Date(0), tags: {} })).toMatchObject({
    code: 'EC2_FAILED',
    message: 'snap-1 of vol-1 is in state error: Client.InvalidKMSKey.Denied',
    hint: expect.stringContaining('kms:CreateGrant') as string,
  })
})
