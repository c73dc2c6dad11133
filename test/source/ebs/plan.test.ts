import { Ec2Tag } from '../../../agent/contract'
import {
  attemptOf,
  mountCopy,
  ofDisks,
  planSnapshots,
  planWaves,
  startOf,
  volumeTags,
} from '../../../agent/source/ebs/plan'
import type { EbsFilesystem } from '../../../agent/source/ebs/claim'
import { snapshotRequestOf } from '../../support/snapshot-request'
import { ARN, DATA, ebsState, ROOT } from './state'

const filesystem = (changes: Partial<EbsFilesystem> = {}): EbsFilesystem => ({
  ...{ kind: 'ebs', volumeId: ROOT, partition: 3, volume: 'root', device: '/dev/nvme0n1p3', mountPoint: '/' },
  ...{ filesystem: 'xfs', sizeBytes: 1, usedBytes: 1, uuid: '', label: '', mountOptions: 'rw' },
  ...changes,
})
const root = filesystem()
const boot = filesystem({ partition: 2, volume: 'boot', mountPoint: '/boot', filesystem: 'ext4' })
const wholeDisk = filesystem({ volumeId: DATA, volume: 'srv', mountPoint: '/srv' })
delete (wholeDisk as { partition?: number }).partition
const RUN = snapshotRequestOf().run

test('of all disks, those that nobody wants are left out, the root by a name of its own', () => {
  const others = ['3', '4', '5', '7'].map((index) => `vol-0000000000000000${index}`)
  const [plan] = planSnapshots(ebsState(), [wholeDisk], snapshotRequestOf())
  expect(plan!.request).toMatchObject({ withoutRoot: true, without: others })
  const [both] = planSnapshots(ebsState(), [root, boot], snapshotRequestOf())
  expect(both!.request).toMatchObject({ withoutRoot: false, without: [DATA, ...others] })
  expect(JSON.stringify(both)).not.toContain('undefined')
})

test('no more are left out than EC2 lets one', () => {
  const volumes = Array.from({ length: 60 }, (_, index) => ({
    volumeId: `vol-000000000000001${String(index).padStart(2, '0')}`,
    deviceName: `/dev/xvd${index}`,
  }))
  const facts = { volumes: [...volumes, ...ebsState().facts.volumes], networkInterfaces: 1 }
  const [plan] = planSnapshots(ebsState({ facts }), [wholeDisk], snapshotRequestOf())
  expect(plan!.request.without).toHaveLength(40)
  expect(plan!.request.withoutRoot).toBe(false)
})

test('all that is made bears host, run and expiry, and what is kept expires later', () => {
  const tags = (ebsKeepLast: boolean) =>
    planSnapshots(ebsState(), [root], snapshotRequestOf({ ebsKeepLast }))[0]!.request.tags
  expect(tags(false)).toEqual({
    ...{ [Ec2Tag.host]: ARN, [Ec2Tag.run]: RUN },
    [Ec2Tag.expires]: '2026-02-02T04:05:06.000Z',
  })
  expect(tags(true)[Ec2Tag.expires]).toBe('2026-03-07T04:05:06.000Z')
  expect(volumeTags(tags(true))).toEqual(tags(false))
})

test('what two attempts made can be told apart, though both are of one run', () => {
  const plans = planSnapshots(ebsState(), [root], snapshotRequestOf({ ebsKeepLast: false }))
  expect(attemptOf(plans, 0)).toEqual(plans[0]!.request)
  expect(attemptOf(plans, 2).tags[Ec2Tag.expires]).toBe('2026-02-02T04:05:06.002Z')
  expect(() => attemptOf([], 0)).toThrow(RangeError)
})

test('a set of snapshots is one of every disk', () => {
  const plans = planSnapshots(ebsState(), [root, boot, wholeDisk], snapshotRequestOf())
  const snapshot = (volumeId: string) => ({
    ...{ snapshotId: `snap-${volumeId}`, volumeId, state: 'pending', detail: '', startedAt: new Date(0), tags: {} },
  })
  expect([...ofDisks(plans, [snapshot(ROOT), snapshot(DATA), snapshot('vol-other')])!.keys()]).toEqual([ROOT, DATA])
  expect(ofDisks(plans, [snapshot(ROOT)])).toBeUndefined()
})

test('partitions of a disk are read together, and no more disks than there are places', () => {
  const plansOf = (attachmentsMax: number | undefined) => {
    const limit = attachmentsMax === undefined ? undefined : { attachmentsMax, shared: false }
    return planSnapshots(ebsState({ limit }), [root, wholeDisk, boot], snapshotRequestOf())
  }
  const names = (attachmentsMax: number | undefined) =>
    planWaves(plansOf(attachmentsMax)).map((wave) => wave.map(({ origin }) => origin.volume))
  expect(names(27)).toEqual([['root', 'boot', 'srv']])
  expect(names(7)).toEqual([['root', 'boot'], ['srv']])
  expect(names(undefined)).toEqual([['root', 'boot'], ['srv']])
  expect(planWaves([])).toEqual([])
})

test('says what it is, of which disk', () => {
  const described = (changes: Parameters<typeof snapshotRequestOf>[0]) =>
    planSnapshots(ebsState(), [root, wholeDisk], snapshotRequestOf(changes)).map((plan) => [
      plan.originName,
      plan.description,
      plan.source.engine,
    ])
  expect(described({})).toEqual([
    [`${ROOT}, partition 3`, 'snapshot in EBS, the last of which is kept', 'snapshot'],
    [DATA, 'snapshot in EBS, the last of which is kept', 'snapshot'],
  ])
  expect(described({ ebsKeepLast: false })[1]).toEqual([DATA, 'snapshot in EBS', 'snapshot'])
  expect(described({ ebsEngine: 'clone' })[1]).toEqual([DATA, 'copy in EBS', 'clone'])
})

test('excludes are those within the filesystem', () => {
  const [plan] = planSnapshots(
    ebsState(),
    [wholeDisk],
    snapshotRequestOf({ exclude: ['/srv/cache', '/home', '*.tmp'] }),
  )
  expect(plan!.tar).toEqual(expect.arrayContaining(['--exclude=./cache', '--exclude=*.tmp']))
  expect(plan!.tar.join(' ')).not.toContain('home')
})

test('a copy is mounted by its device, so that its journal is replayed, and a vfat with the owners that its origin has', () => {
  expect(mountCopy(root, '/dev/nvme7n1p3', '/run/x').join(' ')).toBe(
    'mount --types xfs --options ro,nosuid,nodev,noexec,nouuid,X-mount.mkdir=0700 --source /dev/nvme7n1p3 --target /run/x',
  )
  const vfat = filesystem({ filesystem: 'vfat', mountOptions: 'rw,relatime,fmask=0077,utf8,errors=remount-ro,x=y' })
  expect(mountCopy(vfat, '/dev/nvme7n1p1', '/run/x')).toContain(
    'ro,nosuid,nodev,noexec,X-mount.mkdir=0700,fmask=0077,utf8',
  )
})

test('a run’s name says when it began', () => {
  expect(new Date(startOf(RUN)).toISOString()).toBe('2026-01-31T04:05:06.000Z')
  expect(startOf('no run')).toBeNaN()
})
