import { createSnapshots } from '../../../agent/source/ebs/create.io'
import { ebsSource } from '../../../agent/source/ebs/snapshots.io'
import { HANG_UP } from '../../servers/ec2'
import { refusalOf } from '../../support/refusal'
import { markedIn, planScene, startScene, type Scene, type SceneOptions } from './scene'
import type { EbsPlan } from '../../../agent/source/ebs/plan'
import type { Answers } from '../../support/fake-host'

let scene: Scene
let plans: readonly EbsPlan[]

afterEach(() => scene[Symbol.asyncDispose]())

async function begin(options: SceneOptions = {}, freeze = false): Promise<void> {
  scene = await startScene({ dataDisks: 1, ...options })
  plans = await planScene(scene, ebsSource({ runsDirectory: '/nonexistent', clock: scene.clock }), { freeze })
}
const create = () => createSnapshots(scene.deps, scene, plans)
const snapshotIds = async () => (await markedIn(scene)).snapshots.map(({ snapshotId }) => snapshotId).sort()
const logged = () => scene.deps.logged.join('\n')

test('one request takes all, once all was flushed', async () => {
  await begin()
  const { snapshots, frozen } = await create()
  expect(scene.asked()).toEqual(['CreateSnapshots'])
  expect([...snapshots.keys()]).toEqual(scene.instance.volumeIds)
  expect(frozen).toEqual([])
  const flushed = scene.deps.host.ran.filter((line) => line.startsWith('sync '))
  expect(flushed).toEqual(plans.map(({ origin }) => `sync --file-system ${origin.mountPoint}`))
})

test.each([HANG_UP, 'Unavailable', 'InternalError', 'RequestLimitExceeded'])(
  'what was done although the answer was %s is found, and not done twice',
  async (code) => {
    await begin()
    scene.service.inject({ action: 'CreateSnapshots', code, takesEffect: true })
    const { snapshots } = await create()
    expect(scene.asked()).toEqual([`CreateSnapshots ${code}`, 'DescribeSnapshots'])
    expect(await snapshotIds()).toEqual(Array.from(snapshots.values(), ({ snapshotId }) => snapshotId).sort())
  },
)

test('what is found late is looked for that long', async () => {
  await begin({ settings: { unseenSeconds: 10 } })
  scene.service.inject({ action: 'CreateSnapshots', code: HANG_UP, takesEffect: true })
  expect((await create()).snapshots.size).toBe(2)
  expect(scene.asked().filter((action) => action.startsWith('CreateSnapshots'))).toHaveLength(1)
})

test('an EC2 that is too busy is asked again', async () => {
  await begin()
  scene.service.inject({ action: 'CreateSnapshots', code: 'RequestLimitExceeded', times: 4 })
  expect((await create()).snapshots.size).toBe(2)
  expect(await snapshotIds()).toHaveLength(2)
})

test('an EC2 that stays too busy is given up', async () => {
  await begin()
  scene.service.inject({ action: 'CreateSnapshots', code: 'RequestLimitExceeded', times: 5 })
  expect(await refusalOf(create())).toMatchObject({ code: 'EC2_FAILED' })
  expect(await snapshotIds()).toEqual([])
})

test('sets of two attempts are not mixed', async () => {
  await begin()
  // The first is lost, and found by nobody until the second has been made.
  scene.service.configure({ unseenSeconds: 30 })
  scene.service.inject({ action: 'CreateSnapshots', code: HANG_UP, takesEffect: true })
  const { snapshots } = await create()
  await scene.clock.sleep(60)
  const all = (await markedIn(scene)).snapshots
  expect(all).toHaveLength(4)
  const chosen = all.filter(({ snapshotId }) => [...snapshots.values()].some((one) => one.snapshotId === snapshotId))
  expect(chosen).toHaveLength(2)
  expect(new Set(chosen.map(({ tags }) => tags['snapstream:expires'])).size).toBe(1)
})

test('what is refused is not asked for again', async () => {
  await begin()
  scene.service.configure({ denied: ['CreateSnapshots'] })
  expect(await refusalOf(create())).toMatchObject({ code: 'ACCESS_DENIED' })
  expect(scene.asked()).toEqual(['CreateSnapshots UnauthorizedOperation'])
})

test('a filesystem that does not flush costs a warning', async () => {
  await begin({ answers: { 'sync --file-system /boot': { status: null, killedBy: 'SIGKILL' } } })
  expect((await create()).snapshots.size).toBe(2)
  expect(logged()).toContain('/boot: what was just written may be missing')
})

describe('with a freeze', () => {
  const FREEZES: Answers = { fsfreeze: '', 'systemd-run': '', systemctl: '' }
  const held = () => scene.deps.host.ran.filter((line) => line.startsWith('fsfreeze'))

  test('what may be frozen is, while the one request is made; the root is not', async () => {
    await begin({ answers: FREEZES }, true)
    const { frozen } = await create()
    expect(frozen).toEqual(['/boot', '/srv/nvme1n1'])
    expect(held()).toEqual([
      'fsfreeze --freeze /srv/nvme1n1',
      'fsfreeze --freeze /boot',
      'fsfreeze --unfreeze /boot',
      'fsfreeze --unfreeze /srv/nvme1n1',
    ])
  })

  test('an EC2 that does not take them at once is asked again without', async () => {
    await begin({ answers: FREEZES }, true)
    scene.service.inject({ action: 'CreateSnapshots', code: 'RequestLimitExceeded' })
    const { snapshots, frozen } = await create()
    expect([snapshots.size, frozen]).toEqual([2, []])
    expect(held().filter((line) => line.includes('--freeze'))).toHaveLength(2)
    expect(logged()).toContain('snapshots are taken without a freeze: CreateSnapshots failed')
  })

  test('what was taken and not answered may have been taken after the thaw: it is not called frozen', async () => {
    await begin({ answers: FREEZES }, true)
    scene.service.inject({ action: 'CreateSnapshots', code: HANG_UP, takesEffect: true })
    const { snapshots, frozen } = await create()
    expect([snapshots.size, frozen]).toEqual([2, []])
    expect(await snapshotIds()).toHaveLength(2)
  })

  test('what was thawed before they were taken is not called frozen', async () => {
    const thawed = { status: 1, stderr: 'fsfreeze: /srv/nvme1n1: unfreeze failed: Invalid argument' }
    await begin({ answers: { ...FREEZES, 'fsfreeze --unfreeze /srv/nvme1n1': thawed } }, true)
    expect((await create()).frozen).toEqual([])
    expect(logged()).toContain('filesystems did not stay frozen')
  })

  test('a host that cannot freeze is backed up without', async () => {
    await begin({ answers: { ...FREEZES, 'systemd-run': { status: 1, stderr: 'no systemd' } } }, true)
    const { snapshots, frozen } = await create()
    expect([snapshots.size, frozen]).toEqual([2, []])
    expect(logged()).toMatch(/snapshots are taken without a freeze: .*no systemd/)
  })

  test('a refusal is told once all is thawed', async () => {
    await begin({ answers: FREEZES }, true)
    scene.service.configure({ denied: ['CreateSnapshots'] })
    expect(await refusalOf(create())).toMatchObject({ code: 'ACCESS_DENIED' })
    expect(held().filter((line) => line.includes('--unfreeze'))).toHaveLength(2)
  })
})
