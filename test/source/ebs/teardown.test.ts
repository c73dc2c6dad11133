import { removeSnapshot, removeVolume } from '../../../agent/source/ebs/teardown.io'
import { HANG_UP } from '../../servers/ec2'
import { refusalOf } from '../../support/refusal'
import { markedIn, startScene, type Scene, type SceneOptions } from './scene'

let scene: Scene
let snapshotId: string
let volumeId: string

afterEach(() => scene[Symbol.asyncDispose]())

const teardown = () => ({ ec2: scene.ec2, clock: scene.clock, log: scene.deps.log })

async function begin(options: SceneOptions = {}): Promise<void> {
  scene = await startScene({ dataDisks: 0, ...options })
  const { ec2, deps } = scene
  const tags = { 'snapstream:host': ec2.instance.arn }
  const request = { withoutRoot: false, without: [], tags }
  snapshotId = (await ec2.createSnapshots(request, deps.signal))[0]!.snapshotId
  volumeId = (await ec2.createVolume({ snapshotId, clientToken: 'one', tags }, deps.signal)).volumeId
  scene.asked()
}
const volumes = async () => (await markedIn(scene)).volumes.map((volume) => volume.state)

test('what is attached is detached first, and waited for', async () => {
  await begin({ settings: { detachingSeconds: 90 } })
  await scene.ec2.attachVolume(volumeId, '/dev/sdm', scene.deps.signal)
  await removeVolume(teardown(), volumeId)
  expect(await volumes()).toEqual([])
  expect(scene.clock.nowSeconds()).toBeGreaterThan(90)
})

test('what is being made is waited for', async () => {
  await begin({ settings: { creatingSeconds: 40 } })
  await removeVolume(teardown(), volumeId)
  expect(await volumes()).toEqual([])
})

test('what stays busy is told of, in time', async () => {
  await begin({ settings: { detachingSeconds: 3600 } })
  await scene.ec2.attachVolume(volumeId, '/dev/sdm', scene.deps.signal)
  expect(await refusalOf(removeVolume(teardown(), volumeId))).toMatchObject({
    code: 'CLEANUP_FAILED',
    message: `${volumeId} cannot be removed: it stays detaching`,
    hint: expect.stringContaining('it costs money') as string,
  })
})

test('what is gone is gone', async () => {
  await begin()
  for (let time = 0; time < 2; time++) {
    await removeVolume(teardown(), volumeId)
    await removeSnapshot(teardown(), snapshotId)
  }
  expect(await markedIn(scene)).toEqual({ volumes: [], snapshots: [] })
})

test('what is so new that it is not found is not taken for gone', async () => {
  await begin()
  scene.service.configure({ unseenSeconds: 30 })
  await removeVolume(teardown(), volumeId, true)
  await removeSnapshot(teardown(), snapshotId, true)
  await scene.clock.sleep(60)
  expect(await markedIn(scene)).toEqual({ volumes: [], snapshots: [] })
})

test('lost answers do not matter', async () => {
  await begin()
  scene.service.inject({ action: 'DeleteVolume', code: HANG_UP, takesEffect: true })
  scene.service.inject({ action: 'DeleteSnapshot', code: 'Unavailable', takesEffect: true })
  await removeVolume(teardown(), volumeId)
  await removeSnapshot(teardown(), snapshotId)
  expect(await markedIn(scene)).toEqual({ volumes: [], snapshots: [] })
})

test('what may not be removed is told of', async () => {
  await begin({ settings: { denied: ['DeleteVolume', 'DeleteSnapshot'] } })
  const removals = [() => removeVolume(teardown(), volumeId), () => removeSnapshot(teardown(), snapshotId)]
  for (const remove of removals) {
    expect(await refusalOf(remove())).toMatchObject({
      code: 'CLEANUP_FAILED',
      message: expect.stringMatching(/cannot be removed: ec2:Delete\w+ is denied/) as string,
    })
  }
})
