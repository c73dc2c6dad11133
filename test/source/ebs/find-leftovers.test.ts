import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ebsSource } from '../../../agent/source/ebs/snapshots.io'
import { HANG_UP } from '../../servers/ec2'
import { refusalOf } from '../../support/refusal'
import { makeTrustedDirectory } from '../../support/trusted-directory'
import { markedIn, planScene, RUN, startScene, type Scene } from './scene'
import type { SnapshotSource } from '../../../agent/source/source'

let directory: string
let scene: Scene
let source: SnapshotSource

beforeEach(async () => {
  directory = makeTrustedDirectory()
  scene = await startScene({ dataDisks: 1 })
  source = ebsSource({
    ...{ runsDirectory: join(directory, 'runs'), uploadsDirectory: join(directory, 'uploads') },
    clock: scene.clock,
  })
})
afterEach(async () => {
  for (const mounted of held.splice(0)) await mounted[Symbol.asyncDispose]()
  await scene[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

const UPLOAD = { key: 'data/daily/web-1/run/root.tar.zst', uploadId: '1' }

/** What the kernel gives back. */
const held: AsyncDisposable[] = []

/** As a run that is killed: nobody gives anything back. */
async function killRun({ mount = true, run = RUN } = {}) {
  const plans = await planScene(scene, source, { run })
  await source.take(scene.deps, plans)
  if (mount) held.push(await source.mount(scene.deps, plans[0]!))
  await source.recordUpload(scene.deps, plans[0]!, UPLOAD)
  scene.asked()
}
async function removeAll(): Promise<void> {
  for (const leftover of await source.findLeftovers(scene.deps)) await source.removeLeftover(scene.deps, leftover)
}
const runs = () => readdir(join(directory, 'runs')).catch(() => [])

test('a host of which no file tells of a run does not ask EC2, unless it is to look everywhere', async () => {
  expect(await source.findLeftovers(scene.deps)).toEqual([])
  expect(scene.asked()).toEqual([])
  expect(await source.findLeftovers(scene.deps, true)).toEqual([])
  expect(scene.asked()).toEqual(['DescribeInstances', 'DescribeVolumes', 'DescribeSnapshots'])
})

test('what a killed run left is found and removed; its last snapshot is as good as any to be kept', async () => {
  await killRun()
  const found = await source.findLeftovers(scene.deps)
  const { volumes } = await markedIn(scene)
  expect(found.map(({ name, uploads }) => [name, uploads])).toEqual([
    [`${volumes[0]!.volumeId} of run ${RUN}`, []],
    [`uploads of root, run ${RUN}`, [UPLOAD]],
  ])
  await removeAll()
  expect(scene.deps.host.ran).toContain(`find /run/snapstream/${RUN} -xdev -depth -type d -empty -delete`)
  const left = await markedIn(scene)
  expect([left.volumes, left.snapshots.length]).toEqual([[], 2])
  expect(await source.findLeftovers(scene.deps)).toEqual([])
})

test('the file of a run goes when nothing of it is left, and can come no more', async () => {
  await killRun({ mount: false })
  await removeAll()
  await source.findLeftovers(scene.deps)
  expect(await runs()).toEqual([RUN]) // what it asked for may yet be to come
  await scene.clock.sleep(1000)
  await source.findLeftovers(scene.deps)
  expect(await runs()).toEqual([])
})

test('the next run removes what no file tells of, before it attaches anything', async () => {
  await killRun()
  await rm(join(directory, 'runs'), { recursive: true })
  const stray = (await markedIn(scene)).volumes[0]!.volumeId
  const plans = await planScene(scene, source, { run: '20260131T050506Z-abz278' })
  await using _snapshots = await source.take(scene.deps, plans)
  held.push(await source.mount(scene.deps, plans[0]!))
  const asked = scene.asked()
  expect(asked.indexOf('DeleteVolume')).toBeLessThan(asked.indexOf('AttachVolume'))
  expect((await markedIn(scene)).volumes.map(({ volumeId }) => volumeId)).not.toContain(stray)
})

test('who may not ask has made nothing; but where a file says so, that is a failure', async () => {
  scene.service.configure({ denied: ['DescribeVolumes'] })
  expect(await source.findLeftovers(scene.deps, true)).toEqual([])
  scene.service.configure({ denied: [] })
  await killRun()
  scene.service.configure({ denied: ['DescribeVolumes'] })
  expect(await refusalOf(source.findLeftovers(scene.deps))).toMatchObject({ code: 'ACCESS_DENIED' })
})

test('an EC2 that does not answer is a failure of a look everywhere', async () => {
  scene.service.inject({ action: 'DescribeInstances', code: HANG_UP, times: 100 })
  expect(await refusalOf(source.findLeftovers(scene.deps, true))).toMatchObject({ code: 'ENDPOINT_UNREACHABLE' })
})

test('a metadata service that does not answer is one only where a run has left something', async () => {
  const deps = { ...scene.deps, connectEc2: () => Promise.reject(new Error('no answer')) }
  expect(await source.findLeftovers(deps, true)).toEqual([])
  await killRun()
  await expect(source.findLeftovers(deps)).rejects.toThrow('no answer')
})
