import { attachCopy, createCopy } from '../../../agent/source/ebs/copy.io'
import { HANG_UP } from '../../servers/ec2'
import { refusalOf } from '../../support/refusal'
import { markedIn, startScene, type Scene, type SceneOptions } from './scene'
import type { Ec2 } from '../../../agent/ec2'

let scene: Scene
let snapshotId: string
let volumeId: string

afterEach(() => scene[Symbol.asyncDispose]())

const tags = () => ({ 'snapstream:host': scene.ec2.instance.arn })
const teardown = (ec2: Ec2 = scene.ec2) => ({ ec2, clock: scene.clock, log: scene.deps.log })
const copy = () =>
  createCopy(scene.deps, teardown(), { snapshotId, clientToken: 'one', tags: tags() }, (id) => (volumeId = id))

async function begin(options: SceneOptions = {}): Promise<void> {
  scene = await startScene({ dataDisks: 1, ...options })
  const request = { withoutRoot: true, without: [], tags: tags() }
  snapshotId = (await scene.ec2.createSnapshots(request, scene.deps.signal))[0]!.snapshotId
  volumeId = ''
  scene.asked()
}
const deviceName = async () => (await markedIn(scene)).volumes[0]?.attachment?.deviceName

test('is of the instance’s zone, and goes with the instance', async () => {
  await begin()
  await copy()
  await attachCopy(scene.deps, teardown(), volumeId)
  expect(await deviceName()).toBe('/dev/sdg') // the data disk has /dev/sdf
  const asked = scene.service.requests.find(({ action }) => action === 'CreateVolume')?.parameters
  expect(asked).toMatchObject({ AvailabilityZone: 'us-east-1a', VolumeType: 'gp3', ClientToken: 'one' })
  const modified = scene.service.requests.find(({ action }) => action === 'ModifyInstanceAttribute')?.parameters
  expect(modified).toMatchObject({
    Attribute: 'blockDeviceMapping',
    'BlockDeviceMapping.1.Ebs.DeleteOnTermination': 'true',
  })
})

test('is told of before it is waited for, should that be interrupted', async () => {
  await begin({ settings: { volumesEnd: 'error' } })
  expect(await refusalOf(copy())).toMatchObject({ code: 'EC2_FAILED' })
  expect(volumeId).toMatch(/^vol-/)
})

test('of a snapshot that is not complete everywhere yet, it is asked for again', async () => {
  await begin()
  scene.service.inject({ action: 'CreateVolume', code: 'IncorrectState', times: 3 })
  scene.service.inject({ action: 'CreateVolume', code: 'InvalidSnapshot.NotFound', times: 2 })
  expect(await copy()).toBe(volumeId)
  expect(scene.asked().filter((action) => action === 'CreateVolume')).toHaveLength(1)
})

test('gets the next name where somebody else took one since EC2 was asked', async () => {
  await begin()
  await copy()
  // The instance does not show its data disk, as at EC2 for a while.
  const blind: Ec2 = { ...scene.ec2, describeInstance: () => Promise.resolve({ volumes: [], networkInterfaces: 0 }) }
  await attachCopy(scene.deps, teardown(blind), volumeId)
  expect(scene.asked().filter((action) => action.startsWith('AttachVolume'))).toEqual([
    'AttachVolume InvalidParameterValue',
    'AttachVolume',
  ])
  expect(await deviceName()).toBe('/dev/sdg')
})

test('is attached once, though the answer was lost', async () => {
  await begin()
  await copy()
  scene.service.inject({ action: 'AttachVolume', code: HANG_UP, takesEffect: true })
  await attachCopy(scene.deps, teardown(), volumeId)
  expect(scene.asked()).toContain('ModifyInstanceAttribute')
  expect(await deviceName()).toBe('/dev/sdg')
})

test('that somebody else has attached is none of ours', async () => {
  await begin()
  await copy()
  const other = await scene.service.launch({ volumes: [{ sizeGiB: 1 }] })
  const thief: Ec2 = { ...scene.ec2, instance: { ...scene.ec2.instance, instanceId: other.id } }
  await attachCopy(scene.deps, teardown(), volumeId)
  expect(await refusalOf(attachCopy(scene.deps, teardown(thief), volumeId))).toMatchObject({ code: 'EC2_FAILED' })
})

test('finds no place on an instance that is full', async () => {
  await begin({ settings: { attachmentsMax: 2 } })
  await copy()
  expect(await refusalOf(attachCopy(scene.deps, teardown(), volumeId))).toMatchObject({
    code: 'EC2_FAILED',
    message: expect.stringContaining('You may attach up to 2 devices') as string,
    hint: expect.stringContaining('larger type') as string,
  })
})

test('may stay with a terminated instance where its host may not say otherwise', async () => {
  await begin({ settings: { denied: ['ModifyInstanceAttribute'] } })
  await copy()
  await attachCopy(scene.deps, teardown(), volumeId)
  expect(scene.deps.logged.join('\n')).toContain('would stay, were the instance terminated now')
})

test('ends where the run does', async () => {
  await begin({ settings: { creatingSeconds: 3600 } })
  const interruption = new AbortController()
  interruption.abort(new Error('stopped'))
  await expect(
    createCopy(
      { signal: interruption.signal },
      teardown(),
      { snapshotId, clientToken: 'x', tags: {} },
      () => undefined,
    ),
  ).rejects.toThrow('stopped')
})
