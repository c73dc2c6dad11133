import type { SnapshotSize } from '../../../agent/options/types'
import { refusal } from '../../support/refusal'
import { capturedStorage, planAll, storage } from '../../support/storage'

const MIB = 1024 * 1024
const run = '20260131T040506Z-abz277'

const plan = (host: ReturnType<typeof storage>, size?: SnapshotSize) => planAll(host, size, run)

/** Volumes of these sizes, all mounted. */
function thick(freeMiB: number, ...sizesMiB: number[]) {
  return storage({
    freeMiB,
    logicalVolumes: sizesMiB.map((sizeMiB) => ({ sizeMiB })),
    mounts: sizesMiB.map((_, of) => ({ of, target: `/${of}` })),
  })
}

function thin(pool: { dataPercent: number; metadataPercent?: number; health?: string }) {
  return storage({
    logicalVolumes: [{ thinPool: 'pool' }, { name: 'pool', metadataPercent: 10, ...pool }],
    mounts: [{ of: 0 }],
  })
}

const sizesMiB = (host: ReturnType<typeof storage>, size?: SnapshotSize) =>
  plan(host, size).map(({ source }) => source.snapshot.sizeBytes / MIB)

test('a thick snapshot is taken writable, so that its journal can be replayed, and mounted read-only', () => {
  const [first] = plan(thick(10_240, 10_240))
  expect(first).toMatchObject({
    source: { kind: 'lvm', group: 'vg', name: 'lv0', snapshot: { type: 'thick' } },
    name: 'snapstream_20260131T040506Z_abz277_0',
    device: '/dev/vg/snapstream_20260131T040506Z_abz277_0',
    mountPoint: `/run/snapstream/${run}/vg-lv0`,
  })
  expect(first?.create.join(' ')).toBe(
    'lvcreate --yes --snapshot --extents 512 --permission rw ' +
      '--name snapstream_20260131T040506Z_abz277_0 --addtag snapstream ' +
      '--addtag snapstream.run=20260131T040506Z-abz277 vg/lv0',
  )
  expect(first?.mount.join(' ')).toBe(
    'mount --types ext4 --options ro,nosuid,nodev,noexec,X-mount.mkdir=0700 ' +
      `--source /dev/vg/snapstream_20260131T040506Z_abz277_0 --target /run/snapstream/${run}/vg-lv0`,
  )
})

test('a thin snapshot takes no space, and is active now but not after a reboot', () => {
  const [first] = plan(thin({ dataPercent: 50 }))
  expect(first).toMatchObject({ source: { snapshot: { type: 'thin', sizeBytes: 0 } } })
  expect(first?.create).toEqual(expect.arrayContaining(['--activate', 'y', '--ignoreactivationskip']))
  expect(first?.create).not.toContain('--extents')
})

test('XFS is told to mount the id of its origin a second time', () => {
  const plans = plan(capturedStorage(), { kind: 'auto' })
  expect(plans.map(({ mount }) => mount.join(' ').includes('nouuid'))).toEqual([false, true, false, true])
})

test('snapshots are mounted side by side, so that each mount point below is archived as the directory it is', () => {
  const plans = plan(capturedStorage(), { kind: 'auto' })
  expect(plans.map(({ origin, mountPoint }) => [origin.mountPoint, mountPoint])).toEqual([
    ['/srv', `/run/snapstream/${run}/vg0-srv`],
    ['/srv/home', `/run/snapstream/${run}/vg0-home`],
    ['/srv/home/mail', `/run/snapstream/${run}/vg1-mail`],
    ['/srv/plain/db', `/run/snapstream/${run}/vg1-db--1`],
  ])
})

describe('space for thick snapshots', () => {
  test.each<[string, number, number[], number[]]>([
    ['a fifth of each volume, where there is enough', 10_240, [10_240, 5120], [2048, 1024]],
    ['32 MiB at least', 10_240, [64], [32]],
    ['of tiny volumes, no more than a full copy', 10_240, [16], [20]],
    ['a quarter of what is free is kept back', 2048, [10_240], [1536]],
    ['less than wanted is shared out in proportion, in whole extents', 2048, [10_240, 5120], [1020, 512]],
  ])('%s', (_what, freeMiB, volumes, expected) => {
    expect(sizesMiB(thick(freeMiB, ...volumes))).toEqual(expected)
  })

  test.each<[string, SnapshotSize, number[]]>([
    ['a share of each volume', { kind: 'percent', percent: 15 }, [1536, 768]],
    ['the same for each', { kind: 'bytes', sizeBytes: 10 * MIB }, [12, 12]],
    ['no more than a full copy', { kind: 'bytes', sizeBytes: 10_000 * MIB }, [10_000, 5172]],
  ])('as told: %s', (_what, size, expected) => {
    expect(sizesMiB(thick(20_000, 10_240, 5120), size)).toEqual(expected)
  })

  test('too little is refused with the arithmetic and the ways out', () => {
    const told = refusal(() => plan(thick(400, 10_240, 5120)))
    expect(told.code).toBe('SNAPSHOT_SPACE')
    expect(told.message).toBe(
      'volume group vg has 300 MiB for snapshots (25% are kept back), they need at least 464 MiB: ' +
        '/0 308 MiB, /1 156 MiB',
    )
    for (const way of ['vgextend vg DEVICE', '--snapshot-size', '--exclude-volumes', 'thin pool']) {
      expect(told.hint).toContain(way)
    }
  })

  test('less than was told is refused, too', () => {
    const told = refusal(() => plan(thick(1000, 1024, 1024), { kind: 'bytes', sizeBytes: 600 * MIB }))
    expect(told.message).toBe(
      'volume group vg has 1000 MiB for snapshots, they need at least 1.2 GiB: /0 600 MiB, /1 600 MiB',
    )
  })

  test('a volume in a thin pool needs none, even in a full group', () => {
    const host = storage({
      freeMiB: 0,
      logicalVolumes: [{ thinPool: 'pool' }, { name: 'pool', dataPercent: 10 }],
      mounts: [{ of: 0 }],
    })
    expect(sizesMiB(host)).toEqual([0])
  })
})

test.each([
  ['data', { dataPercent: 90.1 }, 'its data is 90.1% full, more than 90%'],
  ['metadata', { dataPercent: 5, metadataPercent: 88 }, 'its metadata is 88% full, more than 85%'],
  ['health', { dataPercent: 5, health: 'metadata_read_only' }, "LVM reports 'metadata_read_only'"],
])('a thin pool without room (%s) gets no snapshot', (_what, pool, fault) => {
  const told = refusal(() => plan(thin(pool)))
  expect(told).toMatchObject({
    code: 'SNAPSHOT_SPACE',
    message: `thin pool vg/pool has no room for snapshots: ${fault}`,
    hint: expect.stringContaining('--exclude-volumes /srv') as string,
  })
})

test('a full pool concerns only those who have volumes in it', () => {
  const host = storage({
    logicalVolumes: [{}, { thinPool: 'pool' }, { name: 'pool', dataPercent: 99 }],
    mounts: [{ of: 0 }],
  })
  expect(plan(host)).toHaveLength(1)
})
