import { planReaping, type ReapCase } from '../../../fleet/audit/reap'
import type { EbsSnapshot, EbsVolume } from '../../../agent/ec2'

const account = '123456789012'
const host = `arn:aws:ec2:eu-west-1:${account}:instance/i-0aaaaaaaaaaaaaaaa`
const now = Date.parse('2026-11-28T02:00:00Z') / 1000
const over = '2026-11-28T01:59:59.000Z'
const marks = (changes = {}) => ({
  'snapstream:host': host,
  'snapstream:run': '20261126T010000Z-abc123',
  'snapstream:expires': over,
  ...changes,
})
const volume = (changes: Partial<EbsVolume> = {}): EbsVolume => ({
  volumeId: 'vol-1',
  state: 'available',
  createdAt: new Date(0),
  tags: marks(),
  ...changes,
})
const snapshot = (changes: Partial<EbsSnapshot> = {}): EbsSnapshot => ({
  snapshotId: 'snap-1',
  volumeId: 'vol-0',
  state: 'completed',
  detail: '',
  startedAt: new Date(0),
  tags: marks(),
  ...changes,
})
const plan = (changes: Partial<ReapCase>) =>
  planReaping({ volumes: [], snapshots: [], power: new Map(), account, now, ...changes })
const nothing = { detach: [], deleteVolumes: [], deleteSnapshots: [], leftToHosts: [] }

test('what has expired and is used by nobody goes', () => {
  expect(plan({ volumes: [volume()], snapshots: [snapshot()] })).toEqual({
    ...nothing,
    deleteVolumes: ['vol-1'],
    deleteSnapshots: ['snap-1'],
  })
})

test('what EC2 could not make goes, too', () => {
  const failed = { volumes: [volume({ state: 'error' })], snapshots: [snapshot({ state: 'error' })] }
  expect(plan(failed)).toMatchObject({ deleteVolumes: ['vol-1'], deleteSnapshots: ['snap-1'] })
})

const attachment = { instanceId: 'i-0aaaaaaaaaaaaaaaa', deviceName: '/dev/sdz', state: 'attached' }
const attached = volume({ state: 'in-use', attachment })

test('a copy of a running host is left to its next backup, which removes it', () => {
  expect(plan({ volumes: [attached], power: new Map([[attachment.instanceId, 'running']]) })).toEqual({
    ...nothing,
    leftToHosts: ['vol-1'],
  })
})

test('a copy of a stopped host is detached, before that host boots from it', () => {
  expect(plan({ volumes: [attached], power: new Map([[attachment.instanceId, 'stopped']]) })).toEqual({
    ...nothing,
    detach: [{ volumeId: 'vol-1', instanceId: attachment.instanceId }],
  })
})

test('where nobody knows whether the host runs, nothing is detached', () => {
  expect(plan({ volumes: [attached] })).toEqual({ ...nothing, leftToHosts: ['vol-1'] })
})

test.each([
  ['has not expired', { 'snapstream:expires': '2026-11-28T02:00:01.000Z' }],
  ['does not say when it expires', { 'snapstream:expires': 'soon' }],
  ['has no such tag', { 'snapstream:expires': undefined }],
  ["is of another account's host", { 'snapstream:host': host.replace(account, '222222222222') }],
  ['is of what is no instance', { 'snapstream:host': 'db-1' }],
  ['is of no run', { 'snapstream:run': 'by hand' }],
  ['is what an operator lets a host clone', { 'snapstream:source': host }],
])('what %s stays', (_, changes) => {
  const tags = marks(changes) as Record<string, string>
  expect(plan({ volumes: [volume({ tags })], snapshots: [snapshot({ tags })] })).toEqual(nothing)
})

test.each(['creating', 'deleting', 'deleted'])('a volume that is %s is left alone', (state) => {
  expect(plan({ volumes: [volume({ state })] })).toEqual(nothing)
})
