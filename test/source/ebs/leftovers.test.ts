import { Ec2Tag } from '../../../agent/contract'
import { findLeftovers, keptSnapshots, ofUploads } from '../../../agent/source/ebs/leftovers'
import { tagsOf } from '../../../agent/source/ebs/plan'
import { ARN, DATA, ROOT } from './state'
import type { EbsSnapshot, EbsVolume } from '../../../agent/ec2'

const [OLD, NEW] = ['20260130T040506Z-aaaaaa', '20260131T040506Z-bbbbbb'] as const

const snapshot = (
  snapshotId: string,
  run: string,
  changes: Partial<EbsSnapshot> & { readonly keep?: boolean } = {},
) => {
  const { keep = true, ...rest } = changes
  return {
    ...{ snapshotId, volumeId: ROOT, state: 'completed', detail: '', tags: tagsOf(ARN, run, keep) },
    startedAt: new Date(run === OLD ? 1000 : 2000),
    ...rest,
  }
}
const volume = (volumeId: string, run: string, changes: Partial<EbsVolume> = {}): EbsVolume => ({
  ...{ volumeId, state: 'in-use', createdAt: new Date(0), tags: tagsOf(ARN, run, false), ...changes },
})
const names = (...parameters: Parameters<typeof findLeftovers>) =>
  findLeftovers(...parameters).map(({ name }) => name.split(' ')[0])
const onlySnapshots = (...snapshots: readonly EbsSnapshot[]) => ({ volumes: [], snapshots })

test('of each disk, the last complete snapshot that was made to be kept is none', () => {
  const snapshots = [snapshot('snap-1', OLD), snapshot('snap-2', NEW), snapshot('snap-3', OLD, { volumeId: DATA })]
  expect(names(onlySnapshots(...snapshots), ARN, [ROOT, DATA])).toEqual(['snap-1'])
  expect(keptSnapshots(snapshots, [ROOT]).map(({ snapshotId }) => snapshotId)).toEqual(['snap-2'])
})

test.each([
  ['failed', { state: 'error' }],
  ['is not complete', { state: 'pending' }],
  ['was not made to be kept', { keep: false }],
])('one that %s does not take the place of the last', (_, changes) => {
  expect(names(onlySnapshots(snapshot('snap-1', OLD), snapshot('snap-2', NEW, changes)), ARN, [ROOT])).toEqual([
    'snap-2',
  ])
})

test('of a disk that is gone, nothing is kept', () => {
  expect(names(onlySnapshots(snapshot('snap-1', OLD)), ARN, [DATA])).toEqual(['snap-1'])
})

test('of what has expired, nothing is kept: the host has not been backed up so for weeks', () => {
  const marked = onlySnapshots(snapshot('snap-1', OLD))
  expect(names(marked, ARN, [ROOT], { now: new Date('2026-03-01T00:00:00Z') })).toEqual([])
  expect(names(marked, ARN, [ROOT], { now: new Date('2026-03-07T00:00:00Z') })).toEqual(['snap-1'])
})

test('copies are, wherever they are; but not those that are going', () => {
  const volumes = [
    ...[
      volume('vol-1', OLD),
      volume('vol-2', NEW, { state: 'available' }),
      volume('vol-3', OLD, { state: 'deleting' }),
    ],
  ]
  expect(names({ volumes, snapshots: [] }, ARN, [])).toEqual(['vol-1', 'vol-2'])
})

test('a run that is under way sees to its own', () => {
  const marked = { volumes: [volume('vol-1', OLD), volume('vol-2', NEW)], snapshots: [snapshot('snap-2', NEW)] }
  expect(names(marked, ARN, [], { current: NEW })).toEqual(['vol-1'])
})

test('what bears another host’s mark, or none, is nobody’s leftover', () => {
  const foreign = tagsOf(`${ARN}0`, OLD, true)
  const without = { [Ec2Tag.run]: OLD }
  const snapshots = [snapshot('snap-1', OLD, { tags: foreign }), snapshot('snap-2', OLD, { tags: without })]
  expect(names({ volumes: [volume('vol-1', OLD, { tags: foreign })], snapshots }, ARN, [])).toEqual([])
})

test('unfinished uploads are told with their run', () => {
  const uploads = [{ key: 'data/x', uploadId: '1' }]
  expect(ofUploads({ kind: 'ebs', run: OLD, volume: 'root', uploads })).toEqual({
    ...{ kind: 'ebs', name: `uploads of root, run ${OLD}`, run: OLD, uploads, resource: { remembered: 'root' } },
  })
})
