import type { LogicalVolume } from '../../../agent/source/lvm/reports'
import { checkHealth, planRelief } from '../../../agent/source/lvm/health'
import { planAll, storage } from '../../support/storage'

const before = { thick: [{ sizeMiB: 1000 }], thin: [{ thinPool: 'pool' }, { name: 'pool', dataPercent: 50 }] }

/** A host whose volume at /srv has a mounted snapshot in this state. */
function snapshotted(
  kind: 'thick' | 'thin',
  state: Partial<LogicalVolume> & { sizeMiB?: number },
  pool = {},
  freeMiB = 1024,
) {
  const host = storage({ logicalVolumes: before[kind], mounts: [{ of: 0 }] })
  const [plan] = planAll(host)
  if (!plan) throw new Error('nothing planned')
  const [origin, ...others] = before[kind]
  const after = storage({
    freeMiB,
    logicalVolumes: [
      { ...origin },
      { name: plan.name, sizeMiB: 200, origin: 'lv0', ...state },
      ...others.map((other) => ({ ...other, ...pool })),
    ],
    mounts: [{ of: 0 }, { of: 1, target: plan.mountPoint }],
  })
  return { plan, after }
}

test.each(['thick', 'thin'] as const)('a sound %s snapshot has no fault', (kind) => {
  const { plan, after } = snapshotted(kind, { dataPercent: 99.9 })
  expect(checkHealth(after, plan)).toBeUndefined()
})

test.each([
  ['that LVM calls invalid', { invalid: true }, /overflowed/],
  ['that is full, whatever LVM calls it', { dataPercent: 100 }, /overflowed/],
  ['with failing disks', { health: 'partial' }, /LVM reports 'partial'/],
])('a thick snapshot %s must not be trusted', (_what, state, fault) => {
  const { plan, after } = snapshotted('thick', state)
  expect(checkHealth(after, plan)).toMatch(fault)
  expect(planRelief(after, plan)).toEqual({ abandon: expect.stringMatching(fault) as string })
})

test('a snapshot that somebody removed must not be trusted', () => {
  const { plan, after } = snapshotted('thick', {})
  expect(checkHealth({ ...after, logicalVolumes: after.logicalVolumes.slice(0, 1) }, plan)).toBe('the snapshot is gone')
})

test.each([
  ['unmounted', []],
  ['covered by another mount', [{ of: 0 }]],
])('a snapshot that somebody has %s must not be trusted', (_what, covering) => {
  const { plan, after } = snapshotted('thick', {})
  const { mounts } = storage({ mounts: covering.map((mount) => ({ ...mount, target: plan.mountPoint })) })
  expect(checkHealth({ ...after, mounts: [...after.mounts.slice(0, 1), ...mounts] }, plan)).toMatch(
    'no longer mounted at',
  )
})

test.each([
  ['failed', /LVM reports 'failed'/],
  ['metadata_read_only', /LVM reports/],
])('a thin snapshot in a pool that is %s must not be trusted', (health, fault) => {
  const { plan, after } = snapshotted('thin', {}, { health })
  expect(checkHealth(after, plan)).toMatch(fault)
})

test('a pool out of space refuses writes, but its snapshots read as they were', () => {
  const { plan, after } = snapshotted('thin', {}, { health: 'out_of_data', dataPercent: 100 })
  expect(checkHealth(after, plan)).toBeUndefined()
})

describe('a filling thick snapshot', () => {
  const relief = (state: Partial<LogicalVolume> & { sizeMiB?: number }, freeMiB?: number) => {
    const { plan, after } = snapshotted('thick', state, {}, freeMiB)
    const found = planRelief(after, plan)
    return found && 'extend' in found ? found.extend.join(' ').replace(/snapstream_\w+/, 'SNAPSHOT') : found
  }

  test.each([
    ['is left alone below 70%', { dataPercent: 69.9 }, 1024, undefined],
    ['gets half of its size more', { dataPercent: 70 }, 1024, 'lvextend --extents +25 vg/SNAPSHOT'],
    ['gets what there is', { dataPercent: 95 }, 12, 'lvextend --extents +3 vg/SNAPSHOT'],
    ['has to do where there is nothing', { dataPercent: 95 }, 0, undefined],
    ['gets no more than a full copy', { dataPercent: 80, sizeMiB: 1000 }, 1024, 'lvextend --extents +3 vg/SNAPSHOT'],
    ['needs no more than a full copy', { dataPercent: 80, sizeMiB: 1012 }, 1024, undefined],
  ])('%s', (_what, state, freeMiB, expected) => {
    expect(relief(state, freeMiB)).toEqual(expected)
  })
})

test.each([
  ['data', { dataPercent: 98.2, metadataPercent: 20 }],
  ['metadata', { dataPercent: 50, metadataPercent: 98.2 }],
])('a backup is given up before the %s of a thin pool is full', (_what, pool) => {
  const { plan, after } = snapshotted('thin', {}, pool)
  expect(planRelief(after, plan)).toEqual({
    abandon: 'thin pool vg/pool is 98.2% full; without the snapshot its volumes can go on',
  })
})
