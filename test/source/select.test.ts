import { parseSourceChoice } from '../../agent/source/choice'
import { selectVolumes as select, type VolumeFilter } from '../../agent/source/select'
import type { Survey } from '../../agent/source/source'
import { refusal } from '../support/refusal'
import { capturedStorage, storage, surveyOf, type HostStorage } from '../support/storage'

const selectVolumes = (host: HostStorage, filter?: VolumeFilter) => select(surveyOf(host), filter)
const mountPoints = (host: HostStorage, filter?: VolumeFilter) =>
  selectVolumes(host, filter).volumes.map(({ mountPoint }) => mountPoint)
const skipped = (host: HostStorage) =>
  Object.fromEntries(selectVolumes(host).skipped.map(({ mountPoint, reason }) => [mountPoint, reason]))

/** At /srv, beside whatever else a test is about. */
const volume = { logicalVolumes: [{}, {}], mounts: [{ of: 0 }] }

describe('on a host with every kind of volume', () => {
  const host = capturedStorage()

  test('every logical volume with a mounted ext4 or xfs is backed up, parents first', () => {
    expect(mountPoints(host)).toEqual(['/srv', '/srv/home', '/srv/home/mail', '/srv/plain/db'])
    expect(selectVolumes(host).volumes[3]).toMatchObject({
      group: 'vg1',
      name: 'db-1',
      volume: 'vg1-db--1',
      filesystem: 'xfs',
      thinPool: 'pool',
      usedBytes: expect.any(Number) as number,
      uuid: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    })
  })

  test('whatever else lies on LVM is named with the reason', () => {
    expect(skipped(host)).toEqual({
      '/secret': 'a crypt layer lies between it and its logical volume, and a snapshot could not be read without that',
      '/scratch': 'its logical volume is tagged snapstream.skip',
      '/mnt/foreign': 'it is itself a snapshot, of vg0/srv',
    })
  })

  test('one whose name would speak to a terminal is left out, rather than making its run unreadable', () => {
    const mounted = (mount: object) => skipped(storage({ ...volume, mounts: [{ of: 0 }, { of: 1, ...mount }] }))
    const reason = expect.stringContaining('control characters') as string
    expect(mounted({ target: '/home/\u001b[2K' })).toEqual({ '/home/\u001b[2K': reason })
    expect(mounted({ target: '/data', label: 'a\nb' })).toEqual({ '/data': reason })
    expect(mounted({ target: '/data', label: 'größe' })).toEqual({})
  })

  test('filesystems on plain disks are named, memory and system filesystems are not', () => {
    expect(selectVolumes(host).unsupported).toEqual([
      { mountPoint: '/srv/plain', device: '/dev/ubde', filesystem: 'ext4', reason: 'not on LVM' },
    ])
  })

  test('chosen volumes are backed up, the others are named', () => {
    const selection = selectVolumes(host, { volumes: ['/srv', '/srv/home/mail'] })
    expect(selection.volumes.map(({ mountPoint }) => mountPoint)).toEqual(['/srv', '/srv/home/mail'])
    expect(selection.skipped).toContainEqual(
      expect.objectContaining({ mountPoint: '/srv/home', reason: 'not among --volumes' }),
    )
  })

  test('a volume may be chosen by any of its mount points', () => {
    expect(mountPoints(host, { volumes: ['/mnt/second-mount'] })).toEqual(['/srv'])
  })

  test('excluded volumes are not backed up', () => {
    expect(mountPoints(host, { excludeVolumes: ['/srv/home', '/scratch'] })).toEqual([
      '/srv',
      '/srv/home/mail',
      '/srv/plain/db',
    ])
  })

  test.each([
    [{ volumes: ['/srv/hom'] }, 'UNKNOWN_VOLUME', 'no volume is mounted at /srv/hom', 'Did you mean /srv/home?'],
    [{ volumes: ['/srv/home/mail/inbox/2026'] }, 'UNKNOWN_VOLUME', '', 'a directory of the volume at /srv/home/mail'],
    [{ excludeVolumes: ['/var/lib/mysql'] }, 'UNKNOWN_VOLUME', 'at /var/lib/mysql', 'There are: /mnt/foreign, '],
    [{ volumes: ['/srv/plain'] }, 'VOLUME_UNSUPPORTED', '/srv/plain cannot be backed up: not on LVM', '--volumes'],
    [{ volumes: ['/srv'], excludeVolumes: ['/srv'] }, 'NO_VOLUME', 'no volume', '/srv (excluded by --exclude-volumes)'],
  ])('%j is refused with %s', (filter, code, message, hint) => {
    const told = refusal(() => selectVolumes(host, filter))
    expect(told.code).toBe(code)
    expect(told.message).toContain(message)
    expect(told.hint).toContain(hint)
  })
})

test.each([
  ['btrfs', { filesystem: 'btrfs', deviceNumber: '0:40' }, /the same id/],
  ['vfat', { filesystem: 'vfat' }, /vfat is not supported/],
  ['a directory of it alone', { root: '/part' }, /only its directory \/part is mounted/],
])('of an unfit volume, %s, the reason is given', (_what, mount, reason) => {
  const host = storage({ ...volume, mounts: [{ of: 0 }, { of: 1, target: '/data', ...mount }] })
  expect(mountPoints(host)).toEqual(['/srv'])
  expect(skipped(host)['/data']).toMatch(reason)
})

test('a volume mounted more than once is backed up once, by its shortest mount point', () => {
  const mounts = [
    { of: 0, target: '/mnt/somewhere/else' },
    { of: 0, target: '/b', root: '/part' },
    { of: 0, target: '/data' },
    { of: 0, target: '/home' },
  ]
  expect(mountPoints(storage({ ...volume, mounts }))).toEqual(['/data'])
})

test('of two volumes mounted over each other, the visible one is backed up', () => {
  const host = storage({ ...volume, mounts: [{ of: 0 }, { of: 1 }] })
  expect(selectVolumes(host).volumes.map(({ volume }) => volume)).toEqual(['vg-lv1'])
  expect(selectVolumes(host).skipped).toMatchObject([{ device: '/dev/mapper/vg-lv0', reason: /mounted over it/ }])
})

test('what a killed run left mounted is no volume', () => {
  const host = storage({ ...volume, mounts: [{ of: 0 }, { of: 1, target: '/run/snapstream/r/srv' }] })
  expect([mountPoints(host), skipped(host)]).toEqual([['/srv'], {}])
})

test.each([
  ['an image', { filesystem: 'squashfs', deviceNumber: '7:0' }],
  ['a file of another filesystem', { deviceNumber: '7:1' }],
  ['a network filesystem', { of: 'server:/export', filesystem: 'nfs4' }],
  ['a filesystem in a program', { of: '/dev/fuse', filesystem: 'fuse.portal' }],
])('%s is not missed', (_what, mount) => {
  const devices = [{ deviceNumber: '7:1', type: 'loop', below: [] }]
  const host = storage({ ...volume, mounts: [{ of: 0 }, { of: '/dev/loop0', target: '/x', ...mount }], devices })
  expect(selectVolumes(host).unsupported).toEqual([])
})

test.each([
  ['a partition', { of: '/dev/nvme0n1p1', deviceNumber: '259:1' }],
  ['btrfs on a partition', { of: '/dev/nvme0n1p2', filesystem: 'btrfs' }],
  ['zfs', { of: 'tank/home', filesystem: 'zfs' }],
])('%s is named as not backed up', (_what, mount) => {
  const host = storage({ ...volume, mounts: [{ of: 0 }, { target: '/x', ...mount }] })
  expect(selectVolumes(host).unsupported).toMatchObject([{ mountPoint: '/x', reason: 'not on LVM' }])
})

test('a host without any volume is told what a volume is, and what there is instead', () => {
  const host = storage({ mounts: [{ of: '/dev/nvme0n1p1', deviceNumber: '259:1', target: '/' }] })
  expect(refusal(() => selectVolumes(host))).toMatchObject({
    code: 'NO_VOLUME',
    hint: expect.stringMatching(/logical volume of LVM .* Not backed up are: \/ \(not on LVM\)/) as string,
  })
})

describe('a volume in no state to be snapshotted', () => {
  const host = storage({
    logicalVolumes: [{}, { suspended: true }, { unreadable: 'lv_size is "64m"' }],
    mounts: [
      { of: 0, target: '/good' },
      { of: 1, target: '/hangs' },
      { of: 2, target: '/odd' },
      { of: '/dev/mapper/vg-hidden', target: '/hidden', deviceNumber: '254:9' },
    ],
    devices: [{ deviceNumber: '254:9', type: 'lvm', below: ['disk'] }],
  })

  test('is missing from the backup of the others, with the reason', () => {
    expect(mountPoints(host)).toEqual(['/good'])
    expect(selectVolumes(host).unfit.map(({ mountPoint, reason }) => [mountPoint, reason])).toEqual([
      ['/hangs', 'vg/lv1 is suspended, so that everything that uses it waits'],
      ['/odd', 'what lvs reports of vg/lv2 is not understood: lv_size is "64m"'],
      ['/hidden', 'lvs does not list its logical volume'],
    ])
  })

  test('does not keep those from being backed up that were chosen beside it', () => {
    expect(selectVolumes(host, { volumes: ['/good', '/hangs'] })).toMatchObject({
      volumes: [{ mountPoint: '/good' }],
      unfit: [{ mountPoint: '/hangs' }],
    })
  })

  test('is no loss where it was excluded', () => {
    const { unfit, skipped: others } = selectVolumes(host, { excludeVolumes: ['/hangs', '/odd', '/hidden'] })
    expect(unfit).toEqual([])
    expect(others.map(({ mountPoint }) => mountPoint)).toEqual(['/hangs', '/odd', '/hidden'])
  })
})

describe('with a second source that can have everything', () => {
  const host = storage({
    logicalVolumes: [{}, {}],
    mounts: [{ of: 0 }, { of: '/dev/nvme0n1p2', target: '/boot', deviceNumber: '259:2' }],
  })
  const [lvm] = surveyOf(host).surveys as [Survey]
  const claimAll: Survey = {
    ...lvm,
    kind: 'other' as Survey['kind'],
    absence: () => 'not there for it',
    claim: ({ mount }) => ({
      volume: { ...select(surveyOf(host)).volumes[0]!, kind: 'other' as Survey['kind'], mountPoint: mount.target },
    }),
  }
  const selectBy = (...source: readonly string[]) =>
    select({ ...surveyOf(host), surveys: [lvm, claimAll], choice: parseSourceChoice(source) })
  const by = (...source: readonly string[]) =>
    selectBy(...source).sources.map(({ mountPoint, source, reason }) => [mountPoint, source, reason])

  test('each filesystem has the first that can, and the operator is told why not one before it', () => {
    expect(by()).toEqual([
      ['/boot', 'other', 'not on LVM'],
      ['/srv', 'lvm', 'the best there is'],
    ])
  })

  test('a source that was chosen has all that it can, and no other has any', () => {
    expect(by('lvm')).toEqual([['/srv', 'lvm', 'chosen with --source']])
  })

  test('a filesystem that was to have a source which cannot is a failure of its own, and no mere remark', () => {
    const { volumes, unfit, unsupported } = selectBy('/boot=lvm')
    expect(volumes.map(({ mountPoint }) => mountPoint)).toEqual(['/srv'])
    expect(unfit).toMatchObject([
      {
        mountPoint: '/boot',
        reason: '--source wants it from lvm: not on LVM',
        remedy: 'Give it another source, or none',
      },
    ])
    expect(unsupported).toEqual([])
    expect(selectBy('lvm')).toMatchObject({ unfit: [], unsupported: [{ mountPoint: '/boot' }] })
  })

  test('a source that was chosen for a mount point where nothing is mounted is a mistake', () => {
    expect(refusal(() => by('/svr=lvm'))).toMatchObject({
      code: 'UNKNOWN_VOLUME',
      hint: expect.stringContaining('Did you mean /srv?') as string,
    })
  })
})
