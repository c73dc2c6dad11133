import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ebsSource } from '../../../agent/source/ebs/snapshots.io'
import { HANG_UP } from '../../servers/ec2'
import { markedIn, planScene, startScene, type Scene } from './scene'
import type { SnapshotRequest, SnapshotSource } from '../../../agent/source/source'

let directory: string
let scene: Scene
let source: SnapshotSource

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'snapstream-ebs-'))
  scene = await startScene({ dataDisks: 1 })
  source = ebsSource({ runsDirectory: directory, uploadsDirectory: directory, clock: scene.clock })
})
afterEach(async () => {
  await scene[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

const plan = (request: Partial<SnapshotRequest> = {}) => planScene(scene, source, { ebsEngine: 'clone', ...request })

/** @returns what the manifest says of each */
async function readAll(request: Partial<SnapshotRequest> = {}) {
  const plans = await plan(request)
  const records = []
  {
    await using _snapshots = await source.take(scene.deps, plans)
    for (const one of plans) {
      await using mounted = await source.mount(scene.deps, one)
      records.push(mounted.source)
    }
  }
  expect((await markedIn(scene)).volumes).toEqual([])
  return records
}

test('each disk is copied once, without a snapshot', async () => {
  const records = await readAll()
  const [root, data] = scene.instance.volumeIds
  expect(records).toHaveLength(4)
  expect(records.at(-1)).toEqual({ kind: 'ebs', volumeId: data, engine: 'clone', consistency: 'crash' })
  expect(records[0]).toEqual({ kind: 'ebs', volumeId: root, partition: 3, engine: 'clone', consistency: 'crash' })
  expect((await markedIn(scene)).snapshots).toEqual([])
})

test.each(['CopyVolumesLimitExceeded', 'UnauthorizedOperation', HANG_UP])(
  'where EC2 answers with %s, snapshots are taken of all disks, and no copy stays',
  async (code) => {
    const plans = await plan()
    scene.service.inject({ action: 'CopyVolumes', delaySeconds: 0 }) // the first disk is copied, the second not
    scene.service.inject({ action: 'CopyVolumes', code, takesEffect: code === HANG_UP })
    {
      await using _snapshots = await source.take(scene.deps, plans)
      expect((await markedIn(scene)).volumes).toEqual([])
      await using mounted = await source.mount(scene.deps, plans[0]!)
      expect(mounted.source).toMatchObject({
        engine: 'snapshot',
        snapshotId: expect.stringMatching(/^snap-/) as string,
      })
    }
    expect(scene.deps.logged.join('\n')).toContain('disks are not copied without snapshots')
    expect(await markedIn(scene)).toEqual({ volumes: [], snapshots: [] })
  },
)

test('nothing is frozen for them, and that is said', async () => {
  await readAll({ freeze: true })
  expect(scene.deps.logged.join('\n')).toContain('nothing is frozen')
})

test('what is copied when the run is interrupted does not stay', async () => {
  const plans = await plan()
  const interruption = new AbortController()
  scene.service.inject({ action: 'CopyVolumes', delaySeconds: 0 })
  scene.service.inject({ action: 'CopyVolumes', delaySeconds: 30 })
  const taking = source.take({ ...scene.deps, signal: interruption.signal }, plans)
  const isUnderWay = () => scene.service.requests.some(({ action }) => action === 'CopyVolumes')
  while (!isUnderWay()) await new Promise((resolve) => setTimeout(resolve, 5))
  interruption.abort(new Error('stopped'))
  await expect(taking).rejects.toThrow()
  expect((await markedIn(scene)).volumes).toEqual([])
})
