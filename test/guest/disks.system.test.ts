/** A guest as an EC2 host: its disks are volumes, which come and go, and of which snapshots are taken. */
import { setTimeout as sleep } from 'node:timers/promises'
import { guestEndpoint } from '../servers'
import { startEc2, type LaunchedInstance, type RunningEc2 } from '../servers/ec2'
import { askEc2, type Ec2Answer } from '../servers/ec2/ask'
import { findDisk, makeEbsDisks, VOLUMES } from './ebs-disks'
import { bootGuest, type Guest } from './guest'
import type { ActionName } from '../servers/ec2/actions'

jest.setTimeout(180_000)

let guest: Guest
let ec2: RunningEc2
let host: LaunchedInstance
let root: string
let a: string

beforeAll(async () => {
  guest = await bootGuest({ disksMiB: [64] })
  ec2 = await startEc2()
  host = await ec2.launch({ machine: guest, volumes: VOLUMES })
  const devices = await Promise.all(host.volumeIds.map(deviceOf))
  await makeEbsDisks(guest, devices)
  ;[root = '', a = ''] = host.volumeIds
})
afterAll(async () => {
  await guest.stop()
  await ec2.stop()
})

async function ask(action: ActionName, parameters: Readonly<Record<string, string>>): Promise<Ec2Answer> {
  const answer = await askEc2(ec2, action, parameters)
  if (answer.code !== undefined) throw new Error(`${action}: ${answer.code}: ${answer.message ?? ''}`)
  return answer
}

const deviceOf = (volumeId: string) => findDisk(guest, volumeId)

/** @returns the snapshots of its volumes, in their order */
async function takeSnapshots({ withRoot } = { withRoot: false }): Promise<string[]> {
  const specification = {
    'InstanceSpecification.InstanceId': host.id,
    'InstanceSpecification.ExcludeBootVolume': String(!withRoot),
  }
  return (await ask('CreateSnapshots', specification)).texts('snapshotId')
}

/** @returns the new volume, which the guest has as a disk */
async function attachCopy(snapshotId: string, device: string): Promise<string> {
  const parameters = { SnapshotId: snapshotId, AvailabilityZone: 'us-east-1a' }
  const [volumeId = ''] = (await ask('CreateVolume', parameters)).texts('volumeId')
  await ask('AttachVolume', { VolumeId: volumeId, InstanceId: host.id, Device: device })
  return volumeId
}

async function statusOf(volumeId: string): Promise<string> {
  return (await ask('DescribeVolumes', { 'VolumeId.1': volumeId })).texts('status').join(' ')
}

async function detachAndDelete(volumeId: string): Promise<void> {
  await ask('DetachVolume', { VolumeId: volumeId })
  await ask('DeleteVolume', { VolumeId: volumeId })
}

test('a disk without a serial is no volume, and all that EC2 says there are have one', async () => {
  expect(guest.disks).toEqual(['/dev/ubdb'])
  expect(await Promise.all(host.volumeIds.map(deviceOf))).toEqual(['/dev/ubdc', '/dev/ubdd', '/dev/ubde'])
})

test('the guest reaches EC2', async () => {
  const program = `fetch('${guestEndpoint(ec2)}', { method: 'POST' }).then((r) => r.text()).then(console.log)`
  expect(await guest.run(['node', '-e', program])).toContain('<Code>AuthFailure</Code>')
})

test('the partitions of a root disk come with its copy', async () => {
  const [ofRoot = ''] = await takeSnapshots({ withRoot: true })
  const copy = await attachCopy(ofRoot, '/dev/sdm')
  const [original, device] = [await deviceOf(root), await deviceOf(copy)]
  await guest.run(['test', '-b', `${device}3`])
  await guest.run(['mount', '--mkdir', '-o', 'ro,nouuid', `${device}3`, '/mnt/root'])
  await guest.run(['mount', '-o', 'ro', `${device}2`, '/mnt/root/boot'])
  await guest.run(['mount', '-o', 'ro', `${device}1`, '/mnt/root/boot/efi'])
  expect(await guest.run(['sh', '-c', 'cd /mnt/root; cat moment boot/moment boot/efi/moment'])).toBe(
    'before\n'.repeat(3),
  )
  // By a label or UUID it could be either of them.
  const labelled = await guest.run(['blkid', '-c', '/dev/null', '-t', 'LABEL=boot', '-o', 'device'])
  expect(labelled.trim().split('\n').sort()).toEqual([`${original}2`, `${device}2`].sort())
  await guest.run(['umount', '--recursive', '/mnt/root'])
  await detachAndDelete(copy)
})

/** Writes a number to one filesystem, and then to the other: the first is never behind, and at most one ahead. */
const COUNT = `
const fs = require('node:fs')
const files = ['/srv/a/count', '/srv/b/count'].map((file) => fs.openSync(file, 'w'))
for (let count = 1; ; count++) {
  for (const file of files) {
    fs.writeSync(file, String(count).padStart(9, '0'), 0)
    fs.fsyncSync(file)
  }
  if (count === 10) console.error('counting')
}`

test('snapshots of all disks show one moment', async () => {
  const { promise: isCounting, resolve: onStderr } = Promise.withResolvers<string>()
  const counting = guest.start(['node', '-e', COUNT], { onStderr })
  await isCounting
  const snapshots = await takeSnapshots()
  counting.kill('SIGKILL')
  await counting.ended

  const [copyOfA, copyOfB] = [await attachCopy(snapshots[0]!, '/dev/sdm'), await attachCopy(snapshots[1]!, '/dev/sdn')]
  await guest.run(['mount', '--mkdir', '-o', 'ro', await deviceOf(copyOfA), '/mnt/a'])
  await guest.run(['mount', '--mkdir', '-o', 'ro,nouuid', await deviceOf(copyOfB), '/mnt/b'])
  const [first, second] = (await guest.run(['cat', '/mnt/a/count', '/mnt/b/count'])).match(/\d{9}/g)!.map(Number)
  expect(first).toBeGreaterThanOrEqual(10)
  expect([first, first! - 1]).toContain(second)

  await guest.run(['umount', '/mnt/a', '/mnt/b'])
  for (const volumeId of [copyOfA, copyOfB]) await detachAndDelete(volumeId)
  for (const snapshotId of snapshots) await ask('DeleteSnapshot', { SnapshotId: snapshotId })
})

test('a mounted disk is busy until it is unmounted, and keeps the moment of its snapshot', async () => {
  await guest.run(['sh', '-c', 'echo before >/srv/a/moment; sync'])
  const [snapshot = ''] = await takeSnapshots()
  await guest.run(['sh', '-c', 'echo after >/srv/a/moment; sync'])
  const copy = await attachCopy(snapshot, '/dev/sdm')
  await guest.run(['mount', '--mkdir', '-o', 'ro', await deviceOf(copy), '/mnt/a'])
  expect(await guest.run(['cat', '/mnt/a/moment'])).toBe('before\n')

  await ask('DetachVolume', { VolumeId: copy })
  expect(await statusOf(copy)).toBe('in-use busy')
  await expect(ask('DeleteVolume', { VolumeId: copy })).rejects.toThrow('VolumeInUse')
  expect(await guest.run(['cat', '/mnt/a/moment'])).toBe('before\n')
  await guest.run(['umount', '/mnt/a'])
  expect(await statusOf(copy)).toBe('available')
  await expect(deviceOf(copy)).rejects.toThrow('no disk')
  await ask('DeleteVolume', { VolumeId: copy })
})

test('a disk comes as late as it is attached, whether somebody asks or not', async () => {
  const [snapshot = ''] = await takeSnapshots()
  ec2.configure({ attachingSeconds: 1 })
  const copy = await attachCopy(snapshot, '/dev/sdm')
  await expect(deviceOf(copy)).rejects.toThrow('no disk')
  await sleep(1500)
  expect(await deviceOf(copy)).toMatch(/^\/dev\/ubd/)
  ec2.configure({ attachingSeconds: 0 })
  await detachAndDelete(copy)
})

test('what is attached is there again after a power cut, and what was detached meanwhile is not', async () => {
  const [ofA = '', ofB = ''] = await takeSnapshots()
  const [stays, goes] = [await attachCopy(ofA, '/dev/sdm'), await attachCopy(ofB, '/dev/sdn')]
  await guest.run([
    'sh',
    '-euc',
    'echo kept >/srv/a/moment; sync; mount --mkdir -o nouuid "$1" /mnt/b',
    'sh',
    await deviceOf(goes),
  ])
  await ask('DetachVolume', { VolumeId: goes })
  expect(await statusOf(goes)).toBe('in-use busy')
  await guest.powerCut()
  // Nothing is mounted in a machine without power.
  expect(await statusOf(goes)).toBe('available')
  await guest.powerOn()
  expect(await deviceOf(stays)).toMatch(/^\/dev\/ubd/)
  await expect(deviceOf(goes)).rejects.toThrow('no disk')
  await guest.run(['mount', '--mkdir', await deviceOf(a), '/srv/a'])
  expect(await guest.run(['cat', '/srv/a/moment'])).toBe('kept\n')
  await detachAndDelete(stays)
})

test('a disk more than EC2 allows is refused, and so is one whose file is missing', async () => {
  await expect(guest.attachDisk({ file: '/nowhere' })).rejects.toThrow('ENOENT')
  await expect(guest.detachDisk('/dev/ubdp')).rejects.toThrow('the guest has no disk /dev/ubdp')
  ec2.configure({ attachmentsMax: 3 })
  const [snapshot = ''] = await takeSnapshots()
  await expect(attachCopy(snapshot, '/dev/sdm')).rejects.toThrow('AttachmentLimitExceeded')
})
