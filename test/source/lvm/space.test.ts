import { freeExtents, fullCopyBytes } from '../../../agent/source/lvm/space'
import type { SnapshotSize } from '../../../agent/options/types'
import { refusal } from '../../support/refusal'
import { planAll, storage, thick, thin, type HostStorage } from '../../support/storage'

const MIB = 1024 * 1024

const sizesMiB = (host: HostStorage, size?: SnapshotSize) =>
  planAll(host, size).map(({ source }) => source.snapshot.sizeBytes / MIB)

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
    const told = refusal(() => planAll(thick(400, 10_240, 5120)))
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
    const told = refusal(() => planAll(thick(1000, 1024, 1024), { kind: 'bytes', sizeBytes: 600 * MIB }))
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
  const told = refusal(() => planAll(thin(pool)))
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
  expect(planAll(host)).toHaveLength(1)
})

test('an extent that is not free as a whole is none', () => {
  expect(freeExtents({ name: 'vg', sizeBytes: 0, freeBytes: 3 * 4096 - 1, extentBytes: 4096 })).toBe(2)
  expect(fullCopyBytes(100 * MIB)).toBe(101 * MIB)
})
