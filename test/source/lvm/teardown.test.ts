import { takeSnapshots } from '../../../agent/source/lvm/snapshots.io'
import { removeSnapshot, unmount } from '../../../agent/source/lvm/teardown.io'
import { lvremove, planSnapshots, umount, umountLazily } from '../../../agent/source/lvm/plan'
import { selectVolumes } from '../../../agent/source/lvm/select'
import { fakeHost, type Answers } from '../../support/fake-host'
import { localDeps } from '../../support/host-deps'
import { lvRow, lvsReport } from '../../support/lvm-report'
import { refusalOf } from '../../support/refusal'
import { storage } from '../../support/storage'

const host = storage({ logicalVolumes: [{}], mounts: [{ of: 0 }] })
const [plan] = planSnapshots(host, selectVolumes(host).volumes, {
  run: '20260131T040506Z-abz277',
  size: { kind: 'auto' },
})
const { name } = plan!
const snapshot = { group: 'vg', name }
const removal = lvremove('vg', name).join(' ')
/** At once, so that nobody waits for what will not come. */
const hanging = { status: null, hangs: true } as const
const MOUNT_POINT = '/run/snapstream/run/vg-lv0'

function depsWith(answers: Answers) {
  return { ...localDeps(), host: fakeHost(answers) }
}

test('what this run made is removed by its name, whatever a report makes of its tags', async () => {
  const deps = depsWith({
    lvcreate: '',
    lvremove: '',
    lvs: lvsReport(lvRow(name, { lv_tags: 'snapstream;snapstream.run=x' })),
  })
  {
    await using _taken = await takeSnapshots(deps, [plan!])
  }
  expect(deps.host.ran).toContain(removal)
})

test('a snapshot of somebody else’s that has the name already is not touched', async () => {
  const deps = depsWith({ lvcreate: { status: 5, stderr: 'already exists' }, lvs: lvsReport(lvRow(name)) })
  expect(await refusalOf(takeSnapshots(deps, [plan!]))).toMatchObject({ code: 'COMMAND_FAILED' })
  expect(deps.host.ran).not.toContain(removal)
})

test('what a command that failed half-way has made is removed', async () => {
  const deps = depsWith({
    lvcreate: { status: 5, stderr: 'failed to activate' },
    lvremove: '',
    lvs: lvsReport(lvRow(name, { lv_tags: 'snapstream,snapstream.run=x' })),
  })
  expect(await refusalOf(takeSnapshots(deps, [plan!]))).toMatchObject({ code: 'COMMAND_FAILED' })
  expect(deps.host.ran).toContain(removal)
})

test.each([
  ['is there with other tags', lvsReport(lvRow(name, { lv_tags: 'snapstream;snapstream.run=x' }))],
  ['has a row that is not understood', lvsReport(lvRow(name, { lv_size: '4.00m' }))],
])('a snapshot that cannot be removed and %s is not believed to be gone', async (_, lvs) => {
  expect(await refusalOf(removeSnapshot(depsWith({ lvremove: hanging, lvs }), snapshot))).toMatchObject({
    code: 'CLEANUP_FAILED',
    message: `the snapshot vg/${name} cannot be removed: the command does not end`,
  })
})

test('a snapshot that somebody else has removed meanwhile is gone', async () => {
  const deps = depsWith({ lvremove: { status: 5, stderr: 'Failed to find it' }, lvs: lvsReport() })
  await expect(removeSnapshot(deps, snapshot)).resolves.toBeUndefined()
})

test('a mount that does not end its unmounting is detached, so that the rest of the run can end', async () => {
  let mounted = true
  const deps = depsWith({
    findmnt: () => JSON.stringify({ filesystems: mounted ? [{ target: MOUNT_POINT }] : [] }),
    [umount(MOUNT_POINT).join(' ')]: hanging,
    [umountLazily(MOUNT_POINT).join(' ')]: () => {
      mounted = false
      return ''
    },
    rmdir: '',
  })
  await unmount(deps, MOUNT_POINT)
  expect(deps.logged.join()).toContain(`${MOUNT_POINT} is busy, and detached while it is: the command does not end`)
})

test('a mount that cannot even be detached is told with its user to look for', async () => {
  const deps = depsWith({ findmnt: JSON.stringify({ filesystems: [{ target: MOUNT_POINT }] }), umount: hanging })
  const refusal = await refusalOf(unmount(deps, MOUNT_POINT))
  expect(refusal).toMatchObject({ code: 'CLEANUP_FAILED', hint: expect.stringContaining(MOUNT_POINT) as string })
})
