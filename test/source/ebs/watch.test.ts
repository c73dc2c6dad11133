import { setTimeout as sleep } from 'node:timers/promises'
import { checkCopy, watchCopies } from '../../../agent/source/ebs/watch.io'
import { ebsSource } from '../../../agent/source/ebs/snapshots.io'
import { refusalOf } from '../../support/refusal'
import { planScene, startScene, type Scene } from './scene'
import type { EbsPlan } from '../../../agent/source/ebs/plan'
import type { Namespace } from '../../../agent/source/ebs/namespace.io'
import type { EbsRun } from '../../../agent/source/ebs/run.io'

let scene: Scene
let plan: EbsPlan

beforeEach(async () => {
  scene = await startScene({
    dataDisks: 1,
    answers: { 'nsenter-findmnt': ([, json = '']) => json, 'nsenter-gone': { status: 1, stderr: 'No such process' } },
  })
  ;[plan] = (await planScene(scene, ebsSource({ runsDirectory: '/nonexistent' }))) as [EbsPlan, ...EbsPlan[]]
})
afterEach(() => scene[Symbol.asyncDispose]())

/** A run whose copy is that volume, whether it is there or not, and mounted as long as `within` finds its mount. */
const runWith = (copyId: string | undefined, within?: Namespace['within']) =>
  ({ copyOf: () => copyId, views: new Map(within && [[plan, { within }]]) }) as unknown as EbsRun
/** What `findmnt` says where that device is mounted. */
const showing = (deviceNumber: string): Namespace['within'] => {
  const mount = { target: plan.mountPoint, source: 'x', fstype: 'xfs', 'maj:min': deviceNumber }
  return () => ['nsenter-findmnt', JSON.stringify({ filesystems: [mount] })]
}
const GONE = 'vol-00000000000000000'

test('a copy is there as long as a disk shows its serial, and it is mounted', async () => {
  await checkCopy(scene.deps, runWith(scene.instance.volumeIds[0], showing('259:3')), plan)
  expect(await refusalOf(checkCopy(scene.deps, runWith(GONE), plan))).toMatchObject({
    code: 'SNAPSHOT_INVALID',
    message: `the copy of /, ${GONE}, is not attached to this host any more`,
  })
})

test.each<[string, (() => Namespace['within']) | undefined]>([
  ['that nobody has mounted', undefined],
  ['in whose place something else is mounted', () => showing('259:99')],
  ['whose namespace is gone', () => () => ['nsenter-gone']],
])('a copy %s is none, although tar would end well in the empty directory', async (_, within) => {
  const run = runWith(scene.instance.volumeIds[0], within?.())
  expect(await refusalOf(checkCopy(scene.deps, run, plan))).toMatchObject({
    code: 'SNAPSHOT_INVALID',
    message: expect.stringMatching(/^the copy of \/, vol-\w+, is not mounted any more$/) as string,
  })
})

test('what was never copied cannot have been read', async () => {
  expect(await refusalOf(checkCopy(scene.deps, runWith(undefined), plan))).toMatchObject({ code: 'SNAPSHOT_INVALID' })
})

test('one that is gone is told of once, and one that was given back never', async () => {
  const faults: string[] = []
  const onFault = ({ origin }: { origin: { mountPoint: string } }) => faults.push(origin.mountPoint)
  {
    await using watch = watchCopies(scene.deps, [plan], () => runWith(GONE), onFault, 5)
    while (faults.length === 0) await sleep(5)
    await sleep(50)
    watch.forget(plan)
  }
  expect(faults).toEqual(['/'])
  {
    await using watch = watchCopies(scene.deps, [plan], () => runWith(GONE), onFault, 20)
    watch.forget(plan)
    await sleep(60)
  }
  expect(faults).toEqual(['/'])
})

test('a host that cannot tell costs a warning', async () => {
  const deps = { ...scene.deps, host: { ...scene.deps.host, run: () => Promise.reject(new Error('no lsblk')) } }
  {
    await using _watch = watchCopies(
      deps,
      [plan],
      () => runWith(GONE),
      () => undefined,
      5,
    )
    while (!scene.deps.logged.join().includes('copies could not be watched')) await sleep(5)
  }
})
