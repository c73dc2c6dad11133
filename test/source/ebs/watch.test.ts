import { setTimeout as sleep } from 'node:timers/promises'
import { checkCopy, watchCopies } from '../../../agent/source/ebs/watch.io'
import { ebsSource } from '../../../agent/source/ebs/snapshots.io'
import { refusalOf } from '../../support/refusal'
import { planScene, startScene, type Scene } from './scene'
import type { EbsPlan } from '../../../agent/source/ebs/plan'
import type { EbsRun } from '../../../agent/source/ebs/run.io'

let scene: Scene
let plan: EbsPlan

beforeEach(async () => {
  scene = await startScene({ dataDisks: 1 })
  ;[plan] = (await planScene(scene, ebsSource({ runsDirectory: '/nonexistent' }))) as [EbsPlan, ...EbsPlan[]]
})
afterEach(() => scene[Symbol.asyncDispose]())

/** A run whose copy is that volume, whether it is there or not. */
const runWith = (copyId: string | undefined) => ({ copyOf: () => copyId }) as unknown as EbsRun
const GONE = 'vol-00000000000000000'

test('a copy is there as long as a disk shows its serial', async () => {
  await checkCopy(scene.deps, runWith(scene.instance.volumeIds[0]), plan)
  await checkCopy(scene.deps, runWith(undefined), plan) // none was made yet
  expect(await refusalOf(checkCopy(scene.deps, runWith(GONE), plan))).toMatchObject({
    code: 'SNAPSHOT_INVALID',
    message: `the copy of /, ${GONE}, is not attached to this host any more`,
  })
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
