import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ebsSource } from '../../../agent/source/ebs/snapshots.io'
import { refusalOf } from '../../support/refusal'
import { markedIn, planScene, startScene, type Scene, type SceneOptions } from './scene'
import type { SnapshotRequest, SnapshotSource, SnapshotPlan } from '../../../agent/source/source'

let directory: string
let scene: Scene
let source: SnapshotSource

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'snapstream-ebs-'))
})
afterEach(async () => {
  await scene[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

async function begin(options: SceneOptions = {}): Promise<void> {
  scene = await startScene(options)
  source = ebsSource({
    ...{ runsDirectory: join(directory, 'runs'), uploadsDirectory: join(directory, 'uploads') },
    clock: scene.clock,
  })
}

const plan = (request: Partial<SnapshotRequest> = {}, ...mountPoints: readonly string[]) =>
  planScene(scene, source, request, ...mountPoints)
const marked = () => markedIn(scene)
const runs = () => readdir(join(directory, 'runs'))

async function readAll(plans: readonly SnapshotPlan[]): Promise<void> {
  await using snapshots = await source.take(scene.deps, plans)
  for (const wave of source.waves?.(plans) ?? []) {
    for (const plan of wave) {
      {
        await using mounted = await source.mount(scene.deps, plan)
        expect(mounted.tar.slice(0, 1)).toEqual(['nsenter'])
        await source.check(scene.deps, plan)
      }
      await snapshots.release(plan)
    }
  }
}

const mounts = () => scene.deps.host.ran.filter((line) => line.includes('-- mount'))

test('reads the partitions of a disk from one copy, and leaves the last snapshot of each disk', async () => {
  await begin()
  const plans = await plan()
  expect(plans.map(({ origin }) => origin.volume)).toEqual(['root', 'boot', 'boot.efi', 'srv.nvme1n1', 'srv.nvme2n1'])
  await readAll(plans)
  expect(scene.asked().filter((action) => /Create|Attach/.test(action))).toEqual([
    'CreateSnapshots',
    ...Array.from({ length: 3 }, () => ['CreateVolume', 'AttachVolume']).flat(),
  ])
  expect(mounts()).toHaveLength(5)
  expect(mounts()[0]).toMatch(
    /mount --types xfs --options ro,nosuid,nodev,noexec,nouuid,\S+ --source \/dev\/nvme3n1p3 /,
  )
  expect(mounts()[2]).toContain('--types vfat')
  expect(mounts()[2]).toMatch(/,fmask=0077,dmask=0077,codepage=437,shortname=winnt /)
  expect(mounts().join()).not.toMatch(/noload|norecovery|UUID|LABEL/)
  const { volumes, snapshots } = await marked()
  expect([volumes, snapshots.length]).toEqual([[], 3])
  expect(await runs()).toEqual([])
  expect(await source.findLeftovers(scene.deps, true)).toEqual([])
})

test('the last snapshot of a disk goes when the next one is complete', async () => {
  await begin({ dataDisks: 0 })
  await readAll(await plan())
  const before = (await marked()).snapshots
  await scene.clock.sleep(3600)
  await readAll(await plan({ run: '20260131T050506Z-abz278' }))
  const after = (await marked()).snapshots
  expect([before.length, after.length]).toEqual([1, 1])
  expect(after[0]!.snapshotId).not.toBe(before[0]!.snapshotId)
})

test('none stays where none is to be kept', async () => {
  await begin()
  await readAll(await plan({ ebsKeepLast: false }))
  expect(await marked()).toEqual({ volumes: [], snapshots: [] })
})

test('what was kept goes with the first run that keeps none', async () => {
  await begin({ dataDisks: 0 })
  await readAll(await plan())
  await scene.clock.sleep(3600)
  await readAll(await plan({ ebsKeepLast: false, run: '20260131T050506Z-abz278' }))
  expect(await marked()).toEqual({ volumes: [], snapshots: [] })
})

test('a snapshot that is not complete when the run ends becomes so, and those before it stay until then', async () => {
  await begin({ dataDisks: 0 })
  await readAll(await plan())
  await scene.clock.sleep(10_000)
  scene.service.configure({ pendingSeconds: 7200 })
  {
    await using _snapshots = await source.take(scene.deps, await plan({ run: '20260131T050506Z-abz278' }))
  }
  expect((await marked()).snapshots.map(({ state }) => state)).toEqual(['completed', 'pending'])
  await scene.clock.sleep(10_000)
  expect(await source.findLeftovers(scene.deps, true)).toHaveLength(1)
})

test('what says which snapshot it was comes with the mount', async () => {
  await begin({ dataDisks: 1 })
  const plans = await plan({}, '/srv/nvme1n1')
  await using _snapshots = await source.take(scene.deps, plans)
  await using mounted = await source.mount(scene.deps, plans[0]!)
  const [snapshot] = (await marked()).snapshots
  expect(mounted.source).toEqual({
    ...{ kind: 'ebs', volumeId: scene.instance.volumeIds[1], snapshotId: snapshot!.snapshotId },
    ...{ engine: 'snapshot', consistency: 'crash' },
  })
  // Only that disk: the root is left out by its own name.
  expect(snapshot).toMatchObject({ volumeId: scene.instance.volumeIds[1] })
})

describe('EC2 is slow', () => {
  test('and is waited for, for hours where need be', async () => {
    await begin({
      dataDisks: 0,
      settings: { pendingSeconds: 5 * 3600, creatingSeconds: 60, attachingSeconds: 20, discoverySeconds: 10 },
    })
    await readAll(await plan())
    expect(scene.deps.logged.join('\n')).toMatch(/info {2}EC2 has 0% of the snapshot of vol-/)
    expect(mounts()).toHaveLength(3)
  })

  test('to know what it has just made', async () => {
    await begin({ dataDisks: 0, settings: { unseenSeconds: 20 } })
    await readAll(await plan({ ebsKeepLast: false }))
    expect(mounts()).toHaveLength(3)
    await scene.clock.sleep(60)
    expect(await marked()).toEqual({ volumes: [], snapshots: [] })
  })

  test('to detach and to delete', async () => {
    await begin({ dataDisks: 0, settings: { detachingSeconds: 120, deletingSeconds: 300 } })
    await readAll(await plan())
    expect((await marked()).volumes.map(({ state }) => state)).toEqual(['deleting'])
    expect(await source.findLeftovers(scene.deps, true)).toEqual([])
  })
})

describe('what EC2 refuses is told as it is, and nothing is left', () => {
  test.each<[string, SceneOptions, object]>([
    [
      'snapshots that fail',
      { settings: { snapshotsEnd: 'error' } },
      { code: 'EC2_FAILED', message: /is in state error/ },
    ],
    ['copies whose key may not be used', { settings: { volumesEnd: 'error' } }, { hint: /kms:CreateGrant/ }],
    ['a copy that may not be attached', { settings: { denied: ['AttachVolume'] } }, { code: 'ACCESS_DENIED' }],
    [
      'a copy that may not be made',
      { settings: { denied: ['CreateVolume'] } },
      { message: /ec2:CreateVolume is denied/ },
    ],
  ])('%s', async (_, options, expected) => {
    await begin({ dataDisks: 0, ...options })
    const plans = await plan({ ebsKeepLast: false })
    {
      await using _snapshots = await source.take(scene.deps, plans)
      const refusal = await refusalOf(source.mount(scene.deps, plans[0]!))
      for (const [name, value] of Object.entries(expected)) {
        expect(refusal[name as 'hint']).toEqual(
          value instanceof RegExp ? (expect.stringMatching(value) as string) : value,
        )
      }
    }
    scene.service.configure({ denied: [] })
    expect(await marked()).toEqual({ volumes: [], snapshots: [] })
  })
})
